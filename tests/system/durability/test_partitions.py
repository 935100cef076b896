"""Broken ways between cars, broker and station, a few times; `./dev bench partitions` breaks them 1,500 times."""

import contextlib
import pathlib
import socket
from collections.abc import Iterator

import pytest

from raceday.broker import mosquitto_path
from tests.system.durability.forked import ProcessForker
from tests.system.durability.partitions import partition
from tests.system.durability.tcp_faults import BrokenWay
from tests.system.vehicle.car_faults import in_memory


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timeout(200)
def test_no_reported_lap_is_lost_over_partitions_and_a_killed_broker() -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    with in_memory() as folder, contextlib.closing(ProcessForker()) as forker:
        tally = partition(folder, forker, rounds=1, seed=4)
    assert tally.faults.total() >= 3
    assert tally.reported > 0
    assert tally.clean, tally


class Ends:
    """Both ends of one connection through a way, and the way."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.way = BrokenWay(self._server.getsockname()[1])
        self.near = socket.create_connection(("127.0.0.1", self.way.port), 10)
        self.far, _ = self._server.accept()
        self.far.settimeout(10)
        self.near.sendall(b"hello")
        assert self.far.recv(100) == b"hello"

    def close(self) -> None:
        self.way.close()
        for each in (self.near, self.far, self._server):
            each.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def test_a_way_that_is_held_up_loses_nothing_and_delivers_in_order(ends: Ends) -> None:
    ends.way.break_by("held")
    ends.near.sendall(b"one ")
    ends.far.settimeout(0.01)
    with pytest.raises(TimeoutError):
        ends.far.recv(100)
    ends.near.sendall(b"two")
    ends.far.settimeout(10)
    ends.way.heal()
    got = b""
    while len(got) < 7:
        got += ends.far.recv(100)
    assert got == b"one two"


def test_a_way_held_in_one_direction_lets_the_other_pass(ends: Ends) -> None:
    ends.way.break_by("held one way")
    ends.near.sendall(b"out")
    assert ends.far.recv(100) == b"out"
    ends.far.sendall(b"in")
    ends.near.settimeout(0.01)
    with pytest.raises(TimeoutError):
        ends.near.recv(100)


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_a_way_that_is_cut_ends_what_is_there_and_takes_nobody_new(ends: Ends, fault: str) -> None:
    ends.way.break_by(fault)  # type: ignore[arg-type]
    for each in (ends.near, ends.far):
        with contextlib.suppress(ConnectionResetError):
            assert each.recv(100) == b""
    with socket.create_connection(("127.0.0.1", ends.way.port), 10) as fresh, contextlib.suppress(ConnectionResetError):
        assert fresh.recv(100) == b""


def test_a_torn_message_arrives_by_half(ends: Ends) -> None:
    ends.way.break_by("torn")
    ends.near.sendall(b"12345678")
    with contextlib.suppress(ConnectionResetError):
        got = ends.far.recv(100)
        assert got in (b"1234", b"")


def test_after_half_open_the_far_side_is_gone_and_the_near_side_is_not_told(ends: Ends) -> None:
    ends.way.break_by("half open")
    assert ends.far.recv(100) == b""
    ends.near.sendall(b"is anybody there?")
    ends.near.settimeout(0.01)
    with pytest.raises(TimeoutError):
        ends.near.recv(100)


def test_late_bytes_arrive_after_all(ends: Ends) -> None:
    ends.way.break_by("late")
    ends.near.sendall(b"later")
    ends.way.heal()  # which ends the wait
    assert ends.far.recv(100) == b"later"


def test_nobody_behind_the_way_ends_the_caller(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        way = BrokenWay(gone.getsockname()[1])
    with socket.create_connection(("127.0.0.1", way.port), 10) as near, contextlib.suppress(ConnectionResetError):
        assert near.recv(100) == b""
    way.close()
