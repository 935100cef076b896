"""Which waiting connection is served next: officials first, a share for urgent ones, and addresses in turn."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.accepting.accept_queue import AcceptQueue, FairQueue
from shared.web.connection_limits import WebConnection

A_TURN = 8
STRANGER, OTHER, OFFICIAL = "203.0.113.9", "203.0.113.10", "192.168.1.20"


def add(
    queue: AcceptQueue, count: int, address: str, *, official: bool = False, urgent: bool = False
) -> list[WebConnection]:
    made = [WebConnection(address, official, float(number)) for number in range(count)]
    for connection in made:
        queue.add(connection, urgent=urgent)
    return made


@pytest.mark.parametrize("urgent", [True, False])
@pytest.mark.parametrize("max_count", [1, A_TURN])
def test_what_an_official_sends_is_heard_before_5000_stops_of_strangers(urgent: bool, max_count: int) -> None:
    queue = AcceptQueue()
    add(queue, 5000, STRANGER, urgent=True)
    (official,) = add(queue, 1, OFFICIAL, official=True, urgent=urgent)
    add(queue, 5000, STRANGER, urgent=True)
    popped = queue.pop(max_count)
    assert popped[0] is official
    assert len(popped) <= max_count + 2


def test_an_officials_stop_is_heard_before_his_pages() -> None:
    queue = AcceptQueue()
    add(queue, 100, OFFICIAL, official=True)
    (stop,) = add(queue, 1, OFFICIAL, official=True, urgent=True)
    add(queue, 100, OFFICIAL, official=True)
    assert queue.pop(1)[0] is stop


@pytest.mark.parametrize("max_count", [1, A_TURN])
def test_who_is_not_known_and_presses_stop_is_heard_in_the_first_turn(max_count: int) -> None:
    """Whatever others ask for; on a machine that knows no officials, such as the car, this is the usual case."""
    queue = AcceptQueue()
    add(queue, 5000, STRANGER)
    add(queue, 5000, OFFICIAL, official=True)
    (stop,) = add(queue, 1, OTHER, urgent=True)
    assert stop in queue.pop(max_count)


@pytest.mark.parametrize("max_count", [1, A_TURN])
def test_thousands_of_stops_from_one_address_keep_no_other_stop(max_count: int) -> None:
    queue = AcceptQueue()
    add(queue, 5000, STRANGER, urgent=True)
    (stop,) = add(queue, 1, OTHER, urgent=True)
    add(queue, 5000, STRANGER, urgent=True)
    assert stop in queue.pop(max_count) + queue.pop(max_count)


@pytest.mark.parametrize("max_count", [1, A_TURN])
def test_thousands_of_stops_keep_no_spectator(max_count: int) -> None:
    """Stops from a thousand addresses, and an official who sends many requests."""
    queue = AcceptQueue()
    for number in range(1000):
        add(queue, 5, f"10.0.{number // 250}.{number % 250}", urgent=True)
    add(queue, 1000, OFFICIAL, official=True)
    (spectator,) = add(queue, 1, OTHER)
    assert spectator in queue.pop(max_count)


def test_strangers_stops_take_at_most_half_of_a_turn() -> None:
    queue = AcceptQueue()
    stops = set(add(queue, 5000, STRANGER, urgent=True))
    pages = set(add(queue, 5000, STRANGER))
    popped = queue.pop(A_TURN)
    assert (len(stops.intersection(popped)), len(pages.intersection(popped))) == (A_TURN // 2, A_TURN // 2)


def test_of_one_address_the_newest_is_heard_first() -> None:
    queue = FairQueue()
    made = [WebConnection(STRANGER, False, float(number)) for number in range(3)]
    for connection in made:
        queue.add(connection)
    assert queue.pop(2) == [made[2], made[1]]
    assert queue.pop(2) == [made[0]]


def test_whoever_has_gone_is_not_kept() -> None:
    """However many leave before their turn, and however often they are discarded."""
    queue = AcceptQueue()
    for official in (True, False):
        for urgent in (True, False):
            for connection in add(queue, 100, STRANGER, official=official, urgent=urgent):
                queue.discard(connection)
                queue.discard(connection)
    assert not queue
    assert queue.pop(A_TURN) == []


Arrival = tuple[str, bool, bool]  # address, official, urgent
ARRIVAL = st.tuples(st.sampled_from("abcde"), st.booleans(), st.booleans())


@given(steps=st.lists(st.one_of(ARRIVAL, st.integers(1, 9), st.just("one goes")), max_size=60))
def test_nobody_is_lost_or_heard_twice_and_no_kind_is_kept_waiting(steps: list[Arrival | int | str]) -> None:
    queue, waiting = AcceptQueue(), dict[WebConnection, bool]()
    for step in steps:
        if isinstance(step, tuple):
            connection = WebConnection(step[0], step[1], 0.0)
            queue.add(connection, urgent=step[2])
            waiting[connection] = step[2]
        elif isinstance(step, str):
            if waiting:
                queue.discard(waiting.popitem()[0])
        else:
            before = kinds(waiting)
            popped = queue.pop(step)
            assert len(popped) == len(set(popped)) <= step + 2
            assert set(popped) <= set(waiting)
            urgent_first = sorted(popped, key=lambda connection: (not connection.official, not waiting[connection]))
            assert popped == urgent_first
            after = kinds({connection: waiting[connection] for connection in popped})
            assert all(after[kind] for kind in before if kind[0] is False)
            assert sum(after.values()) >= min(step // 2, sum(before.values()))
            assert after[True, True] == min(step, before[True, True])
            for connection in popped:
                del waiting[connection]
        assert bool(queue) == bool(waiting)
    assert set(queue.pop(1000)) == set(waiting)


def kinds(waiting: dict[WebConnection, bool]) -> Counter[tuple[bool, bool]]:
    """Count the waiting connections by (official, urgent)."""
    return Counter((connection.official, urgent) for connection, urgent in waiting.items())


@given(st.lists(st.sampled_from("abcde"), max_size=60), st.integers(1, 9))
def test_addresses_take_turns(addresses: list[str], max_count: int) -> None:
    """While an address has connections waiting, no other is served two times more often."""
    queue, left = FairQueue(), Counter(addresses)
    for address in addresses:
        queue.add(WebConnection(address, False, 0.0))
    served = Counter[str]()
    while queue:
        for connection in queue.pop(max_count):
            served[connection.address] += 1
        still = [address for address in left if served[address] < left[address]]
        assert all(served[other] <= served[address] + 1 for address in still for other in served)
    assert served == left
