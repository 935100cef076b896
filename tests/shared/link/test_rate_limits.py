"""How much one machine may send: its rates, its bursts, and what its flood costs others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.link.inflow.rate_limits import (
    LAPS_BURST,
    LAPS_PER_S,
    MAX_SENDERS,
    MESSAGES_BURST,
    MESSAGES_PER_S,
    RateLimits,
    TokenBucket,
)


def topic(kind: str, car: str = "car-1") -> bytes:
    return f"raceday/cars/{car}/{kind}".encode()


def admitted(limits: RateLimits, sent_topic: bytes, per_s: float, seconds: float, from_s: float = 0.0) -> int:
    times = [from_s + number / per_s for number in range(round(per_s * seconds))]
    return sum(limits.admits(sent_topic, 200, now_s) for now_s in times)


@given(st.floats(0.1, 100), st.floats(1, 100), st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_a_bucket_never_gives_more_than_its_rate_and_one_burst(per_s: float, burst: float, waits: list[float]) -> None:
    bucket, now_s, taken = TokenBucket(per_s, burst, 0.0), 0.0, 0
    for wait_s in waits:
        now_s += wait_s
        taken += bucket.take(now_s)
    assert taken <= burst + per_s * now_s + 1e-6


@pytest.mark.parametrize(
    ("kind", "per_s", "burst"),
    [
        ("heartbeat", MESSAGES_PER_S, MESSAGES_BURST),
        ("state", MESSAGES_PER_S, MESSAGES_BURST),
        ("telemetry", MESSAGES_PER_S, MESSAGES_BURST),
        ("lap", LAPS_PER_S, LAPS_BURST),
    ],
)
def test_a_flood_gets_its_rate_and_one_burst(kind: str, per_s: float, burst: float) -> None:
    assert admitted(RateLimits(), topic(kind), 20_000, 4) == pytest.approx(4 * per_s + burst, abs=1)


def test_our_own_car_is_never_dropped() -> None:
    """Ten heartbeats, two telemetries and a state a second for ten minutes, and a lap every two seconds."""
    limits = RateLimits()
    for tick in range(6_000):
        now_s = tick / 10
        assert limits.admits(topic("heartbeat"), 200, now_s)
        if tick % 5 == 0:
            assert limits.admits(topic("telemetry"), 300, now_s)
        if tick % 10 == 0:
            assert limits.admits(topic("state"), 300, now_s)
        if tick % 20 == 0:
            assert limits.admits(topic("lap"), 300, now_s)
    assert limits.floods(600.0) == ()


def test_seven_seconds_of_a_car_may_arrive_at_once_after_a_stall() -> None:
    limits = RateLimits()
    assert all(limits.admits(topic("heartbeat"), 200, 10.0) for _ in range(7 * 13))


def test_a_flood_of_laps_leaves_the_cars_own_heartbeats() -> None:
    limits, kept = RateLimits(), 0
    for number in range(20_000):
        now_s = number / 1_000
        limits.admits(topic("lap"), 400, now_s)
        if number % 100 == 0:
            kept += limits.admits(topic("heartbeat"), 200, now_s)
    assert kept == 200


def test_a_flood_takes_nothing_from_another_car() -> None:
    limits = RateLimits()
    for number in range(20_000):
        limits.admits(topic("heartbeat", "evil"), 200, number / 20_000)
        if number % 2_000 == 0:
            assert limits.admits(topic("heartbeat"), 200, number / 20_000)


def test_a_message_of_more_than_16_kb_is_dropped() -> None:
    limits = RateLimits()
    assert limits.admits(topic("state"), 16_384, 0.0)
    assert not limits.admits(topic("state"), 17_000, 0.0)


def test_what_was_dropped_is_told_for_a_while() -> None:
    limits = RateLimits()
    admitted(limits, topic("heartbeat", "evil"), 1_000, 3)
    (flood,) = limits.floods(3.0)
    assert (flood.sender, flood.per_s) == ("evil", 950)
    assert flood.total == pytest.approx(3_000 - (3 * 50 + 100), abs=1)
    assert limits.floods(7.9)[0].per_s == 0
    assert limits.floods(8.1) == ()


def test_names_that_nobody_has_fill_no_table() -> None:
    """20,000 invented names a second: known cars go on, and the table keeps its size."""
    limits = RateLimits()
    for number in range(100_000):
        now_s = number / 20_000
        limits.admits(topic("heartbeat", f"e{number}"), 200, now_s)
        if number % 2_000 == 0:
            assert limits.admits(topic("heartbeat"), 200, now_s)
    assert len(limits._senders) <= MAX_SENDERS
    assert len(limits._by_topic) <= 4 * MAX_SENDERS
    assert {each.sender for each in limits.floods(5.0)} == {""}


@pytest.mark.parametrize(
    "other", [b"", b"raceday", b"raceday/cars/x/y", b"raceday/cars/CAR/lap", b"\xff\xfe", b"a/lap"]
)
def test_topics_of_nobody_share_one_rate(other: bytes) -> None:
    limits = RateLimits()
    assert admitted(limits, b"raceday/cars/x/z", 20_000, 1) + admitted(limits, other, 20_000, 1, 1.0) <= 202
    assert len(limits._by_topic) == 0


def test_a_fast_clock_has_a_fast_rate() -> None:
    assert admitted(RateLimits(10.0), topic("lap"), 20_000, 1) == pytest.approx(10 * (LAPS_PER_S + LAPS_BURST), abs=1)
