"""Driver "pico": our own gate on a Raspberry Pi Pico (firmware/): owns its port and the thread that reads it.

The port can be any that pyserial opens: /dev/ttyACM0, /dev/serial/by-id/..., socket://, rfc2217://, a pty. It may come
and go: the gate has a memory, and sends again what the station has not stored.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import serial

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from shared.text import joined, text
from station.core.inputs import Proof
from station.gates.decoders.port import check_url
from station.gates.driver import GateHealthReport, GateOutput
from station.gates.dropped_bytes import DroppedByteCounter
from station.gates.pico.session import PicoSession
from station.gates.usb import PortFinder

READ_S = 0.01  # a ping is sent at most this much later than it is due
WRITE_S = 1.0
RETRY_S = 0.5
FIRST_S = 1.0  # a start waits at most this long for the port
MAX_SENSORS = 4


@dataclass(frozen=True, slots=True)
class PicoGateOptions:
    """`[gate.options]` of the driver "pico"."""

    port: str = setting(what="/dev/serial/by-id/..., /dev/ttyACM0, or a URL of pyserial")
    broken: Literal["low", "high"] = setting("low", what="the level of a pin whose beam is broken")


class PicoGate:
    """A `GateDriver`: a thread runs the connection, `PicoSession` interprets what it receives."""

    proof: ClassVar[Proof] = "level"

    def __init__(self, name: str, sensors: tuple[str, ...], options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, PicoGateOptions, f"gate {name}")
        if len(sensors) > MAX_SENSORS:
            raise ConfigError(f"gate {name}: a Pico gate has {MAX_SENSORS} sensors at most; name no more.")
        self._name, self._sensors, self._clock = name, sensors, clock
        self._session: PicoSession | None = None
        self._fault: str = text("it is not started.")
        self._absent = False
        check_url(self._options.port)
        self._finder = PortFinder(self._options.port, "port")
        self._answered = threading.Event()
        self._lock = threading.Lock()
        self._drops = DroppedByteCounter(name, "line of the Pico gate")
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, after: Mapping[str, int], put: Callable[[GateOutput], None]) -> None:
        """As `GateDriver.start` describes. A missing port is not an error: it is retried, and health reports it.

        Raises HardwareMissing if the gate was closed.
        """
        if self._closing.is_set():
            raise HardwareMissing(f"the gate {self._name} is closed: start the station again.")
        level = 0 if self._options.broken == "low" else 1
        self._session = PicoSession(self._name, self._sensors, self._clock.boot_id, after, level)
        self._fault = text("{port} is being opened.", port=self._options.port)
        self._thread = threading.Thread(target=self._run, args=(put,), name=f"gate-{self._name}", daemon=True)
        self._thread.start()
        self._answered.wait(FIRST_S)

    def health(self) -> GateHealthReport:
        """The gate's health now; blocks for no longer than one fit of the clock takes."""
        session = self._session
        if session is None:
            return GateHealthReport(False, text("The Pico gate: {why}", why=self._fault))
        with self._lock:
            clock = session.clock
            now_ns = self._clock.now_ns()
            warm = clock is not None and clock.warm
            alive = not self._fault and not session.silent(now_ns) and warm and not session.fault(now_ns)
            return GateHealthReport(
                alive,
                self._sentence(session),
                session.last_edge_ns,
                session.edges,
                session.lost,
                offset_ns=None if clock is None else clock.offset_ns,
                drift_ppb=None if clock is None else clock.drift_ppb,
                dropped=session.dropped_bytes,
                uncertainty_ns=None if clock is None else clock.here().uncertainty_ns,
                absent=self._absent,
            )

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(3.0)
            self._thread = None

    def _sentence(self, session: PicoSession) -> str:
        clock = session.clock
        if self._fault:
            return text("The Pico gate: {why}", why=self._fault)
        if session.silent(self._clock.now_ns()) or clock is None:
            return text(
                "The Pico gate does not answer on {port}: check its cable, and that main.py runs on it.",
                port=self._options.port,
            )
        if not clock.warm:
            return text("The Pico gate's clock is being measured: its edges are held back for a few seconds.")
        if fault := session.fault(self._clock.now_ns()):
            return fault
        sentences: list[str] = [text("The Pico gate answers and its clock is known.")]
        if session.resets:
            sentences.append(
                text("It was reset, {resets} so far: a lap across a reset is void.", resets=session.resets)
            )
        return joined([*sentences, self._finder.advice] if self._finder.advice else sentences)

    def _run(self, put: Callable[[GateOutput], None]) -> None:
        line: serial.Serial | None = None
        while not self._closing.is_set():
            try:
                line = line or self._open()
                self._run_connection(line, put)
            # ValueError: pyserial waits with select(), which takes no descriptor above 1023.
            except (HardwareMissing, serial.SerialException, OSError, ValueError) as error:
                self._absent = isinstance(error, HardwareMissing)
                self._fault = f"{error}" if self._absent else text("its line is cut ({error}).", error=error)
                self._answered.set()
                _close(line)
                line = None
                self._closing.wait(RETRY_S)
        _close(line)

    def _run_connection(self, port: serial.Serial, put: Callable[[GateOutput], None]) -> None:
        """Runs until the gate is closed; raises what the port raises.

        The clock is read right before each write and after each read, because the time in between bounds the offset.
        """
        session = self._session
        assert session is not None
        with self._lock:
            session.connected(self._clock.now_ns())
        self._fault, self._absent = "", False
        self._answered.set()
        while not self._closing.is_set():
            with self._lock:
                output = session.due_bytes(self._clock.now_ns())
            if output:
                port.write(output)
            data = port.read(1)
            data += port.read(port.in_waiting) if data else b""
            now_ns = self._clock.now_ns()
            with self._lock:
                edges = session.on_data(data, now_ns) if data else session.ready_edges(now_ns)
                notes = [*session.new_notes(), self._drops.read(session.dropped_bytes, now_ns)]
            for note in notes:
                if note is not None:
                    put(note)
            for edge in edges:
                put(edge)

    def _open(self) -> serial.Serial:
        """Opens the port. Raises HardwareMissing."""
        name = self._finder.path()
        try:
            port: serial.Serial = serial.serial_for_url(
                name, 115200, timeout=READ_S, write_timeout=WRITE_S, do_not_open=True
            )
            if "://" not in name:
                port.exclusive = True
            port.open()
        except (serial.SerialException, OSError, ValueError) as error:
            raise HardwareMissing(
                f"the gate {self._name}: the port {name} does not open ({error}); plug the Pico in, "
                f"check that nothing else uses the port, and set `port`.{self._finder.others()}"
            ) from None
        self._finder.opened(name)
        return port


def _close(port: serial.Serial | None) -> None:
    if port is not None:
        port.close()
