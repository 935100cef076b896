"""The drive controller: leases and orders count from their heartbeats, and a car that lacks anything never moves."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.protocol.messages import DriveOrder, Grant, Lease, OrderAction
from vehicle.core.actions import NEUTRAL
from vehicle.core.controller import DeviceName, DriveController
from vehicle.core.frame_age import SafetyOptions
from vehicle.core.limiter import DriveLimits
from vehicle.core.messages import Setpoint

MS = 1_000_000
SAFETY = SafetyOptions(frame_period_ms=50.0, arm_frames=3)  # holds to 100 ms, trips beyond 250
LIMITS = DriveLimits(throttle_slew_per_s=100.0, steering_slew_per_s=100.0)


class Bench:
    """A controller on a clock that the test sets."""

    def __init__(self, controller: DriveController | None = None) -> None:
        self.now_ns = 5_000 * MS
        self.controller = controller or DriveController("boot-1", LIMITS, SAFETY, 50, calibrated=True)
        self.orders = 0
        self.frames = 0
        self.beat = 0
        self.action = NEUTRAL

    def send_setpoint(self, steering: float = 0.5, throttle: float = 1.0, age_ms: float = 0) -> None:
        self.frames += 1
        at_ns = self.now_ns - round(age_ms * MS)
        self.controller.on_setpoint(Setpoint(self.frames, at_ns, steering, throttle, 900), self.now_ns)

    def lease(self, grant: Grant = "drive", lease_ms: int = 500, beat: int | None = None, boot: str = "boot-1") -> None:
        self.controller.on_lease(Lease(boot, self.beat if beat is None else beat, grant, "run-1", lease_ms))

    def order(self, action: OrderAction, beat: int | None = None, **more: Any) -> None:
        self.orders += 1
        fields: dict[str, Any] = {"order_id": f"o{self.orders}", "boot": "boot-1", "ttl_ms": 2000} | more
        self.controller.on_order(DriveOrder(action=action, heartbeat=self.beat if beat is None else beat, **fields))

    def run(self, duration_ms: int, *, frames: bool = True, lease: bool = True) -> None:
        """Ticks of 10 ms, with a frame every 50 ms, and a heartbeat and its lease every 100 ms."""
        for _ in range(duration_ms // 10):
            self.now_ns += 10 * MS
            turn = self.now_ns // MS
            if turn % 100 == 0:
                self.beat = self.controller.next_heartbeat(self.now_ns).heartbeat
                if lease:
                    self.lease()
            if frames and turn % 50 == 0:
                self.send_setpoint()
            self.action = self.controller.tick(self.now_ns)


@pytest.fixture
def driving() -> Bench:
    bench = Bench()
    bench.controller.set_model_ready()
    bench.run(200)
    bench.order("arm")
    bench.order("start", throttle_percent=40)
    bench.run(50)
    assert bench.controller.mode == "driving"
    return bench


def test_driving_scales_the_setpoint_by_the_percentage(driving: Bench) -> None:
    assert (driving.action.steering, driving.action.throttle) == (0.5, pytest.approx(0.4))
    assert driving.controller.throttle_percent == 40


def test_orders_wait_for_what_is_missing_and_are_then_done_in_turn() -> None:
    bench = Bench()
    bench.run(100, frames=False, lease=False)
    bench.order("arm")
    bench.order("start")
    bench.run(500, lease=False)
    assert bench.controller.mode == "disarmed"
    bench.controller.set_model_ready()
    bench.run(500)
    assert bench.controller.mode == "driving"


def test_an_order_that_waited_too_long_is_refused_with_what_was_missing() -> None:
    bench = Bench()
    bench.run(100)
    bench.order("arm", ttl_ms=300)
    bench.run(500)
    assert bench.controller.mode == "disarmed"
    assert bench.controller.mode_state.reason == (
        "The order to arm was refused: it was not done in time. The car does not yet have a loaded model."
    )
    bench.controller.set_model_ready()
    bench.run(500)
    assert bench.controller.mode == "disarmed"


def test_the_lease_counts_from_the_beat_it_answers(driving: Bench) -> None:
    beat_ns = driving.now_ns // (100 * MS) * 100 * MS
    driving.run(600, lease=False)
    assert driving.controller.mode == "tripped"
    assert "lease ran out" in driving.controller.mode_state.reason
    assert driving.action == NEUTRAL
    assert driving.now_ns - beat_ns < 700 * MS


def test_frames_that_show_nothing_hold_then_trip_and_the_reason_says_so(driving: Bench) -> None:
    for _ in range(3):
        driving.controller.on_unusable_frame("The lens is covered.")
        driving.run(30, frames=False)
    assert driving.controller.mode == "driving"  # it holds
    for _ in range(30):
        driving.controller.on_unusable_frame("The lens is covered.")
        driving.run(10, frames=False)
    assert driving.controller.mode == "tripped"
    assert driving.controller.mode_state.reason.startswith("The newest frame is 2")
    assert driving.controller.mode_state.reason.endswith(" ms old; the limit is 250 ms. The lens is covered.")
    assert driving.action == NEUTRAL


def test_what_the_camera_shows_is_said_when_the_car_cannot_be_armed() -> None:
    bench = Bench()
    bench.controller.set_model_ready()
    bench.run(100, frames=False)
    bench.controller.on_unusable_frame("The lens is covered.")
    bench.order("arm", ttl_ms=300)
    bench.run(500, frames=False)
    assert bench.controller.mode_state.reason.endswith("The car does not yet have fresh frames. The lens is covered.")
    bench.run(500)  # it shows something again: the sentence no longer applies
    bench.order("arm")
    bench.run(20)
    assert (bench.controller.mode, bench.controller.mode_state.reason) == ("ready", "")


def test_a_late_burst_of_old_leases_grants_nothing(driving: Bench) -> None:
    first = driving.beat
    driving.run(400, lease=False)
    for beat in (first, first):
        driving.lease(beat=beat)
    driving.run(200, lease=False)
    assert driving.controller.mode == "tripped"


@pytest.mark.parametrize("changes", [{"boot": "another"}, {"beat": 1}, {"beat": 10**15}])
def test_a_lease_for_another_boot_or_beat_grants_nothing(driving: Bench, changes: dict[str, Any]) -> None:
    for _ in range(10):
        driving.lease(**changes)
        driving.run(100, lease=False)
    assert driving.controller.mode == "tripped"


def test_recovery_never_rearms(driving: Bench) -> None:
    driving.run(700, lease=False)
    driving.run(2_000)
    assert driving.controller.mode == "tripped"
    driving.order("start")
    driving.order("arm")
    driving.run(100)
    assert driving.controller.mode == "tripped"
    for action in ("reset", "arm", "start"):
        driving.order(action)
    driving.run(100)
    assert driving.controller.mode == "driving"


def test_a_withdrawn_lease_stops_and_arm_makes_ready_again(driving: Bench) -> None:
    driving.lease("none")
    driving.run(10, lease=False)
    assert driving.controller.mode_state.mode == "stopped"
    assert driving.action == NEUTRAL
    driving.run(100)
    driving.order("arm")
    driving.run(20)
    assert driving.controller.mode == "ready"


def test_a_withdrawal_calls_off_the_orders_that_wait_from_before() -> None:
    bench = Bench()
    bench.run(100)
    bench.order("arm")
    bench.order("start")
    bench.run(100, lease=False)
    bench.lease("none")
    bench.controller.set_model_ready()
    bench.run(500)
    assert bench.controller.mode == "disarmed"


def test_frames_hold_ramp_and_trip(driving: Bench) -> None:
    driving.run(100, frames=False)
    assert driving.action.throttle == pytest.approx(0.4)
    driving.run(70, frames=False)
    assert 0.0 < driving.action.throttle < 0.4
    driving.run(100, frames=False)
    assert driving.controller.mode == "tripped"
    assert "newest frame" in driving.controller.mode_state.reason


def test_a_repeated_or_future_frame_does_not_keep_the_car_going(driving: Bench) -> None:
    repeated = Setpoint(driving.frames, driving.now_ns - 50 * MS, 0.0, 1.0, 900)
    future = Setpoint(driving.frames + 1, driving.now_ns + 10_000 * MS, 0.0, 1.0, 900)
    driving.controller.on_setpoint(repeated, driving.now_ns)
    for _ in range(40):
        assert not driving.controller.on_setpoint(repeated, driving.now_ns)
        assert not driving.controller.on_setpoint(future, driving.now_ns)
        driving.run(10, frames=False)
    assert driving.controller.mode == "tripped"


@pytest.mark.parametrize("order", ["stop", "estop"])
def test_a_stop_is_obeyed_at_once_however_stale(driving: Bench, order: OrderAction) -> None:
    driving.order(order, beat=1, boot="long ago", ttl_ms=0)
    assert driving.controller.mode == {"stop": "stopped", "estop": "tripped"}[order]
    assert driving.controller.tick(driving.now_ns) == NEUTRAL


def test_a_stop_calls_off_what_waits() -> None:
    bench = Bench()
    bench.run(100)
    bench.order("arm")
    bench.order("start")
    bench.order("stop")
    bench.controller.set_model_ready()
    bench.run(500)
    assert bench.controller.mode == "disarmed"


@pytest.mark.parametrize("action", ["arm", "start", "reset"])
def test_an_order_of_another_boot_or_an_unknown_beat_is_refused(action: OrderAction) -> None:
    bench = Bench()
    bench.controller.set_model_ready()
    bench.run(300)
    bench.order(action, boot="boot-0")
    bench.order(action, beat=17)
    bench.run(100)
    assert bench.controller.mode == "disarmed"
    assert "answers no recent heartbeat" in bench.controller.mode_state.reason


def test_a_repeated_order_is_obeyed_once(driving: Bench) -> None:
    again = DriveOrder("same", "arm", "boot-1", driving.beat, 10_000)
    driving.controller.on_order(DriveOrder("halt", "stop", "", 0, 0))
    driving.controller.on_order(again)
    driving.run(20)
    assert driving.controller.mode == "ready"
    driving.controller.on_order(DriveOrder("halt2", "stop", "", 0, 0))
    driving.controller.on_order(again)
    driving.run(20)
    assert driving.controller.mode == "stopped"


def test_the_pilot_going_trips_and_the_next_one_must_be_armed_anew(driving: Bench) -> None:
    driving.controller.on_pilot_exit("The pilot was killed.")
    assert driving.controller.tick(driving.now_ns) == NEUTRAL
    assert driving.controller.mode_state.reason == "The pilot was killed."
    driving.controller.set_model_ready()
    driving.run(500)
    assert driving.controller.mode == "tripped"


def test_beats_rise_over_a_restart_of_the_guard() -> None:
    first, second = (DriveController("b", LIMITS, SAFETY, calibrated=True) for _ in range(2))
    assert (
        first.next_heartbeat(10_000 * MS).heartbeat
        < first.next_heartbeat(10_000 * MS).heartbeat
        < second.next_heartbeat(10_100 * MS).heartbeat
    )


class Anything(RuleBasedStateMachine):
    """Whatever arrives in whatever order, the car moves only with arm, start, lease and frames."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.action = NEUTRAL
        self.lease_until_ns = 0
        self.frame_ns = -(10**18)
        self.sent: dict[int, int] = {}
        self.gone: set[DeviceName] = set()

    @rule(ms=st.integers(0, 400))
    def time_goes_by(self, ms: int) -> None:
        self.bench.now_ns += ms * MS

    @rule()
    def beat(self) -> None:
        self.bench.beat = self.bench.controller.next_heartbeat(self.bench.now_ns).heartbeat
        self.sent[self.bench.beat] = self.bench.now_ns

    @rule(back=st.integers(0, 4), grant=st.sampled_from(["drive", "drive", "none"]), ms=st.integers(0, 900))
    def lease(self, back: int, grant: Grant, ms: int) -> None:
        beat = self.bench.beat - back
        self.bench.lease(grant, ms, beat)
        if beat in self.sent:
            self.lease_until_ns = max(self.lease_until_ns, self.sent[beat] + ms * MS)

    @rule(throttle=st.floats(), steering=st.floats(), age_ms=st.integers(-1000, 300))
    def send_setpoint(self, throttle: float, steering: float, age_ms: int) -> None:
        self.bench.send_setpoint(steering, throttle, age_ms)
        if age_ms >= -20:
            self.frame_ns = max(self.frame_ns, self.bench.now_ns - age_ms * MS)

    @rule(action=st.sampled_from(["arm", "start", "stop", "estop", "reset"]), back=st.integers(0, 3))
    def order(self, action: OrderAction, back: int) -> None:
        self.bench.order(action, self.bench.beat - back)

    @rule(ready=st.booleans())
    def pilot(self, ready: bool) -> None:
        if ready:
            self.bench.controller.set_model_ready()
        else:
            self.bench.controller.on_pilot_exit("gone")

    @rule(device=st.sampled_from(["motors", "button", "camera"]), why=st.sampled_from(["", "it is not there."]))
    def absent(self, device: DeviceName, why: str) -> None:
        self.bench.controller.set_absent(device, why)
        self.gone = self.gone | {device} if why else self.gone - {device}

    @rule()
    def all_is_well(self) -> None:
        self.bench.controller.set_model_ready()
        for _ in range(4):
            self.time_goes_by(50)
            self.beat()
            self.lease(0, "drive", 500)
            self.send_setpoint(1.0, 0.0, 0)
            self.tick()
        self.order("arm", 0)
        self.order("start", 0)

    @rule()
    def tick(self) -> None:
        self.action = self.bench.controller.tick(self.bench.now_ns)
        if self.action != NEUTRAL:
            assert self.bench.controller.mode == "driving"
            assert self.bench.now_ns < self.lease_until_ns
            assert self.bench.now_ns - self.frame_ns <= SAFETY.trip_ns
            assert not self.gone

    @invariant()
    def nothing_absent_is_armed(self) -> None:
        assert not self.gone or self.bench.controller.mode not in ("ready", "driving")

    @invariant()
    def in_range(self) -> None:
        assert -1.0 <= self.action.steering <= 1.0
        assert 0.0 <= self.action.throttle <= 1.0


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_a_car_without_calibration_cannot_be_armed() -> None:
    bench = Bench(DriveController("boot-1", LIMITS, SAFETY, 50, calibrated=False))
    bench.controller.set_model_ready()
    bench.run(500)
    bench.order("arm")
    bench.run(2500)
    assert bench.controller.mode == "disarmed"
    assert "a calibration (raceday vehicle calibrate)" in bench.controller.mode_state.reason


