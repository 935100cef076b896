"""How old the newest frame and the lease may be: the throttle holds, then ramps to neutral, then the car trips.

Up to `hold_periods` frame periods the setpoint holds as it is; from there the throttle ramps down and is neutral at
`trip_periods`; beyond, the car trips. A repeated frame has its first stamp, so it ages like a missing one.
"""

from dataclasses import dataclass

from shared.config import setting
from shared.errors import ConfigError
from shared.text import joined, text
from shared.units import NS_PER_MS


@dataclass(frozen=True, slots=True)
class SafetyOptions:
    """The `[safety]` table: all times but `hang_ms` are of the car's clock, which a simulation may speed up."""

    frame_period_ms: float = setting(66.667, min=5.0, max=1000.0, what="one over the camera's rate")
    hold_periods: float = setting(2.0, min=1.0, max=20.0, what="frame periods for which a setpoint holds")
    trip_periods: float = setting(5.0, min=1.5, max=40.0, what="frame periods after which the car trips")
    arm_frames: int = setting(5, min=1, max=100, what="fresh frames in a row that arming needs")
    max_lease_ms: int = setting(5_000, min=100, max=60_000, what="no lease counts for longer")
    max_ttl_ms: int = setting(10_000, min=100, max=120_000, what="no order counts for longer")
    tick_hz: float = setting(60.0, min=10.0, max=500.0, what="how often the guard decides, at least")
    hang_ms: int = setting(
        250, min=50, max=5_000, what="if the guard is silent for this long (real time), the motors are set to neutral"
    )
    realtime: bool = setting(True, what="ask the kernel for real-time priority")

    def __post_init__(self) -> None:
        if self.trip_periods <= self.hold_periods:
            raise ConfigError("`safety.trip_periods` must be above `safety.hold_periods`.")

    @property
    def hold_ns(self) -> int:
        """The age up to which a frame counts as fresh."""
        return round(self.hold_periods * self.frame_period_ms * NS_PER_MS)

    @property
    def trip_ns(self) -> int:
        """The age beyond which the car may not stay armed."""
        return round(self.trip_periods * self.frame_period_ms * NS_PER_MS)


def throttle_left(frame_age_ns: int, safety: SafetyOptions) -> float:
    """The share of the setpoint's throttle that a frame of this age still carries, 1 to 0."""
    ramp_ns = safety.trip_ns - safety.hold_ns
    return min(1.0, max(0.0, (safety.trip_ns - frame_age_ns) / ramp_ns))


def trip_reason(
    frame_age_ns: int, lease_left_ns: int, safety: SafetyOptions, unusable: str = "", *, practice: bool = False
) -> str:
    """Why the car may not stay armed, as a sentence; '' when it may.

    `unusable`: what is wrong with newer frames; `practice`: the lease was a phone's.
    """
    if lease_left_ns <= 0:
        if practice:
            return text("The phone's lease ran out: its page was closed, hidden or out of reach.")
        return text("The station's lease ran out: it was not renewed in time.")
    if frame_age_ns > safety.trip_ns:
        sentence = text(
            "The newest frame is {age_ms} ms old; the limit is {limit_ms} ms.",
            age_ms=frame_age_ns // NS_PER_MS,
            limit_ms=safety.trip_ns // NS_PER_MS,
        )
        return joined(filter(None, (sentence, unusable)))
    return ""
