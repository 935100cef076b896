"""The decoder gate on a port: pseudo terminal and TCP, polling, reconnects, restarts, and its reported health."""

import socket
import threading
from contextlib import ExitStack
from typing import Any

import pytest

from shared.clock import ManualClock
from shared.errors import ConfigError
from station.core.facts import Crossing
from station.core.inputs import GateSpec
from station.core.timing.gate import CrossingCounter, Gate
from station.gates.decoders.line_protocols.rc4 import line
from tests.station.gates.decoders.port_peer import WAIT_S, Box, gate, pty, tcp, until, url
from tests.station.gates.decoders.vectors import RC4_SENT


def _passing(number: int, seconds: str, transponder: str = "8533156") -> bytes:
    return line(f"@\t20\t{number}\t{transponder}\t{seconds}\t400\t163\t2")


def test_passings_on_a_serial_port_are_edges_on_the_decoders_clock() -> None:
    box = Box()
    with pty() as (write, _, path), gate(protocol="rc4", url=path, allowed_s=3600.0) as driver:
        driver.start({}, box.put)
        write(b"".join(RC4_SENT))
        edges = box.take(5)
        assert [edge.at_ns // 1_000_000 for edge in edges] == [596_126, 614_635, 625_565, 671_684, 688_410]
        assert len({edge.boot for edge in edges}) == 1
        # Sequence numbers that are missing between the quoted lines are left out of the gate's numbers too.
        assert [edge.seq for edge in edges] == [1, 4, 7, 19, 24]
        health = driver.health()
        assert health.alive
        assert (health.edges, health.lost, health.last_edge_ns) == (5, 19, 688_410_000_000)
        gaps = [box.notes.get(timeout=WAIT_S) for _ in range(4)]
        assert [(note.kind, note.count) for note in gaps] == [("missed_numbers", count) for count in (2, 2, 11, 4)]


def test_bytes_that_are_no_frame_are_noted_and_counted() -> None:
    box = Box()
    with pty() as (write, _, path), gate(protocol="rc4", url=path, allowed_s=3600.0) as driver:
        driver.start({}, box.put)
        write(_passing(1, "100.0") + b"garbage on the line\r\n" + _passing(2, "110.25"))
        box.take(2)
        note = box.notes.get(timeout=WAIT_S)
        assert (note.kind, note.gate) == ("dropped_bytes", "start")
        assert 0 < note.count <= driver.health().dropped


def test_decoder_time_makes_the_crossings() -> None:
    box = Box()
    with pty() as (write, _, path), gate(protocol="rc4", url=path, allowed_s=3600.0) as driver:
        driver.start({}, box.put)
        write(_passing(1, "100.0") + _passing(2, "110.25") + _passing(3, "110.6") + _passing(4, "119.5"))
        core = Gate(GateSpec("start", ("loop",)), CrossingCounter())
        facts = [fact for edge in box.take(4) for fact in core.handle(edge)]
        crossings = [fact.at_ns // 1_000_000 for fact in facts if isinstance(fact, Crossing)]
        assert crossings == [100_000, 110_250, 119_500]


def test_a_broken_line_is_mended_and_the_clock_goes_on() -> None:
    box = Box()
    with tcp() as listening, gate(protocol="rc4", url=url(listening)) as driver:
        driver.start({}, box.put)
        peer, _ = listening.accept()
        peer.sendall(_passing(1, "100.0") + b"\x01@\t20\t2\t85")
        (first,) = box.take(1)
        peer.close()
        again, _ = listening.accept()
        with again:
            again.sendall(_passing(3, "100.5"))
            (second,) = box.take(1)
        assert (second.boot, second.seq) == (first.boot, 3)
        assert driver.health().lost == 1


def test_a_decoder_that_restarted_begins_a_new_boot() -> None:
    box = Box()
    with tcp() as listening, gate(protocol="rc4", url=url(listening)) as driver:
        driver.start({}, box.put)
        peer, _ = listening.accept()
        with peer:
            peer.sendall(_passing(80, "500.0") + _passing(1, "3.5"))
            first, second = box.take(2)
            assert first.boot != second.boot
            assert "fell from 80 to 1" in driver.health().sentence


def test_it_asks_what_must_be_asked() -> None:
    box = Box()
    with pty() as (write, read, path), gate(protocol="ilap", url=path) as driver:
        driver.start({}, box.put)
        assert read(4) == b"\x01%\r\n"
        write(b"\x01%\t204\t0\t0\r\n\x01@\t204\t3456789\t324.620\r\n")
        (edge,) = box.take(1)
        assert edge.at_ns == 324_620_000_000


def test_zround_is_started_once_it_does_not_answer() -> None:
    box = Box()
    with pty() as (write, read, path), gate(protocol="zround", url=path) as driver:
        driver.start({}, box.put)
        request = b""
        while len(request) < 6:
            request += read(6)
        assert request == b"%C&%I&"
        write(b"%L1A3E8&")
        assert box.take(1)[0].at_ns == 1_000_000_000


def test_who_watches_gets_all_facts() -> None:
    box, subscribed, received = Box(), [], threading.Event()
    with pty() as (write, _, path), gate(protocol="rc4", url=path) as driver:
        driver.subscribe(lambda facts: (subscribed.extend(facts), received.set())[0])
        driver.start({}, box.put)
        write(RC4_SENT[0])
        assert received.wait(10.0)
        assert [type(fact).__name__ for fact in subscribed] == ["StatusReport"]


def test_a_silent_decoder_is_not_fit() -> None:
    clock = ManualClock(1)
    with pty() as (_, _, path), gate(clock, protocol="rc4", url=path) as driver:
        driver.start({}, Box().put)
        assert driver.health().alive
        clock.advance(31_000_000_000)
        health = driver.health()
        assert not health.alive
        assert "silent for over 30 s" in health.sentence


@pytest.mark.parametrize(("options", "sentence"), [
    ({"protocol": "p3", "url": "moon://1"}, "not a known kind of port"),
    ({"protocol": "p4", "url": "loop://"}, "there is no protocol 'p4'"),
    ({"protocol": "p3", "url": "loop://", "form": "9N9"}, "8N1"),
    ({"protocol": "p3", "link": "loop://"}, "unknown key"),
])  # fmt: skip
def test_wrong_settings_are_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence), gate(**options):
        pass


@pytest.mark.parametrize(("address", "sentence"), [
    ("/dev/there-is-none", "it is not there; plug it in"),
    ("socket://", "its host or its port number is missing"),
    ("nobody", "nothing answers there"),
])  # fmt: skip
def test_a_port_that_is_not_there_is_absent_and_no_error(address: str, sentence: str) -> None:
    if address == "nobody":
        with tcp() as listening:
            address = url(listening)
    with gate(protocol="p3", url=address) as driver:
        driver.start({}, Box().put)
        until(lambda: driver.health().absent)
        assert not driver.health().alive
        assert sentence in driver.health().sentence


def test_a_decoder_that_is_switched_on_later_joins() -> None:
    box = Box()
    with tcp() as listening:
        address, port = url(listening), listening.getsockname()[1]
    with gate(protocol="rc4", url=address) as driver:
        driver.start({}, box.put)
        until(lambda: driver.health().absent)
        with socket.create_server(("127.0.0.1", port), reuse_port=False) as listening:
            listening.settimeout(WAIT_S)
            peer, _ = listening.accept()
            with peer:
                peer.sendall(_passing(1, "100.0"))
                box.take(1)
                assert (driver.health().alive, driver.health().absent) == (True, False)


def test_a_port_has_one_reader() -> None:
    with pty() as (_, _, path), gate(protocol="p3", url=path) as first:
        first.start({}, Box().put)
        with gate(protocol="p3", url=path) as second:
            second.start({}, Box().put)
            until(lambda: "another program is reading it" in second.health().sentence)
        assert first.health().alive


def test_a_peer_that_falls_silent_is_called_again() -> None:
    clock, box = ManualClock(1), Box()
    with tcp() as listening, gate(clock, protocol="rc4", url=url(listening)) as driver:
        driver.start({}, box.put)
        first, _ = listening.accept()
        with first:
            clock.advance(40_000_000_000)
            second, _ = listening.accept()  # the first never closed: a cable that was unplugged gives no sign
            with second:
                assert not driver.health().alive  # until a frame arrives
                second.sendall(_passing(1, "100.0"))
                box.take(1)
                assert driver.health().alive


def test_an_unplugged_port_is_said_and_not_fit() -> None:
    box = Box()
    with ExitStack() as stack:
        with pty() as (write, _, path):
            driver = stack.enter_context(gate(protocol="rc4", url=path))
            driver.start({}, box.put)
            write(_passing(1, "100.0"))
            box.take(1)
            assert driver.health().alive
        until(lambda: not driver.health().alive)
        assert path in driver.health().sentence


def test_bytes_of_another_protocol_make_no_gate_fit() -> None:
    with tcp() as listening, gate(protocol="tag", url=url(listening)) as driver:
        driver.start({}, Box().put)
        peer, _ = listening.accept()
        with peer:
            assert "has sent nothing yet" in driver.health().sentence
            peer.sendall(b"\x8e\x02 no time at all\r\n" * 20)
            until(lambda: driver.health().dropped > 256)
            until(lambda: not driver.health().alive)
            assert "not part of any tag frame; check `protocol` and `baud`" in driver.health().sentence
            peer.sendall(b"T       200 M1  2:51:15.742000\r\n")
            until(lambda: driver.health().alive)


def test_a_line_of_rubbish_alone_is_silence() -> None:
    clock = ManualClock(1_000_000_000)
    with pty() as (write, _, path), gate(clock, protocol="rc4", url=path, silent_s=30.0) as driver:
        driver.start({}, Box().put)
        write(RC4_SENT[0])
        until(lambda: "1 frames" in driver.health().sentence)
        clock.advance(20_000_000_000)
        write(b"rubbish\r\n")
        until(lambda: driver.health().dropped == 7)
        clock.advance(40_000_000_000)
        assert not driver.health().alive
        assert "silent" in driver.health().sentence