@pytest.mark.parametrize(
    ("action", "run_id", "mode", "reason"),
    [
        ("estop", "run-1", "tripped", "Emergency stop by the station."),
        ("estop", "phone", "tripped", "Emergency stop from a phone."),
        ("stop", "phone", "stopped", "Stopped from a phone."),
        ("stop", "run-1", "stopped", ""),
    ],
)
def test_a_stop_says_whose_it_is_and_nothing_rearms(
    driving: Bench, action: OrderAction, run_id: str, mode: str, reason: str
) -> None:
    driving.order(action, run_id=run_id)
    driving.run(1000)
    assert (driving.controller.mode, driving.controller.mode_state.reason) == (mode, reason)
    assert driving.action == NEUTRAL


ABSENT: list[tuple[DeviceName, str, str]] = [
    ("motors", "the bus does not answer.", "The car does not yet have motors. The bus does not answer."),
    ("button", "no pin.", "The car does not yet have its emergency button. No pin."),
]


def _ready_bench() -> Bench:
    bench = Bench()
    bench.controller.set_model_ready()
    bench.run(300)
    return bench


@pytest.mark.parametrize(("device", "why", "sentence"), ABSENT)
@pytest.mark.parametrize("action", ["arm", "start"])
def test_a_car_without_a_device_is_refused_at_once_and_nothing_waits_for_its_return(
    device: DeviceName, why: str, sentence: str, action: OrderAction
) -> None:
    bench = _ready_bench()
    bench.controller.set_absent(device, why)
    assert bench.controller.reason == f"{why[:1].upper()}{why[1:]}"
    assert why[1:] in bench.controller.movement_blocked
    bench.order(action)
    bench.run(20)
    assert (bench.controller.mode, bench.controller.reason) == (
        "disarmed",
        f"The order to {action} was refused: {sentence}",
    )
    bench.controller.set_absent(device, "")
    assert (bench.controller.reason, bench.controller.movement_blocked) == ("", "")  # the refusal no longer applies
    bench.run(1500)
    assert bench.controller.mode == "disarmed"
    for order in ("arm", "start"):
        bench.order(order)
    bench.run(50)
    assert bench.controller.mode == "driving"


