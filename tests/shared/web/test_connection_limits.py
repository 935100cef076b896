"""Which connections are kept: whoever sends a request gets in, and idle connections make room."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.connection_limits import LOOPBACK, ConnectionLimits, ConnectionTable, Stage, WebConnection

LIMITS = ConnectionLimits(max_connections=100, for_officials=20, max_idle_each=10)


def filled(
    table: ConnectionTable, address: str, count: int, stage: Stage = "waiting", official: bool = False
) -> list[WebConnection]:
    made = []
    for number in range(count):
        connection = WebConnection(address, official, float(number))
        table.add(connection)
        connection.enter_stage(stage, float(number))
        made.append(connection)
    return made


def inside(table: ConnectionTable) -> set[WebConnection]:
    return {connection for there in table.groups.values() for connection in there}


@pytest.mark.parametrize("stage", ["waiting", "sending"])
def test_a_stranger_has_so_many_idle_ones_and_the_oldest_goes(stage: Stage) -> None:
    table = ConnectionTable(LIMITS)
    made = filled(table, "203.0.113.9", 5000, stage)
    assert inside(table) == set(made[-10:])


@pytest.mark.parametrize("stage", ["waiting", "sending", "queued", "served"])
@pytest.mark.parametrize("address", ["203.0.113.9", *LOOPBACK])
def test_an_official_always_gets_in_and_stays(stage: Stage, address: str) -> None:
    table = ConnectionTable(LIMITS)
    for number in range(5000):
        connection = WebConnection(
            address if stage != "served" else f"10.0.{number // 250}.{number % 250}", False, float(number)
        )
        table.add(connection)
        connection.enter_stage(stage, float(number))
    official = WebConnection("192.168.1.20", True, 9e9)
    assert official not in table.add(official)
    assert official in inside(table)
    assert len(table) <= LIMITS.max_connections


@pytest.mark.parametrize("address", ["203.0.113.9", *LOOPBACK])
@pytest.mark.parametrize("stage", ["waiting", "sending", "queued"])
def test_even_from_the_strangers_own_address(address: str, stage: Stage) -> None:
    """Behind one access point all share an address; the next thousand sockets must not push this one out."""
    table = ConnectionTable(LIMITS)
    filled(table, address, 5000, stage, official=True)
    asking = WebConnection(address, True, 6000.0)
    assert asking not in table.add(asking)
    asking.enter_stage("served", 6000.001)
    later = filled(table, address, 5000, stage, official=True)
    assert asking in inside(table)
    assert later[-1] in inside(table)


def test_the_public_leaves_the_officials_places_free() -> None:
    table = ConnectionTable(LIMITS)
    for number in range(300):
        filled(table, f"10.0.0.{number}", 1, "served")
    assert (table.others, table.officials) == (80, 0)
    filled(table, "192.168.1.20", 20, "served", official=True)
    assert (table.others, table.officials) == (80, 20)


def test_whoever_holds_most_makes_place_for_others() -> None:
    """Two hundred unread streams of one stranger do not keep a spectator out."""
    table = ConnectionTable(LIMITS)
    hog = filled(table, "203.0.113.9", 200, "served")
    assert table.others == 80
    spectator = WebConnection("10.0.0.1", False, 500.0)
    gone = table.add(spectator)
    assert len(gone) == 1
    assert gone[0] in hog


def test_equals_do_not_throw_each_other_out() -> None:
    table = ConnectionTable(LIMITS)
    phones = [filled(table, f"10.0.0.{number}", 1, "served")[0] for number in range(80)]
    late = WebConnection("10.0.1.1", False, 500.0)
    assert table.add(late) == [late]
    assert inside(table) == set(phones)


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
    table = ConnectionTable(LIMITS)
    connection = WebConnection("10.0.0.1", False, 0.0, stage=stage)
    table.add(connection)
    assert table.overdue(age_s) == ([connection] if late else [])


def test_who_does_not_read_what_we_send_is_late() -> None:
    table = ConnectionTable(LIMITS)
    connection = WebConnection("10.0.0.1", False, 0.0, stage="served", unread_since_s=100.0)
    table.add(connection)
    assert table.overdue(109.9) == []
    assert table.overdue(110.1) == [connection]


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
    limits = ConnectionLimits(max_connections=12, for_officials=4, max_idle_each=3)
    table, now_s = ConnectionTable(limits), 0.0
    for address, official, stage in events:
        now_s += 1.0
        connection = WebConnection(LOOPBACK[0] if address == 0 else f"10.0.0.{address}", official, now_s)
        gone = table.add(connection)
        assert len(gone) <= 1
        if stage != "leave":
            connection.enter_stage(stage, now_s)
        else:
            table.remove(connection)
            table.remove(connection)
        admitted = inside(table)
        assert len(admitted) == len(table) <= limits.max_connections
        assert (
            sum(not each.official for each in admitted) == table.others <= limits.max_connections - limits.for_officials
        )
        assert sum(each.official for each in admitted) == table.officials


def test_who_was_answered_before_goes_after_those_who_said_nothing() -> None:
    """An open page holds a connection; silent sockets from the same address do not push it out."""
    table = ConnectionTable(LIMITS)
    page = filled(table, LOOPBACK[0], 1, "resting", official=True)[0]
    filled(table, LOOPBACK[0], 5000, "waiting", official=True)
    assert page in inside(table)
