"""ZRound counters that send no time before the first lap: started once, not reported as dead, and then monitored."""

import threading

import pytest

from shared.clock import ManualClock
from station.gates.decoders.packet_protocols.zround import ANSWER, ASK, START, ZRound
from tests.station.gates.decoders.port_peer import Box, gate, pty, until

S, MS = 1_000_000_000, 1_000_000


def sent(decoder: ZRound, until_s: int, every_ms: int = 50, begin_s: int = 0) -> list[tuple[int, bytes]]:
    """What the decoder sends while nothing is received: when (ms), and what."""
    polls = [(at, decoder.poll(begin_s * S + at * MS)) for at in range(0, until_s * 1000, every_ms)]
    return [each for each in polls if each[1]]


def test_start_is_sent_once_for_as_long_as_the_line_lasts() -> None:
    decoder = ZRound()
    assert decoder.hello() == ASK
    assert sent(decoder, 600) == [(500, START)]
    decoder.feed(b"%L1A,3E8&")
    assert sent(decoder, 60, begin_s=600) == []


@pytest.mark.parametrize("first", [b"%A&", b""])
def test_after_a_reconnect_a_silent_counter_is_started_once_more(first: bytes) -> None:
    decoder = ZRound()
    decoder.hello()
    decoder.feed(first)
    sent(decoder, 5)
    decoder.hello()
    assert sent(decoder, 600, begin_s=10) == [(10_000, START)]


@pytest.mark.parametrize("received", [b"%T3E8&", b"%L1A,3E8&"])
def test_a_counter_that_goes_on_is_not_started_again(received: bytes) -> None:
    decoder = ZRound()
    decoder.hello()
    sent(decoder, 5)
    decoder.hello()
    decoder.feed(received)
    assert sent(decoder, 600, begin_s=10) == []


@pytest.mark.parametrize("received", [b"", b"%L1A,3E8&", b"%A&%L1A,3E8&"])
@pytest.mark.parametrize("reconnects", [1, 2, 5])
def test_a_bridge_that_never_tells_its_clock_is_started_once_over_all_connections(
    received: bytes, reconnects: int
) -> None:
    decoder = ZRound()
    decoder.hello()
    if received.startswith(ANSWER):
        decoder.feed(ANSWER)
    assert sent(decoder, 20) == [(500, START)]
    decoder.feed(received.removeprefix(ANSWER))
    for connection in range(1, reconnects + 1):
        decoder.hello()
        if received.startswith(ANSWER):
            decoder.feed(ANSWER)
        assert sent(decoder, 60, begin_s=100 * connection) == []


def test_a_lap_soon_after_the_start_tells_as_much() -> None:
    decoder = ZRound()
    decoder.hello()
    sent(decoder, 2)
    decoder.feed(b"%L1A,3E8&")
    decoder.hello()
    assert sent(decoder, 60, begin_s=10) == []


def test_a_counter_that_was_away_when_it_was_started_is_started_when_it_answers() -> None:
    decoder = ZRound()
    decoder.hello()
    assert sent(decoder, 20) == [(500, START)]
    decoder.hello()
    decoder.feed(ANSWER)
    assert sent(decoder, 60, begin_s=30) == [(10_000, START)]


@pytest.mark.parametrize("reconnects", [1, 2, 5])
def test_a_bridge_that_was_switched_off_before_the_first_lap_is_started_again(reconnects: int) -> None:
    decoder = ZRound()
    decoder.hello()
    decoder.feed(ANSWER)
    assert sent(decoder, 20) == [(500, START)]
    for connection in range(1, reconnects + 1):
        decoder.hello()
        decoder.feed(ANSWER)
        assert sent(decoder, 60, begin_s=100 * connection) == [(10_000, START)]


@pytest.mark.parametrize("laps", [b"", b"%L1A,3E8&"])
def test_a_counter_whose_clock_is_known_and_stands_still_is_started_again(laps: bytes) -> None:
    decoder = ZRound()
    decoder.hello()
    sent(decoder, 20)
    decoder.feed(laps + b"%T7D0&")
    decoder.hello()
    assert sent(decoder, 60, begin_s=30) == [(10_000, START)]


def test_it_answers_who_asks() -> None:
    decoder = ZRound()
    decoder.hello()
    decoder.feed(ASK)
    assert decoder.poll(0) == ANSWER
    assert decoder.poll(50 * MS) == b""


def test_it_may_be_silent_until_it_has_told_its_clock() -> None:
    decoder = ZRound()
    decoder.hello()
    for data, quiet in ((b"%A&", True), (b"%L1A,3E8&", True), (b"%T3E8&", False), (b"%L1A,7D0&", False)):
        decoder.feed(data)
        assert decoder.quiet is quiet
    decoder.hello()
    assert decoder.quiet


def test_the_gate_stays_alive_until_the_clock_was_told_and_then_falls_silent() -> None:
    clock, box, received = ManualClock(1), Box(), threading.Event()
    with pty() as (write, read, path), gate(clock, protocol="zround", url=path) as driver:
        driver.subscribe(lambda _facts: received.set())
        driver.start({}, box.put)
        assert read(3) == b"%C&"
        write(b"%A&")
        assert received.wait(10.0)
        until(lambda: driver._decoder._due_ns is not None)  # type: ignore[attr-defined]
        clock.advance(120 * S)
        assert "silent" not in driver.health().sentence
        assert read(3) == START
        write(b"%LE20000172211010218905C7A,3E8&%T3E9&")
        assert box.take(1)[0].transponder == "E20000172211010218905C7A"
        clock.advance(200 * S)
        assert "silent for over 30 s" in driver.health().sentence
