"""OpenStint's own stream from a real ZeroMQ publisher that sends as its simulator.py and its decoder do."""

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import zmq

from shared.clock import ManualClock
from shared.errors import ConfigError, HardwareMissing
from station.gates.decoders.decoder import Decoded, Gap, Passing
from station.gates.decoders.line_protocols.openstint import OpenStint
from station.gates.decoders.port import check_url, open_port
from tests.station.gates.decoders.port_peer import WAIT_S, Box, gate, until

S, MS = 1_000_000_000, 1_000_000


@contextmanager
def publisher(port: int = 0) -> Iterator[tuple[Callable[[str], None], str]]:
    """A function that publishes a text to those who listen, and the address. Waits for a listener before the first."""
    with zmq.Context() as context, context.socket(zmq.XPUB) as sender:
        sender.setsockopt(zmq.LINGER, 0)
        sender.setsockopt(zmq.XPUB_VERBOSE, 1)
        sender.bind(f"tcp://127.0.0.1:{port or '*'}")
        address = sender.getsockopt_string(zmq.LAST_ENDPOINT).removeprefix("tcp://")
        listeners = itertools.count()

        def publish(text: str) -> None:
            if next(listeners) == 0:
                assert sender.poll(round(WAIT_S * 1000)), "nobody subscribes"
                assert sender.recv() == b"\x01", "to everything"
            sender.send_string(text)

        yield publish, f"zmq://{address}"


def test_it_is_fit_before_the_first_pass_and_each_pass_has_the_decoders_time() -> None:
    clock, box, received = ManualClock(S), Box(), threading.Semaphore(0)
    with publisher() as (publish, url), gate(clock, protocol="openstint", url=url) as driver:
        driver.subscribe(lambda _facts: received.release())
        driver.start({}, box.put)
        for second in range(120):  # two minutes before the first car
            publish(f"S {1_000 * second} {-40 - second % 3:.2f} 5 0 0")
            assert received.acquire(timeout=WAIT_S)
            clock.advance(clock.now_ns() + S)
        health = driver.health()
        assert (health.alive, health.dropped) == (True, 0)
        assert "answers" in health.sentence
        for lap in range(5):
            at_ms = 120_000 + 10_000 * lap
            publish(f"P {at_ms} OPN 1000001 {-10.4:.2f} 44 97")
            publish(f"T {at_ms} OPN 1000001 905370")
            edge = box.take(1)[0]
            assert (edge.transponder, edge.at_ns) == ("1000001", at_ms * MS)
            publish(f"S {at_ms + 1_000} -41.00 5 77 52")
            clock.advance(clock.now_ns() + 10 * S)
        assert driver.health().lost == 0


def test_a_decoder_that_falls_silent_is_not_fit() -> None:
    clock, received = ManualClock(S), threading.Event()
    with publisher() as (publish, url), gate(clock, protocol="openstint", url=url) as driver:
        driver.subscribe(lambda _facts: received.set())
        driver.start({}, Box().put)
        publish("S 1000 -40.00 5 0 0")
        assert received.wait(WAIT_S)
        clock.advance(clock.now_ns() + 31 * S)
        assert not driver.health().alive


def test_a_publisher_that_goes_and_comes_back_is_joined_again() -> None:
    clock, box = ManualClock(S), Box()
    with ExitStack() as stack:
        with publisher() as (publish, url):
            port = int(url.rpartition(":")[2])
            driver = stack.enter_context(gate(clock, protocol="openstint", url=url))
            driver.start({}, box.put)
            publish("P 50000 AMB 3616557 3.88 21 90")
            first = box.take(1)[0]
        until(lambda: not driver.health().alive)
        with publisher(port) as (publish, _):
            publish("S 100 -40.00 5 0 0")
            publish("P 900 AMB 3616557 3.88 21 90")
            second = box.take(1)[0]
    assert (second.at_ns, second.transponder) == (900 * MS, "3616557")
    assert second.boot != first.boot, "its program was started again: no lap spans this"


def test_nobody_there_and_no_publisher_there_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        threading.Thread(target=lambda: [silent.accept()[0].close() for _ in range(2)], daemon=True).start()
        with pytest.raises(HardwareMissing, match="publishes nothing by ZeroMQ"):
            open_port(f"zmq://127.0.0.1:{port}", 0)
    with pytest.raises(HardwareMissing, match="nothing answers there"):
        open_port(f"zmq://127.0.0.1:{port}", 0)


@pytest.mark.parametrize(
    "url", ["zmq://", "zmq://host", "zmq://host:0", "zmq://host:x", "zmq://host:5556/a", "zmq://[:1"]
)
def test_an_address_that_is_none_is_refused_with_how_to_write_it(url: str) -> None:
    with pytest.raises(ConfigError, match=r"write it as zmq://192\.168\.1\.60:5556"):
        check_url(url)


def test_a_protocol_that_must_ask_does_not_go_by_it() -> None:
    with publisher() as (_, url), gate(protocol="zround", url=url) as driver:
        driver.start({}, Box().put)
        until(lambda: "the protocol is openstint" in driver.health().sentence)


def facts_of(*lines: str) -> list[Decoded]:
    return OpenStint().feed("".join(f"{line}\n" for line in lines).encode())


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        # A passing is told late, also of a car that stood on the loop; the clock went on.
        (("S 60000 -40 5 0 0", "P 59700 OPN 7 -9.5 40 90", "S 61000 -40 5 0 0"), []),
        (("S 60000 -40 5 0 0", "P 15000 OPN 7 -9.5 40 90", "S 61000 -40 5 0 0"), []),
        (("S 60000 -40 5 0 0", "S 1000 -40 5 0 0", "P 900 OPN 7 -9.5 40 90"), ["restart"]),
        (("S 600000 -40 5 0 0", "P 900 OPN 7 -9.5 40 90", "S 1000 -40 5 0 0"), ["restart"]),
        (("P 1000 OPN 7 -9.5 40 90", "P 9000 OPN 7 -9.5 40 90"), []),
    ],
)
def test_only_a_restart_is_one(lines: tuple[str, ...], kinds: list[str]) -> None:
    facts = facts_of(*lines)
    assert [fact.kind for fact in facts if isinstance(fact, Gap)] == kinds
    assert not [fact for fact in facts if isinstance(fact, Passing) and fact.repeat]


@pytest.mark.parametrize("line", [
    "P 1 OPN 7 -9.5", "P x OPN 7 -9.5 40", "P 1 OPN -7 -9.5 40", "P 99999999999999 OPN 7 -9.5 40", "S 1",
    "P 1 opn 7 1 1",
])  # fmt: skip
def test_a_passing_without_a_word_is_none(line: str) -> None:
    device = OpenStint()
    assert device.feed(f"{line}\n".encode()) == []
    assert device.counts.bad_fields == 1
