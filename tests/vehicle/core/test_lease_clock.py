"""The lease as the car counts it: only the newest answer counts, in whatever order answers arrive."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol import messages as m
from shared.units import NS_PER_MS
from vehicle.core.lease_clock import MAX_HEARTBEATS, LeaseClock

BOOT = "boot-1"


def lease(heartbeat: int, grant: m.Grant = "drive", lease_ms: int = 500, boot: str = BOOT) -> m.Lease:
    return m.Lease(boot, heartbeat, grant, "run-1", lease_ms)


def clock_with(heartbeats: int) -> tuple[LeaseClock, list[int]]:
    """A clock that sent heartbeats every 100 ms, and their numbers."""
    clock = LeaseClock(BOOT, max_lease_ms=1000, max_ttl_ms=1000)
    return clock, [clock.next_heartbeat(number * 100 * NS_PER_MS) for number in range(1, heartbeats + 1)]


def test_a_grant_that_was_overtaken_by_a_withdrawal_leases_nothing() -> None:
    clock, (first, second) = clock_with(2)
    assert clock.on_lease(lease(second, "none")) == "withdrawn"
    assert clock.on_lease(lease(first)) == "stale"
    assert not clock.is_leased
    assert clock.left_ns(0) == 0


@pytest.mark.parametrize(
    "late",
    [lease(1, boot="boot-0"), lease(10**9), lease(0)],
    ids=["of another boot", "of a heartbeat that was never sent", "of none"],
)
def test_what_answers_no_heartbeat_of_this_boot_leases_nothing(late: m.Lease) -> None:
    clock, _ = clock_with(3)
    assert clock.on_lease(late) == "stale"
    assert not clock.is_leased


def test_a_lease_counts_from_its_heartbeat_and_never_longer_than_the_car_allows() -> None:
    clock, (first,) = clock_with(1)
    clock.on_lease(lease(first, lease_ms=500))
    assert clock.left_ns(100 * NS_PER_MS) == 500 * NS_PER_MS
    clock.on_lease(lease(first, lease_ms=60_000))
    assert clock.left_ns(100 * NS_PER_MS) == 1000 * NS_PER_MS


@given(st.data())
def test_in_whatever_order_answers_arrive_the_newest_that_came_decides(data: st.DataObject) -> None:
    clock, numbers = clock_with(MAX_HEARTBEATS)
    answers = [lease(number, data.draw(st.sampled_from(["drive", "none"]))) for number in numbers[:8]]
    order = data.draw(st.lists(st.sampled_from(answers), max_size=20))
    newest: m.Lease | None = None
    for answer in order:
        clock.on_lease(dataclasses.replace(answer))
        newest = answer if newest is None or answer.heartbeat >= newest.heartbeat else newest
        assert clock.is_leased == (newest.grant == "drive")
        if newest.grant == "drive":
            sent_ns = (numbers.index(newest.heartbeat) + 1) * 100 * NS_PER_MS
            assert clock.left_ns(0) == sent_ns + 500 * NS_PER_MS
