"""The guard's lists as percentiles, by nearest rank, each stage under its own name."""

import pytest

from vehicle.core.messages import LoopTelemetry
from vehicle.core.telemetry import percentile, telemetry


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [((), 50, 0), ((7,), 50, 7), ((7,), 99, 7), ((3, 1, 2), 50, 2), (tuple(range(1, 101)), 99, 99)],
)
def test_percentiles_by_nearest_rank(values: tuple[int, ...], percent: int, expected: int) -> None:
    assert percentile(values, percent) == expected


def test_telemetry_of_nothing_is_zero() -> None:
    assert telemetry(LoopTelemetry(0, 0, 0, 0, (), (), 0.0, 0.0)).frame_age_p99_us == 0


def test_each_stage_is_distinguished() -> None:
    ages, policy, shrink, rest, capture, act = ((n, n, n + 1) for n in (60, 30, 5, 25, 15, 10))
    figures = LoopTelemetry(9, 2, 1, 4, ages, policy, 0.5, 0.25, shrink, rest, capture, act, "int8", "guard")
    sent = telemetry(figures)
    assert (sent.frame_age_p50_us, sent.frame_age_p99_us) == (60, 61)
    assert (sent.capture_p50_us, sent.preprocess_p50_us, sent.policy_p50_us, sent.act_p50_us) == (15, 5, 30, 10)
    assert (sent.capture_p99_us, sent.preprocess_p99_us, sent.policy_p99_us, sent.act_p99_us) == (16, 6, 31, 11)
    assert (sent.rest_p50_us, sent.frames, sent.dropped, sent.repeated, sent.late_ticks) == (25, 9, 2, 1, 4)
    assert (sent.precision, sent.realtime) == ("int8", "guard")
