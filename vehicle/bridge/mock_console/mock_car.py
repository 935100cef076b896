"""The robot's side of a stock car: its control states, its model, its servo node, which holds the last pulse for ever.

The states and what each obeys follow `ctrl_pkg/src/ctrl_state.cpp` and `ctrl_node.cpp` of aws-deepracer-ctrl-pkg (2021;
the community's release of 2026 changes nothing of it). Called by mock_console.py, with the time.
"""

from dataclasses import dataclass, field
from typing import Literal

from shared.units import NS_PER_S
from vehicle.bridge.mock_console.outputs import MOTOR, NEUTRAL_NS, STEERING, CarOutputs
from vehicle.core.pulses import STOCK_CALIBRATION, ChannelCalibration

ControlState = Literal["manual", "auto", "calibration"]
FRAME_NS = NS_PER_S // 15  # the stock camera's rate: a model answers each frame
RESTART_NS = 15 * NS_PER_S  # of the core: 10 to 20 s on the car


@dataclass(slots=True)
class MockCar:
    """A car that lies on a table: `outputs` say whether its wheels turn. Times are ns of the caller's clock, rising.

    `load_ns`: how long it takes to load a model; `models`: the folders that can be loaded. A model of this car drives
    straight on at its full speed. `busy_until_ns`: not before then does the core answer; 0: it does.
    """

    outputs: CarOutputs
    load_ns: int = 4 * NS_PER_S
    models: list[str] = field(default_factory=lambda: ["Sample_single_cam"])
    state: ControlState = "manual"
    active: dict[ControlState, bool] = field(default_factory=dict)
    throttle_scale: float = 0.0
    loaded: str = ""
    loading: str = ""
    loaded_at_ns: int = 0
    load_failed: bool = True  # before the first load the console says `error`
    battery_level: int = 9
    busy_until_ns: int = 0
    led: tuple[int, int, int] = (0, 0, 0)
    _drove_at_ns: int = 0

    def __post_init__(self) -> None:
        self._boot()

    def advance(self, now_ns: int) -> None:
        """Do what the car does by itself until now: come up again, finish a load, drive."""
        if self.busy_until_ns and now_ns >= self.busy_until_ns:
            self.busy_until_ns = 0
            self._boot()
        if self.loading and now_ns >= self.loaded_at_ns:
            self.load_failed = self.loading not in self.models
            self.loaded = "" if self.load_failed else self.loading
            self.loading = ""
        drives = self.state == "auto" and self.active["auto"] and self.loaded and not self.loading
        if drives and not self.busy_until_ns and now_ns - self._drove_at_ns >= FRAME_NS:
            self._drove_at_ns = now_ns
            self.serve(0.0, self.throttle_scale)

    def set_state(self, state: ControlState) -> None:
        """Stop the old state; the new one is inactive."""
        self.set_active(is_active=False)
        self.state = state

    def set_active(self, *, is_active: bool) -> None:
        """Start or stop the state. A stop sends one neutral; each but an automatic start lets the outputs on again."""
        self.active[self.state] = is_active
        if self.state == "auto" and is_active:
            return
        if self.state != "calibration":
            self.serve(0.0, 0.0)
        self.outputs.set_line(0)

    def set_throttle_scale(self, scale: float) -> None:
        """Obeyed in the automatic state, from 0 to 1; else nothing happens, and nobody is told."""
        if self.state == "auto" and 0.0 <= scale <= 1.0:
            self.throttle_scale = scale

    def load(self, folder: str, now_ns: int) -> None:
        """Load in the background; the newest request wins. Obeyed in the automatic state, else nobody is told."""
        if self.state == "auto":
            self.loading, self.loaded, self.loaded_at_ns = folder, "", now_ns + self.load_ns

    @property
    def loading_status(self) -> str:
        """What the console answers about the model; outside the automatic state always `error`."""
        if self.state != "auto":
            return "error"
        if self.loading:
            return "loading"
        return "error" if self.load_failed else "loaded"

    def drive_by_hand(self, angle: float, throttle: float) -> None:
        """A message of the manual state; dropped in any other."""
        if self.state == "manual" and self.active["manual"]:
            self.serve(angle, throttle)

    def serve(self, angle: float, throttle: float) -> None:
        """The servo node: the pulses of an action from -1 to 1."""
        self.outputs.set_duty(STEERING, _pulse_ns(STOCK_CALIBRATION.steering, angle))
        self.outputs.set_duty(MOTOR, _pulse_ns(STOCK_CALIBRATION.motor, throttle))

    def restart_core(self, now_ns: int) -> None:
        """`systemctl restart deepracer-core`: no answers for a while, and the pulses stay as they are."""
        self.busy_until_ns = now_ns + RESTART_NS

    def _boot(self) -> None:
        """The core comes up: the manual state, active, and the servo node's neutral."""
        self.state, self.active = "manual", {"manual": False, "auto": False, "calibration": False}
        self.throttle_scale, self.loaded, self.loading, self.load_failed = 0.0, "", "", True
        self.set_active(is_active=True)


def _pulse_ns(channel: ChannelCalibration, value: float) -> int:
    """The pulse of a value, as the servo node works it out: truncated, not rounded."""
    signed = value * channel.polarity
    span_ns = channel.max_ns - channel.mid_ns if signed >= 0 else channel.mid_ns - channel.min_ns
    return int(channel.mid_ns + signed * span_ns)


assert _pulse_ns(STOCK_CALIBRATION.motor, 0.0) == NEUTRAL_NS
