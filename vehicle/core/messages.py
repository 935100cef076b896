"""The messages between the car's processes, besides those of MQTT that they pass on."""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.messages import CarMode
from vehicle.core.pulses import Calibration


@dataclass(frozen=True, slots=True)
class Setpoint:
    """Pilot to guard: the policy's answer and its frame; throttle not yet scaled, the stamp on the car's clock.

    `capture_us` is the time from the frame's stamp until the pilot had the frame.
    """

    frame_seq: int
    frame_at_ns: int
    steering: float
    throttle: float
    policy_us: int
    preprocess_us: int = 0
    capture_us: int = 0


@dataclass(frozen=True, slots=True)
class FrameCounts:
    """Pilot to guard, 2 Hz: what the camera gave since the start. A frozen camera shows here, not in the setpoints."""

    frames: int = 0
    dropped: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class PilotReady:
    """Pilot to guard: the model is checked, loaded and warm; without a name there is none yet.

    `precision` is what drives, `realtime` whether the policy's thread has real-time priority.
    """

    model: str
    model_sha256: str
    precision: str = "fp32"
    realtime: bool = False


@dataclass(frozen=True, slots=True)
class PilotFault:
    """Pilot to guard: why a frame gave no setpoint, or that the camera is gone, as one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class UnusableFrame:
    """Pilot to guard: why the newest frame, which came in time, cannot be driven by, as one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class CameraAbsent:
    """Pilot to guard, after each attempt to open the camera: why there is none, as one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class CommsReady:
    """Comms to guard: the outbox is open and the link is trying."""


@dataclass(frozen=True, slots=True)
class ThrottleLimit:
    """Comms to guard, from the phone that holds the car: the throttle limit from now on, in per cent, 0 to 100."""

    percent: int


@dataclass(frozen=True, slots=True)
class ReloadModel:
    """Comms to guard: another model is selected: restart the pilot. Ignored while armed."""


PHONE_RUN_ID = "phone"  # the run id of leases and orders from the phone page: free practice

CalibrationAction = Literal["begin", "try", "show", "keep", "yes", "no", "back", "neutral", "cancel", "saved"]


@dataclass(frozen=True, slots=True)
class CalibrationCommand:
    """Comms to guard, from the calibrating phone: what to do next; `saved` is sent once the file is written."""

    action: CalibrationAction
    width_us: int = 0


@dataclass(frozen=True, slots=True)
class CalibrationStatus:
    """Guard to comms, at each change: how the calibration from the phone stands. `step` counts from 0 to `steps`."""

    is_open: bool
    message: str = ""
    step: int = 0
    steps: int = 0
    question: str = ""
    is_question: bool = False
    width_us: int = 0
    step_us: int = 1  # the smallest change of a width that the motors can tell from none
    is_pulsing: bool = False
    found: Calibration | None = None


@dataclass(frozen=True, slots=True)
class ModeNotice:
    """Guard to pilot: the mode changed."""

    mode: CarMode


@dataclass(frozen=True, slots=True)
class ControlTrace:
    """Guard to comms, at each new setpoint and each change of the pulses: setpoint, limited action and pulses.

    A pulse of 0 ns is none: the outputs are cut.
    """

    at_ns: int
    mode: CarMode
    frame_seq: int
    frame_at_ns: int
    setpoint_steering: float
    setpoint_throttle: float
    steering: float
    throttle: float
    steering_ns: int
    throttle_ns: int


@dataclass(frozen=True, slots=True)
class LoopTelemetry:
    """Guard to comms, 2 Hz: what telemetry is made of; each list holds the samples since the last one."""

    frames: int
    dropped: int
    repeated: int
    late_ticks: int
    frame_ages_us: tuple[int, ...]
    policy_us: tuple[int, ...]
    steering: float
    throttle: float
    preprocess_us: tuple[int, ...] = ()
    rest_us: tuple[int, ...] = ()
    capture_us: tuple[int, ...] = ()
    act_us: tuple[int, ...] = ()
    precision: str = ""
    realtime: str = ""
