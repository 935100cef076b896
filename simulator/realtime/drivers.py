"""The mock world's drivers, found by entry point like all others: clock, camera, motors and gate.

Each has its own connection to the world process and renews it when the world is started again. They raise
HardwareMissing when the world is not there at the start, as for hardware that is not plugged in.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from simulator.realtime.device_client import DeviceConnection
from simulator.realtime.protocol import (
    CLOCK_NAME,
    FrameTaken,
    GateEdge,
    Hello,
    PulseWidths,
    ReplayRequest,
    WorldMessage,
    socket_path,
)
from simulator.realtime.shared_clock import ClockAnchor, ClockReader
from station.core.inputs import Edge
from station.gates.driver import GateHealthReport
from vehicle.core.pulses import MICROSECONDS, STOCK_CALIBRATION, Pulses, neutral_pulses
from vehicle.hardware.frame import Frame
from vehicle.process.landlock import FileGrant
from vehicle.process.seccomp import AllowedSockets

RETRY_S = 0.2


@dataclass(frozen=True, slots=True)
class WorldClockOptions:
    """`[clock.options]`."""

    world: str = setting(what="the world's run folder or socket", file=True)


@dataclass(frozen=True, slots=True)
class WorldCarOptions:
    """`[camera.options]` and `[motors.options]`."""

    world: str = setting(what="the world's run folder or socket", file=True)
    car: str = setting(what="the car's name in the world")


@dataclass(frozen=True, slots=True)
class WorldGateOptions:
    """`options` of a gate; `beam` is the world's beam, the gate's own name if empty."""

    world: str = setting(what="the world's run folder or socket", file=True)
    beam: str = setting("", what="start, split1, split2, ...")


class WorldClock:
    """The world's time; its boot is the world's. UTC is this machine's own."""

    def __init__(self, options: dict[str, Any]) -> None:
        world = from_table(options, WorldClockOptions, "clock.options").world
        self._reader = ClockReader(socket_path(world).with_name(CLOCK_NAME))

    @property
    def boot_id(self) -> str:
        return self._reader.anchor().boot

    @property
    def rate(self) -> float:
        return self._reader.anchor().rate

    @property
    def trusted(self) -> bool:
        """Always True: the time of day does not matter in a mock world."""
        return True

    def now_ns(self) -> int:
        # The real time is read after the anchor, so it is never earlier.
        anchor: ClockAnchor = self._reader.anchor()
        return anchor.now_ns(time.monotonic_ns())

    def utc_ns(self) -> int:
        return time.time_ns()


