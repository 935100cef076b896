"""The guard's lists as percentiles: what goes to the broker twice a second, and what the phone shows."""

from collections.abc import Sequence

from shared.protocol.messages import CarTelemetry
from vehicle.core.messages import LoopTelemetry


def telemetry(figures: LoopTelemetry) -> CarTelemetry:
    """The guard's lists as percentiles."""
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
    """The nearest-rank percentile; 0 of nothing."""
    if not values:
        return 0
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]
