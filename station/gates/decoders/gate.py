"""Driver "decoder": a decoder or timer on a serial or TCP port, with any of the installed protocols.

The port may come and go, and may be missing when the station starts; a USB port is found again under another number.
Edges are made of passings and impulses, on the decoder's own clock if it sends times (edge_stamper.py).
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from shared.link.backoff import Backoff
from shared.text import joined, text
from shared.units import seconds_to_ns
from station.core.inputs import Proof
from station.gates.decoders import catalog
from station.gates.decoders.decoder import Decoded, may_be_silent
from station.gates.decoders.edge_stamper import EdgeStamper, Wiring
from station.gates.decoders.port import PORT_ERRORS, Port, check_url, open_port, why
from station.gates.driver import GateHealthReport, GateOutput
from station.gates.dropped_bytes import DroppedByteCounter
from station.gates.usb import PortFinder

FIRST_S = 1.0  # a start waits at most this long for the port's first answer
BACKLOG_NS = 2_000_000_000  # after a connect, a device may first send what it stored
GARBLED_BYTES = 256  # dropped without one good frame in between: it is another protocol


@dataclass(frozen=True, slots=True)
class DecoderGateOptions:
    """`[gate.options]` of the driver "decoder"."""

    protocol: str = setting(what="p3, rc4, tranx2, ...; `raceday gate list` names all")
    url: str = setting(what="/dev/ttyUSB0, socket://192.168.1.50:5403, zmq://host:5556, rfc2217://host:port")
    baud: int = setting(0, min=0, max=4_000_000, what="0: the protocol's usual one")
    form: str = setting("8N1", choices=("8N1", "8N2", "8E1", "7E1", "7N2"))
    only: tuple[str, ...] = setting((), what='transponders that count, as "9991" for a photocell input; none: all')
    decoder: str = setting("", what="the id of the decoder that is meant, where a line carries several")
    sensors: dict[str, Any] = field(default_factory=dict)  # the device's input or loop -> our sensor
    allowed_s: float = setting(1.0, min=0.05, max=3600.0, what="a passing received later than this is a clock set back")
    silent_s: float = setting(30.0, min=1.0, max=3600.0, what="a device that reports its status is dead after this")


class DecoderGate:
    """A `GateDriver`: a thread runs the connection, a `Decoder` and an `EdgeStamper` make the edges."""

    proof: ClassVar[Proof] = "pass"

    def __init__(self, name: str, sensors: tuple[str, ...], options: dict[str, Any], clock: Clock) -> None:
        self._name, self._clock = name, clock
        self._options = from_table(options, DecoderGateOptions, f"gate {name}")
        self._row = catalog.protocol_info(self._options.protocol)
        self._decoder = catalog.decoder(self._options.protocol)
        allowed_ns = seconds_to_ns(self._options.allowed_s)
        wired = dict.fromkeys(self._row.elsewhere, "") | self._options.sensors
        wiring = Wiring(sensors, wired, frozenset(self._options.only), decoder=self._options.decoder)
        self._stamper = EdgeStamper(name, wiring, f"{clock.utc_ns() // 1_000_000:x}", clock.boot_id, allowed_ns)
        self._put: Callable[[GateOutput], None] | None = None
        self._on_facts: Callable[[list[Decoded]], None] | None = None
        self._closing, self._answered = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        check_url(self._options.url)
        self._finder = PortFinder(self._options.url, "url")
        self._fault: str = text("{url}: is being opened.", url=self._options.url)
        self._absent = False
        self._last_frame_ns = self._connected_ns = 0  # the last good frame; the last opening
        self._dropped_then = 0  # bytes dropped up to the last good frame
        self._edges = self._sent = 0
        self._drops = DroppedByteCounter(name, f"frame of {self._options.protocol}")

    def start(self, after: Mapping[str, int], put: Callable[[GateOutput], None]) -> None:
        """As `GateDriver.start` describes. A missing port is not an error: it is retried, and health reports it."""
        self._put = put
        self._stamper.begin(after)
        self._thread = threading.Thread(target=self._run, name=f"gate-{self._name}", daemon=True)
        self._thread.start()
        self._answered.wait(FIRST_S)

    def subscribe(self, on_facts: Callable[[list[Decoded]], None]) -> None:
        """Passes all facts to `on_facts` as well, on the gate's thread (for `raceday gate watch`)."""
        self._on_facts = on_facts

    def health(self) -> GateHealthReport:
        wrong = self._fault or (self._silence() if self._silent() else "") or self._garbled()
        running = self._thread is not None and self._thread.is_alive()
        return GateHealthReport(
            running and not wrong,
            wrong or self._fine(),
            self._stamper.last_ns,
            self._edges,
            self._stamper.lost,
            dropped=self._decoder.counts.resynced_bytes,
            absent=self._absent,
        )

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def _open(self) -> Port:
        path = self._finder.path()
        try:
            port = open_port(path, self._options.baud or self._row.bauds[0], self._options.form)
        except HardwareMissing as error:
            raise HardwareMissing(f"{error}{self._finder.others()}") from None
        self._finder.opened(path)
        self._connected_ns = self._clock.now_ns()
        self._last_frame_ns = self._last_frame_ns or self._connected_ns
        self._fault, self._absent = "", False
        self._answered.set()
        return port

    def _run(self) -> None:
        backoff = Backoff(max_s=2.0 if self._finder.local else 8.0)
        port: Port | None = None
        while not self._closing.is_set():
            try:
                port = port or self._open()
                self._run_connection(port, backoff)
            except HardwareMissing as error:
                self._fault, self._absent = str(error), True
            except PORT_ERRORS as error:
                self._fault = text(
                    "{url}: the connection was lost: {why} The station is retrying.",
                    url=self._options.url,
                    why=why(error),
                )
            if port is not None:
                port.close()
                port = None
            self._answered.set()
            self._closing.wait(backoff.next_s())

    def _run_connection(self, port: Port, backoff: Backoff) -> None:
        """Reads until the gate is closed. Raises PORT_ERRORS if the connection breaks, HardwareMissing if silent."""
        self._send(port, self._decoder.hello())
        while not self._closing.is_set():
            first = port.read(1)
            read_ns = self._clock.now_ns()
            if first:
                backoff.reset()
                self._on_data(first, read_ns)  # at once: the connection may break at the next byte
                self._on_data(port.read(port.in_waiting), read_ns)
            elif self._silent(self._connected_ns) and "://" in self._options.url:
                raise HardwareMissing(self._silence())  # a TCP peer can vanish without a sign
            self._report_drops(read_ns)
            self._send(port, self._decoder.poll(read_ns))

    def _on_data(self, data: bytes, read_ns: int) -> None:
        facts = self._decoder.feed(data)
        if facts:
            self._last_frame_ns, self._dropped_then = read_ns, self._decoder.counts.resynced_bytes
        if self._on_facts is not None and facts:
            self._on_facts(facts)
        assert self._put is not None
        edges = self._stamper.edges(facts, read_ns, read_ns - self._connected_ns < BACKLOG_NS)
        for note in self._stamper.new_notes():
            self._put(note)
        for edge in edges:
            self._edges += 1
            self._put(edge)

    def _report_drops(self, now_ns: int) -> None:
        # Some lines echo what we send: that is not a loss.
        note = self._drops.read(self._decoder.counts.resynced_bytes - self._sent, now_ns)
        if note is not None and self._put is not None:
            self._put(note)

    def _send(self, port: Port, data: bytes) -> None:
        if data:
            port.write(data)
            self._sent += len(data)

    def _silent(self, since_ns: int = 0) -> bool:
        waited_ns = self._clock.now_ns() - max(self._last_frame_ns, since_ns)
        has_heartbeat = self._row.heartbeat and not may_be_silent(self._decoder)
        return has_heartbeat and waited_ns > seconds_to_ns(self._options.silent_s)

    def _silence(self) -> str:
        return text(
            "{url}: silent for over {seconds:g} s; check the decoder and its cable.",
            url=self._options.url,
            seconds=self._options.silent_s,
        )

    def _garbled(self) -> str:
        dropped = self._decoder.counts.resynced_bytes - self._dropped_then
        if dropped < GARBLED_BYTES:
            return ""
        return text(
            "{url}: received {dropped} bytes that are not part of any {protocol} frame; check "
            "`protocol` and `baud` (`raceday gate probe` finds both).",
            url=self._options.url,
            dropped=dropped,
            protocol=self._options.protocol,
        )

    def _fine(self) -> str:
        counts, status = self._decoder.counts, self._stamper.status
        if not counts.frames:
            return text(
                "{url} is open; the {protocol} decoder has sent nothing yet.",
                url=self._options.url,
                protocol=self._options.protocol,
            )
        words: list[str] = [
            text(
                "{frames} frames, {dropped} bytes dropped",
                frames=counts.frames,
                dropped=counts.resynced_bytes,
            )
        ]
        if status is not None and status.noise is not None:
            words.append(text("noise {noise}", noise=status.noise))
        if status is not None and status.voltage_mv is not None:
            words.append(f"{status.voltage_mv / 1000:.1f} V")
        if status is not None and status.temperature_c is not None:
            words.append(f"{status.temperature_c} °C")
        more = [self._stamper.gap.sentence] if self._stamper.gap is not None else []
        more += [self._finder.advice] if self._finder.advice else []
        answers = text(
            "The {protocol} decoder on {url} answers: {words}.",
            protocol=self._options.protocol,
            url=self._options.url,
            words=joined(words, ", "),
        )
        return joined([answers, *more])