class WorldCamera:
    """Frames of one car, 240 x 320 grey, newest first; stamps are the world's."""

    sockets: ClassVar[AllowedSockets] = "local"  # reconnect to a world that was started again

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:  # noqa: ARG002  # every camera gets it
        self._options = from_table(options, WorldCarOptions, "camera.options")
        self._closed = False
        self._connection: DeviceConnection | None = DeviceConnection(
            self._options.world, Hello("camera", self._options.car)
        )
        self._newest: Frame | None = None

    @staticmethod
    def grants(options: dict[str, Any]) -> list[FileGrant]:
        """The folder of the world's clock and socket, which a world that is started again makes anew."""
        return [FileGrant(socket_path(from_table(options, WorldCarOptions, "camera.options").world).parent)]

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame that was not read yet; None after `timeout_s`, or while the world is away."""
        until_s = time.monotonic() + timeout_s
        while not self._closed:
            left_s = max(0.0, until_s - time.monotonic())
            if not self._receive(left_s if self._newest is None else 0.0):
                frame, self._newest = self._newest, None
                return self._acknowledged(frame)
        return None

    def close(self) -> None:
        self._closed = True
        self._disconnect()

    def _receive(self, wait_s: float) -> bool:
        """Receive what has arrived; False when nothing came in time."""
        try:
            if self._connection is None:
                self._connection = DeviceConnection(self._options.world, Hello("camera", self._options.car))
            received = self._connection.receive(wait_s)
        except HardwareMissing:
            self._disconnect()
            time.sleep(min(RETRY_S, wait_s))
            return wait_s > RETRY_S
        for message in received or ():
            if isinstance(message, Frame):
                self._newest = message
        return received is not None

    def _acknowledged(self, frame: Frame | None) -> Frame | None:
        if frame is not None and self._connection is not None:
            try:
                self._connection.send(FrameTaken(frame.seq))
            except HardwareMissing:
                self._disconnect()
        return frame

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class WorldMotors:
    """The PWM outputs of one car: servo and ESC accept whole microseconds, and hold the last pulse."""

    resolution = MICROSECONDS
    is_cut = False  # the mock car has no enable line

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:  # noqa: ARG002  # every driver gets it
        self._options = from_table(options, WorldCarOptions, "motors.options")
        self._lock = threading.Lock()
        self._connection: DeviceConnection | None = DeviceConnection(
            self._options.world, Hello("motors", self._options.car)
        )

    def apply(self, pulses: Pulses) -> None:
        """Set the pulse widths. Raises HardwareMissing while the world is away."""
        for width_ns in (pulses.steering_ns, pulses.throttle_ns):
            if width_ns % 1_000 or not 500_000 <= width_ns <= 2_500_000:
                raise HardwareMissing(
                    f"The mock car's motors cannot make a pulse of {width_ns} ns; check the calibration."
                )
        with self._lock:
            self._send(PulseWidths(pulses.steering_ns, pulses.throttle_ns))

    def neutral(self) -> None:
        self.apply(neutral_pulses(STOCK_CALIBRATION, self.resolution))

    def enable(self) -> None:
        """Nothing to enable."""

    def cut(self) -> None:
        """Nothing to cut."""

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _send(self, message: WorldMessage) -> None:
        try:
            self._connected().send(message)
        except HardwareMissing:
            # The world may have been started again since: try once on a new connection, then raise.
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._connected().send(message)

    def _connected(self) -> DeviceConnection:
        if self._connection is None:
            self._connection = DeviceConnection(self._options.world, Hello("motors", self._options.car))
        return self._connection


class WorldGate:
    """One beam of the world; edges that the station did not store are sent again while the world remembers them."""

    def __init__(self, name: str, sensors: tuple[str, ...], options: dict[str, Any], clock: Clock) -> None:  # noqa: ARG002
        self._options = from_table(options, WorldGateOptions, f"gate {name}")
        if len(sensors) != 1:
            raise ConfigError(f"gate {name}: a gate of the mock world has one beam, so name one sensor.")
        self._name, self._sensor = name, sensors[0]
        self._hello = Hello("gate", self._options.beam or name)
        self._after: dict[str, int] = {}
        self._put: Callable[[Edge], None] | None = None
        self._closing = threading.Event()
        self._alive, self._sentence = True, "The beam is clear."
        self._last_ns: int | None = None
        self._edges = self._lost = 0
        self._connection: DeviceConnection | None = DeviceConnection(self._options.world, self._hello)
        self._thread: threading.Thread | None = None

    def start(self, after: Mapping[str, int], put: Callable[[Edge], None]) -> None:
        self._after, self._put = dict(after), put
        self._thread = threading.Thread(target=self._run, name=f"gate-{self._name}", daemon=True)
        self._thread.start()

    def health(self) -> GateHealthReport:
        return GateHealthReport(self._alive, self._sentence, self._last_ns, self._edges, self._lost)

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2.0)
        if self._connection is not None:
            self._connection.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                connection = self._connection or DeviceConnection(self._options.world, self._hello)
                self._connection = connection
                self._receive_edges(connection)
            except HardwareMissing as error:
                self._alive, self._sentence = False, str(error)
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                self._closing.wait(RETRY_S)

    def _receive_edges(self, connection: DeviceConnection) -> None:
        boot = connection.welcome.boot
        connection.send(ReplayRequest(self._after.get(boot, 0)))
        self._alive = True
        while not self._closing.is_set():
            for message in connection.receive(0.1) or ():
                if isinstance(message, GateEdge):
                    self._on_edge(message, boot)

    def _on_edge(self, edge: GateEdge, boot: str) -> None:
        missing = edge.seq - self._after.get(boot, 0) - 1
        if missing > 0:
            self._lost += missing
        self._after[boot] = edge.seq
        self._edges += 1
        self._last_ns = edge.at_ns
        self._sentence = "The beam is broken." if edge.broken else "The beam is clear."
        assert self._put is not None
        self._put(Edge(self._name, self._sensor, edge.broken, edge.at_ns, edge.seq, boot))
