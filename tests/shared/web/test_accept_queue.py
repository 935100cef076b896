"""Who is heard next at a web server's door: officials first, a place for the urgent, and addresses in turn."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.accept_queue import AcceptQueue, FairQueue
from shared.web.connection_limits import WebConnection

A_TURN = 8
STRANGER, OTHER, OFFICIAL = "203.0.113.9", "203.0.113.10", "192.168.1.20"


def came(
    queue: AcceptQueue, count: int, address: str, *, official: bool = False, urgent: bool = False
) -> list[WebConnection]:
    made = [WebConnection(address, official, float(number)) for number in range(count)]
    for connection in made:
        queue.add(connection, urgent=urgent)
    return made


@pytest.mark.parametrize("urgent", [True, False])
@pytest.mark.parametrize("most", [1, A_TURN])
def test_what_an_official_sends_is_heard_before_5000_stops_of_strangers(urgent: bool, most: int) -> None:
    queue = AcceptQueue()
    came(queue, 5000, STRANGER, urgent=True)
    (official,) = came(queue, 1, OFFICIAL, official=True, urgent=urgent)
    came(queue, 5000, STRANGER, urgent=True)
    heard = queue.pop(most)
    assert heard[0] is official
    assert len(heard) <= most + 2


def test_an_officials_stop_is_heard_before_his_pages() -> None:
    queue = AcceptQueue()
    came(queue, 100, OFFICIAL, official=True)
    (stop,) = came(queue, 1, OFFICIAL, official=True, urgent=True)
    came(queue, 100, OFFICIAL, official=True)
    assert queue.pop(1)[0] is stop


@pytest.mark.parametrize("most", [1, A_TURN])
def test_who_is_not_known_and_presses_stop_is_heard_in_the_first_turn(most: int) -> None:
    """Whatever others ask for; a machine that knows no officials, as the car, hears him so always."""
    queue = AcceptQueue()
    came(queue, 5000, STRANGER)
    came(queue, 5000, OFFICIAL, official=True)
    (stop,) = came(queue, 1, OTHER, urgent=True)
    assert stop in queue.pop(most)


@pytest.mark.parametrize("most", [1, A_TURN])
def test_thousands_of_stops_from_one_address_keep_no_other_stop(most: int) -> None:
    queue = AcceptQueue()
    came(queue, 5000, STRANGER, urgent=True)
    (stop,) = came(queue, 1, OTHER, urgent=True)
    came(queue, 5000, STRANGER, urgent=True)
    assert stop in queue.pop(most) + queue.pop(most)


@pytest.mark.parametrize("most", [1, A_TURN])
def test_thousands_of_stops_keep_no_spectator(most: int) -> None:
    """From a thousand addresses, and with an official who asks much."""
    queue = AcceptQueue()
    for number in range(1000):
        came(queue, 5, f"10.0.{number // 250}.{number % 250}", urgent=True)
    came(queue, 1000, OFFICIAL, official=True)
    (spectator,) = came(queue, 1, OTHER)
    assert spectator in queue.pop(most)


def test_strangers_stops_take_at_most_half_of_a_turn() -> None:
    queue = AcceptQueue()
    stops = set(came(queue, 5000, STRANGER, urgent=True))
    pages = set(came(queue, 5000, STRANGER))
    heard = queue.pop(A_TURN)
    assert (len(stops.intersection(heard)), len(pages.intersection(heard))) == (A_TURN // 2, A_TURN // 2)


def test_of_one_address_the_newest_is_heard_first() -> None:
    queue = FairQueue()
    made = [WebConnection(STRANGER, False, float(number)) for number in range(3)]
    for connection in made:
        queue.add(connection)
    assert queue.pop(2) == [made[2], made[1]]
    assert queue.pop(2) == [made[0]]


def test_whoever_has_gone_is_not_kept() -> None:
    """However many come and go before they are heard, and however often they are said to have gone."""
    queue = AcceptQueue()
    for official in (True, False):
        for urgent in (True, False):
            for connection in came(queue, 100, STRANGER, official=official, urgent=urgent):
                queue.discard(connection)
                queue.discard(connection)
    assert not queue
    assert queue.pop(A_TURN) == []


Coming = tuple[str, bool, bool]  # address, official, urgent
COMING = st.tuples(st.sampled_from("abcde"), st.booleans(), st.booleans())


@given(steps=st.lists(st.one_of(COMING, st.integers(1, 9), st.just("one goes")), max_size=60))
def test_nobody_is_lost_or_heard_twice_and_no_kind_is_kept_waiting(steps: list[Coming | int | str]) -> None:
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
            heard = queue.pop(step)
            assert len(heard) == len(set(heard)) <= step + 2
            assert set(heard) <= set(waiting)
            urgent_first = sorted(heard, key=lambda connection: (not connection.official, not waiting[connection]))
            assert heard == urgent_first
            after = kinds({connection: waiting[connection] for connection in heard})
            assert all(after[kind] for kind in before if kind[0] is False)
            assert sum(after.values()) >= min(step // 2, sum(before.values()))
            assert after[True, True] == min(step, before[True, True])
            for connection in heard:
                del waiting[connection]
        assert bool(queue) == bool(waiting)
    assert set(queue.pop(1000)) == set(waiting)


def kinds(waiting: dict[WebConnection, bool]) -> Counter[tuple[bool, bool]]:
    """How many of each: official or not, urgent or not."""
    return Counter((connection.official, urgent) for connection, urgent in waiting.items())


@given(st.lists(st.sampled_from("abcde"), max_size=60), st.integers(1, 9))
def test_addresses_take_turns(addresses: list[str], most: int) -> None:
    """While an address has somebody waiting, no other is heard twice more often than it."""
    queue, left = FairQueue(), Counter(addresses)
    for address in addresses:
        queue.add(WebConnection(address, False, 0.0))
    heard = Counter[str]()
    while queue:
        for connection in queue.pop(most):
            heard[connection.address] += 1
        still = [address for address in left if heard[address] < left[address]]
        assert all(heard[other] <= heard[address] + 1 for address in still for other in heard)
    assert heard == left
