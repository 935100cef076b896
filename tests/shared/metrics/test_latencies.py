"""Latencies are counted in the cumulative buckets of Prometheus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.metrics.latencies import BUCKETS_S, Latencies


def test_each_bucket_holds_those_of_the_lower_ones() -> None:
    latencies = Latencies((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 2.0):
        latencies.observe(seconds)
    counts = latencies.counts()
    assert counts.buckets == (("0.1", 2), ("1.0", 3), ("+Inf", 4))
    assert counts.sum_s == pytest.approx(2.65)


@given(st.lists(st.floats(0, 100), max_size=50))
def test_the_last_bucket_counts_all_and_none_is_below_the_one_before(seconds: list[float]) -> None:
    latencies = Latencies()
    for each in seconds:
        latencies.observe(each)
    found = [count for _limit, count in latencies.counts().buckets]
    assert found == sorted(found)
    assert found[-1] == len(seconds)
    assert len(found) == len(BUCKETS_S) + 1
