"""The gate against a bridge that behaves as OpenStint's `bridge-zround.py` does (github.com/zsellera/openstint, 2026).

Its behaviour, read from that file and from `simulator.py`: it answers `%C&` with `%A&`; `%I&` resets its clock and
makes it run; it sends no `%T` before the first lap after a start, one with each status (each second, 5 s in the
simulator) after it; ids and times are in hexadecimal without leading zeros. It keeps running when a client leaves.
"""

import itertools
import socket
from contextlib import closing

from shared.clock import ManualClock
from tests.station.gates.decoders.port_peer import Box, gate, tcp, until, url

S, MS = 1_000_000_000, 1_000_000


class BridgePeer:
    """Such a bridge on a real TCP socket. Its clock is that of the test; `starts` counts the `%I&` that it was sent."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._began_ns: int | None = None
        self._is_timed = False
        self.starts = 0
        self._line: socket.socket | None = None

    def accept(self, listening: socket.socket) -> None:
        self._line, _ = listening.accept()
        self._line.settimeout(60.0)
        assert self._word() == b"%C&"
        self._line.sendall(b"%A&")

    def await_start(self) -> None:
        assert self._word() == b"%I&"
        self.starts += 1
        self._began_ns, self._is_timed = self._clock.now_ns(), False

    def passing(self, transponder: int) -> int:
        """A car passes; gives the time as the bridge counts it, in ms."""
        if self._began_ns is None or self._line is None:
            return 0
        self._is_timed = True
        self._line.sendall(f"%L{transponder:X},{self._ms():X}&".encode())
        return self._ms()

    def status(self) -> None:
        if self._is_timed and self._line is not None:
            self._line.sendall(f"%T{self._ms():X}&".encode())

    def received(self) -> bytes:
        """What the station has sent since, without waiting."""
        assert self._line is not None
        self._line.setblocking(False)
        try:
            return self._line.recv(100)
        except BlockingIOError:
            return b""
        finally:
            self._line.settimeout(60.0)

    def close(self) -> None:
        """Hangs up; the bridge itself goes on."""
        if self._line is not None:
            self._line.close()

    def _ms(self) -> int:
        assert self._began_ns is not None
        return (self._clock.now_ns() - self._began_ns) // MS

    def _word(self) -> bytes:
        assert self._line is not None
        word = b""
        while not word.endswith(b"&"):
            received = self._line.recv(1)
            assert received, "the station hung up"
            word += received
        return word


def test_it_is_fit_before_the_first_pass_and_started_once_in_a_race_of_ten_minutes() -> None:
    clock, box = ManualClock(S), Box()
    with (
        tcp() as listening,
        gate(clock, protocol="zround", url=url(listening)) as driver,
        closing(BridgePeer(clock)) as bridge,
    ):
        driver.start({}, box.put)
        bridge.accept(listening)
        until(lambda: driver._decoder._due_ns is not None)  # type: ignore[attr-defined]
        clock.advance(clock.now_ns() + S)
        bridge.await_start()
        for _ in range(12):  # two minutes before the first car: the bridge is silent, and nothing is wrong
            clock.advance(clock.now_ns() + 10 * S)
            bridge.status()
            assert driver.health().alive
        times_ms = []
        for transponder in itertools.islice(itertools.cycle((1_615_544, 3_616_557)), 40):
            for _ in range(3):
                clock.advance(clock.now_ns() + 5 * S)
                bridge.status()
            times_ms.append(bridge.passing(transponder))
            edge = box.take(1)[0]
            assert (edge.transponder, edge.at_ns) == (str(transponder), times_ms[-1] * MS)
            assert driver.health().alive
        assert (bridge.starts, bridge.received()) == (1, b"")


def test_a_line_that_breaks_in_a_race_starts_nothing_and_the_clock_goes_on() -> None:
    clock, box = ManualClock(S), Box()
    with (
        tcp() as listening,
        gate(clock, protocol="zround", url=url(listening)) as driver,
        closing(BridgePeer(clock)) as bridge,
    ):
        driver.start({}, box.put)
        bridge.accept(listening)
        until(lambda: driver._decoder._due_ns is not None)  # type: ignore[attr-defined]
        clock.advance(clock.now_ns() + S)
        bridge.await_start()
        clock.advance(clock.now_ns() + 3 * S)
        bridge.passing(1_615_544)
        before = box.take(1)[0]
        bridge.status()
        bridge.close()
        bridge.accept(listening)
        clock.advance(clock.now_ns() + 5 * S)
        bridge.status()
        clock.advance(clock.now_ns() + 4 * S)
        bridge.passing(1_615_544)
        after = box.take(1)[0]
        assert (bridge.starts, bridge.received(), after.boot) == (1, b"", before.boot)
        assert after.at_ns - before.at_ns == 9 * S


def test_a_bridge_that_is_started_anew_before_the_first_pass_is_started_by_us_again() -> None:
    clock, box = ManualClock(S), Box()
    with (
        tcp() as listening,
        gate(clock, protocol="zround", url=url(listening)) as driver,
        closing(BridgePeer(clock)) as first,
        closing(BridgePeer(clock)) as second,
    ):
        driver.start({}, box.put)
        first.accept(listening)
        until(lambda: driver._decoder._due_ns is not None)  # type: ignore[attr-defined]
        clock.advance(clock.now_ns() + S)
        first.await_start()
        clock.advance(clock.now_ns() + 60 * S)
        first.close()
        second.accept(listening)
        until(lambda: driver._decoder._due_ns is not None)  # type: ignore[attr-defined]
        clock.advance(clock.now_ns() + 11 * S)
        second.await_start()
        clock.advance(clock.now_ns() + 2 * S)
        second.passing(3_616_557)
        assert box.take(1)[0].transponder == "3616557"
