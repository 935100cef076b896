"""Which connections are kept: whoever comes with a question gets in, whoever asks nothing goes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.connection_limits import LOOPBACK, ConnectionLimits, ConnectionTable, Stage, WebConnection

ROOM = ConnectionLimits(connections=100, officials=20, idle_each=10)


def crowded(
    crowd: ConnectionTable, address: str, count: int, stage: Stage = "waiting", official: bool = False
) -> list[WebConnection]:
    made = []
    for number in range(count):
        guest = WebConnection(address, official, float(number))
        crowd.enter(guest)
        guest.turn(stage, float(number))
        made.append(guest)
    return made


def inside(crowd: ConnectionTable) -> set[WebConnection]:
    return {guest for there in crowd.parties.values() for guest in there}


@pytest.mark.parametrize("stage", ["waiting", "sending"])
def test_a_stranger_has_so_many_idle_ones_and_the_oldest_goes(stage: Stage) -> None:
    crowd = ConnectionTable(ROOM)
    made = crowded(crowd, "203.0.113.9", 5000, stage)
    assert inside(crowd) == set(made[-10:])


@pytest.mark.parametrize("stage", ["waiting", "sending", "queued", "served"])
@pytest.mark.parametrize("address", ["203.0.113.9", *LOOPBACK])
def test_an_official_always_gets_in_and_stays(stage: Stage, address: str) -> None:
    crowd = ConnectionTable(ROOM)
    for number in range(5000):
        guest = WebConnection(
            address if stage != "served" else f"10.0.{number // 250}.{number % 250}", False, float(number)
        )
        crowd.enter(guest)
        guest.turn(stage, float(number))
    official = WebConnection("192.168.1.20", True, 9e9)
    assert official not in crowd.enter(official)
    assert official in inside(crowd)
    assert len(crowd) <= ROOM.connections


@pytest.mark.parametrize("address", ["203.0.113.9", *LOOPBACK])
@pytest.mark.parametrize("stage", ["waiting", "sending", "queued"])
def test_even_from_the_strangers_own_address(address: str, stage: Stage) -> None:
    """Behind one access point all have one address; the next thousand sockets are no reason to lose this one."""
    crowd = ConnectionTable(ROOM)
    crowded(crowd, address, 5000, stage, official=True)
    asking = WebConnection(address, True, 6000.0)
    assert asking not in crowd.enter(asking)
    asking.turn("served", 6000.001)
    later = crowded(crowd, address, 5000, stage, official=True)
    assert asking in inside(crowd)
    assert later[-1] in inside(crowd)


def test_the_public_leaves_the_officials_places_free() -> None:
    crowd = ConnectionTable(ROOM)
    for number in range(300):
        crowded(crowd, f"10.0.0.{number}", 1, "served")
    assert (crowd.others, crowd.officials) == (80, 0)
    crowded(crowd, "192.168.1.20", 20, "served", official=True)
    assert (crowd.others, crowd.officials) == (80, 20)


def test_whoever_holds_most_makes_place_for_others() -> None:
    """Two hundred unread streams of one stranger are no reason to send a spectator away."""
    crowd = ConnectionTable(ROOM)
    hog = crowded(crowd, "203.0.113.9", 200, "served")
    assert crowd.others == 80
    spectator = WebConnection("10.0.0.1", False, 500.0)
    gone = crowd.enter(spectator)
    assert len(gone) == 1
    assert gone[0] in hog


def test_equals_do_not_throw_each_other_out() -> None:
    crowd = ConnectionTable(ROOM)
    phones = [crowded(crowd, f"10.0.0.{number}", 1, "served")[0] for number in range(80)]
    late = WebConnection("10.0.1.1", False, 500.0)
    assert crowd.enter(late) == [late]
    assert inside(crowd) == set(phones)


@pytest.mark.parametrize(
    ("stage", "age_s", "late"),
    [
        ("waiting", 4.9, False),
        ("waiting", 5.1, True),
        ("resting", 9.9, False),
        ("resting", 10.1, True),
        ("sending", 14.9, False),
        ("sending", 15.1, True),
        ("queued", 86_400.0, False),
        ("served", 86_400.0, False),
    ],
)
def test_each_stage_has_its_deadline(stage: Stage, age_s: float, late: bool) -> None:
    crowd = ConnectionTable(ROOM)
    guest = WebConnection("10.0.0.1", False, 0.0, stage=stage)
    crowd.enter(guest)
    assert crowd.overdue(age_s) == ([guest] if late else [])


def test_who_does_not_read_what_we_send_is_late() -> None:
    crowd = ConnectionTable(ROOM)
    guest = WebConnection("10.0.0.1", False, 0.0, stage="served", stuck_since_s=100.0)
    crowd.enter(guest)
    assert crowd.overdue(109.9) == []
    assert crowd.overdue(110.1) == [guest]


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.booleans(),
        st.sampled_from(["waiting", "sending", "queued", "resting", "served", "leave"]),
    ),
    max_size=200,
)


@given(EVENTS)
def test_the_counts_are_right_and_the_room_is_never_exceeded(
    events: list[tuple[int, bool, Any]],
) -> None:
    room = ConnectionLimits(connections=12, officials=4, idle_each=3)
    crowd, now_s = ConnectionTable(room), 0.0
    for address, official, stage in events:
        now_s += 1.0
        guest = WebConnection(LOOPBACK[0] if address == 0 else f"10.0.0.{address}", official, now_s)
        gone = crowd.enter(guest)
        assert len(gone) <= 1
        if stage != "leave":
            guest.turn(stage, now_s)
        else:
            crowd.leave(guest)
            crowd.leave(guest)
        held = inside(crowd)
        assert len(held) == len(crowd) <= room.connections
        assert sum(not each.official for each in held) == crowd.others <= room.connections - room.officials
        assert sum(each.official for each in held) == crowd.officials


def test_who_was_answered_before_goes_after_those_who_said_nothing() -> None:
    """A page that is open has a line to us; it is not cut for a stranger's silence from the same address."""
    crowd = ConnectionTable(ROOM)
    page = crowded(crowd, LOOPBACK[0], 1, "resting", official=True)[0]
    crowded(crowd, LOOPBACK[0], 5000, "waiting", official=True)
    assert page in inside(crowd)