@pytest.mark.parametrize(("device", "why", "sentence"), [*ABSENT, ("camera", "no lens.", "")])
def test_a_device_that_goes_trips_the_car_and_its_return_rearms_nothing(
    driving: Bench, device: DeviceName, why: str, sentence: str
) -> None:
    driving.controller.set_absent(device, why)
    assert driving.controller.mode == "tripped"
    assert driving.controller.tick(driving.now_ns) == NEUTRAL
    reason = driving.controller.reason
    assert reason == f"{why[:1].upper()}{why[1:]}"
    driving.controller.set_absent(device, "")
    driving.run(1000)
    assert (driving.controller.mode, driving.controller.reason) == ("tripped", reason)
    for order in ("reset", "arm", "start"):
        driving.order(order)
    driving.run(50)
    assert driving.controller.mode == "driving"


def test_all_that_is_absent_is_said_once_beside_what_explains_the_mode() -> None:
    bench = _ready_bench()
    bench.controller.set_absent("motors", "no bus.")
    bench.controller.set_absent("camera", "no lens.")
    bench.controller.set_absent("motors", "no chip.")
    assert bench.controller.reason == "No chip. No lens."
    assert bench.controller.movement_blocked == "No chip."  # a calibration needs no camera
    bench.controller.estop("Emergency stop at the car.")
    assert bench.controller.reason == "Emergency stop at the car. No chip. No lens."
    bench.order("reset")
    bench.run(20)
    assert (bench.controller.mode, bench.controller.reason) == ("disarmed", "No chip. No lens.")
