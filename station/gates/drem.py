"""Driver "drem": the timer of the DeepRacer Event Manager (DREM), read over its WebSocket.

The timer stamps the press of a strip, sends it once to its clients, and stores nothing. So a lap that it sent while
we were not connected is lost: its lap numbers show this. Its clock is a wall clock: where it falls, or moves against
ours by more than `step_ms`, a new boot begins, and no lap spans it. The release of the strip is not sent: it gets the
same stamp as the press, so that no strip counts as blocked.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from websockets.exceptions import InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError
from shared.text import joined, text
from station.core.inputs import Layout, Proof
from station.gates.decoders.decoder import NEW_EPOCH, Decoded, DeviceEdge, Gap, StatusReport
from station.gates.decoders.line_protocols.drem import MAX_TEXT_BYTES, Drem
from station.gates.driver import Edge, GateHealthReport, GateNote, GateOutput

MIN_WAIT_S, MAX_WAIT_S = 0.2, 5.0
LISTEN_S = 0.25
FIRST_S = 1.0  # a start waits at most this long for the timer's first answer


@dataclass(frozen=True, slots=True)
class DremGateOptions:
    """`[gate.options]` of the driver "drem"."""

    url: str = setting(what="where the timer listens: ws://192.168.1.20:8080")
    gpios: tuple[int, ...] = setting((17, 27), min=0, max=1000, what="the timer's pins, in the order of `sensors`")
    step_ms: int = setting(500, min=20, max=60_000, what="its clock moved against ours by more: it was set")


class DremStream:
    """Turns the timer's texts into edges; pure. `boot` is the boot id of the edges, since the timer has none."""

    def __init__(self, gate: str, names: Mapping[str, str], boot: str, step_ns: int) -> None:
        self._gate, self._names, self._boot, self._step_ns = gate, names, boot, step_ns
        self._decoder = Drem()
        self._epoch = 0
        self._offset_ns: int | None = None  # its clock less ours
        self.edges = self.lost = 0
        self.fault = ""
        self._notes: list[GateNote] = []

    def connected(self) -> None:
        """Handles a new connection: half a text is dropped; clock and numbers continue."""
        self._decoder.hello()

    def on_text(self, received: str | bytes, now_ns: int) -> list[Edge]:
        """The edges of one text that was received at `now_ns`; never raises."""
        data = received.encode("utf-8", "replace") if isinstance(received, str) else received
        facts = self._decoder.feed(data.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
        return [edge for fact in facts for edge in self._edges(fact, now_ns)]

    def new_notes(self) -> list[GateNote]:
        """The notes for the journal since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def _edges(self, fact: Decoded, now_ns: int) -> list[Edge]:
        match fact:
            case Gap():
                self._on_gap(fact)
            case StatusReport(device_time_ns=int(time_ns)):
                self._compare(time_ns, now_ns)
            case DeviceEdge(sensor=gpio, device_time_ns=int(time_ns), number=int(number)):
                self._compare(time_ns, now_ns)
                sensor, boot = self._names.get(gpio, f"gpio{gpio}"), f"{self._boot}.{self._epoch}"
                self.edges += 2
                return [
                    Edge(self._gate, sensor, broken, time_ns, 2 * number - broken, boot) for broken in (True, False)
                ]
        return []

    def _on_gap(self, gap: Gap) -> None:
        self.fault = gap.sentence
        self.lost += 2 * gap.missing
        if gap.kind in NEW_EPOCH:
            self._epoch += 1
            self._offset_ns = None
        self._notes.append(GateNote(self._gate, gap.kind, gap.sentence, gap.missing, f"{self._boot}.{self._epoch}"))

    def _compare(self, time_ns: int, now_ns: int) -> None:
        """Compares the timer's clock with ours, only to notice that it was set: edges always have the timer's stamp."""
        offset_ns = time_ns - now_ns
        moved_ns = 0 if self._offset_ns is None else offset_ns - self._offset_ns
        if abs(moved_ns) > self._step_ns:
            sentence = text(
                "The timer's wall clock moved by {seconds:+.3f} s against ours: laps across this are void.",
                seconds=moved_ns / 1e9,
            )
            self._on_gap(Gap("clock_jump", sentence))
        # A slow drift is followed.
        self._offset_ns = offset_ns if self._offset_ns is None else self._offset_ns + moved_ns // 8


class DremGate:
    """A `GateDriver`. The timer may come and go: the connection is retried.

    Its two strips lie beside each other on the line: either may be first.
    """

    layout: ClassVar[Layout] = "side_by_side"
    proof: ClassVar[Proof] = "pass"

    def __init__(self, name: str, sensors: tuple[str, ...], options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, DremGateOptions, f"gate {name}")
        self._url = _checked(self._options.url, name)
        if len(sensors) > len(self._options.gpios):
            raise ConfigError(
                f"gate {name}: it has {len(sensors)} sensors; name a pin of the timer for each in `gpios`."
            )
        names = dict(zip((str(gpio) for gpio in self._options.gpios), sensors, strict=False))
        step_ns = self._options.step_ms * 1_000_000
        self._stream = DremStream(name, names, f"drem:{name}:{clock.utc_ns():x}", step_ns)
        self._name, self._clock = name, clock
        self._put: Callable[[GateOutput], None] | None = None
        self._closing, self._answered = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._alive, self._sentence = False, text("The timer is not connected yet.")
        self._last_ns: int | None = None

    def start(self, after: Mapping[str, int], put: Callable[[GateOutput], None]) -> None:  # noqa: ARG002  # it stores nothing
        """As `GateDriver.start` describes. A missing timer is not an error: health reports it."""
        self._put = put
        self._thread = threading.Thread(target=self._run, name=f"gate-{self._name}", daemon=True)
        self._thread.start()
        self._answered.wait(FIRST_S)

    def health(self) -> GateHealthReport:
        counts = (self._stream.edges, self._stream.lost)
        return GateHealthReport(self._alive, self._sentence, self._last_ns, *counts, absent=not self._alive)

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        wait_s = MIN_WAIT_S
        while not self._closing.is_set():
            try:
                line = self._connect()
                with line:
                    wait_s = MIN_WAIT_S
                    self._receive(line)
            except (OSError, WebSocketException) as error:
                what = str(error) or type(error).__name__
                self._sentence = text(
                    "The timer at {url} does not answer ({what}): is it on, is the address right?",
                    url=self._url,
                    what=what[:200],
                )
            self._alive = False
            self._answered.set()
            self._closing.wait(wait_s)
            wait_s = min(2 * wait_s, MAX_WAIT_S)

    def _connect(self) -> ClientConnection:
        return connect(
            self._url,
            open_timeout=3,
            close_timeout=1,
            ping_interval=5,
            ping_timeout=5,
            max_size=MAX_TEXT_BYTES,
            compression=None,
            proxy=None,
        )

    def _receive(self, line: ClientConnection) -> None:
        assert self._put is not None
        self._stream.connected()
        self._alive, self._sentence = True, text("The timer is connected.")
        self._answered.set()
        while not self._closing.is_set():
            try:
                received = line.recv(LISTEN_S)
            except TimeoutError:
                continue
            edges = self._stream.on_text(received, self._clock.now_ns())
            for note in self._stream.new_notes():
                self._put(note)
            for edge in edges:
                self._last_ns = self._clock.now_ns()
                self._put(edge)
            self._sentence = joined(filter(None, (text("The timer is connected."), self._stream.fault)))


def _checked(url: str, gate: str) -> str:
    try:
        parse_uri(url)
    except InvalidURI:
        raise ConfigError(f"gate {gate}: `url` is {url!r}; it must be like ws://192.168.1.20:8080.") from None
    return url
