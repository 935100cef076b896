"""Turns the guard's samples into percentiles, for the telemetry message and the phone page."""

from collections.abc import Sequence

from shared.protocol.messages import CarTelemetry
from vehicle.core.messages import LoopTelemetry


def telemetry(figures: LoopTelemetry) -> CarTelemetry:
    """The telemetry message with the median and the 99th percentile of each list."""
    return CarTelemetry(
        frames=figures.frames,
        dropped=figures.dropped,
        repeated=figures.repeated,
        late_ticks=figures.late_ticks,
        frame_age_p50_us=percentile(figures.frame_ages_us, 50),
        frame_age_p99_us=percentile(figures.frame_ages_us, 99),
        policy_p50_us=percentile(figures.policy_us, 50),
        policy_p99_us=percentile(figures.policy_us, 99),
        steering=figures.steering,
        throttle=figures.throttle,
        preprocess_p50_us=percentile(figures.preprocess_us, 50),
        preprocess_p99_us=percentile(figures.preprocess_us, 99),
        rest_p50_us=percentile(figures.rest_us, 50),
        rest_p99_us=percentile(figures.rest_us, 99),
        capture_p50_us=percentile(figures.capture_us, 50),
        capture_p99_us=percentile(figures.capture_us, 99),
        act_p50_us=percentile(figures.act_us, 50),
        act_p99_us=percentile(figures.act_us, 99),
        precision=figures.precision,
        realtime=figures.realtime,
    )


def percentile(values: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile of `values`; 0 if there are none."""
    if not values:
        return 0
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]
