"""What the guard counts for telemetry: frame ages at the motors, policy times, late ticks. Bounded."""

from collections import deque

from shared.protocol.messages import CarMode
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.messages import ControlTrace, FrameCounts, LoopTelemetry, PilotReady, Setpoint
from vehicle.core.pulses import Pulses

_MAX_SAMPLES = 256
# (guard, pilot): which of the two have real-time priority
_REALTIME = {(True, True): "guard, pilot", (True, False): "guard", (False, True): "pilot", (False, False): "no"}


class LoopStats:
    """Samples since the last `take_telemetry` (at most 256 each), and counts since the start."""

    def __init__(self) -> None:
        self.setpoint: Setpoint | None = None
        self.frame_counts = FrameCounts()
        self.action: Action = NEUTRAL
        self._late_ticks = 0
        self._pulses: Pulses | None = None
        self._ages_us: deque[int] = deque(maxlen=_MAX_SAMPLES)
        self._policy_us: deque[int] = deque(maxlen=_MAX_SAMPLES)
        self._preprocess_us: deque[int] = deque(maxlen=_MAX_SAMPLES)
        self._capture_us: deque[int] = deque(maxlen=_MAX_SAMPLES)
        self._rest_us: deque[int] = deque(maxlen=_MAX_SAMPLES)
        self._act_us: deque[int] = deque(maxlen=_MAX_SAMPLES)

    def count_tick(self, late_s: float, tick_s: float) -> None:
        """Count a tick that came `late_s` after its deadline as late if that is more than half of `tick_s`."""
        self._late_ticks += late_s > tick_s / 2

    def count_applied(self, now_ns: int) -> None:
        """Record the frame age: the newest setpoint has just reached the motors."""
        if (setpoint := self.setpoint) is not None:
            age_us = (now_ns - setpoint.frame_at_ns) // 1000
            rest_us = max(0, age_us - setpoint.policy_us - setpoint.preprocess_us)
            self._ages_us.append(age_us)
            self._policy_us.append(setpoint.policy_us)
            self._preprocess_us.append(setpoint.preprocess_us)
            self._capture_us.append(setpoint.capture_us)
            self._rest_us.append(rest_us)
            self._act_us.append(max(0, rest_us - setpoint.capture_us))

    def trace(
        self, now_ns: int, mode: CarMode, action: Action, pulses: Pulses | None, *, fresh: bool
    ) -> ControlTrace | None:
        """The trace for the recorder; None if neither setpoint nor pulses are new, or if there are no pulses."""
        changed, self._pulses = pulses != self._pulses, pulses
        if self.setpoint is None or pulses is None or not (fresh or changed):
            return None
        setpoint = self.setpoint
        return ControlTrace(
            now_ns,
            mode,
            setpoint.frame_seq,
            setpoint.frame_at_ns,
            setpoint.steering,
            setpoint.throttle,
            action.steering,
            action.throttle,
            pulses.steering_ns,
            pulses.throttle_ns,
        )

    def take_telemetry(self, model: PilotReady, *, guard_is_realtime: bool) -> LoopTelemetry:
        """The telemetry since the last call; the samples are cleared."""
        figures = LoopTelemetry(
            frames=self.frame_counts.frames,
            dropped=self.frame_counts.dropped,
            repeated=self.frame_counts.repeated,
            late_ticks=self._late_ticks,
            frame_ages_us=tuple(self._ages_us),
            policy_us=tuple(self._policy_us),
            preprocess_us=tuple(self._preprocess_us),
            rest_us=tuple(self._rest_us),
            capture_us=tuple(self._capture_us),
            act_us=tuple(self._act_us),
            precision=model.precision,
            realtime=_REALTIME[guard_is_realtime, model.realtime],
            steering=self.action.steering,
            throttle=self.action.throttle,
        )
        lists = (self._ages_us, self._policy_us, self._preprocess_us, self._rest_us, self._capture_us, self._act_us)
        for samples in lists:
            samples.clear()
        return figures
