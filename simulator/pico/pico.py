"""A simulated Pico gate: the firmware's logic behind a faulty serial line and crystal, on virtual time or on a pty.

The line delays each message by 0 to 16 ms (in order, as in a stream), loses bytes, and can be cut; the crystal is off
by 50 ppm and wanders; the gate can be reset. The beam changes given to it, with their times, are the ground truth.
"""

import heapq
import itertools
import math
import os
import random
import select
import threading
import tty
from collections.abc import Callable
from dataclasses import dataclass

from station.gates.pico.firmware.gatewire import GateFirmware

MS = 1_000_000
S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LineFaults:
    """The faults of line and crystal. The crystal's rate wanders as a sine, by the given amount to each side."""

    latency_ms: float = 16.0
    loss: float = 0.0
    drift_ppm: float = 50.0
    wander_ppm: float = 2.0
    wander_period_s: float = 300.0


class CrystalClock:
    """Converts true time (ns) to the gate's own microseconds."""

    def __init__(self, faults: LineFaults, boot_ns: int) -> None:
        self._faults, self._boot_ns = faults, boot_ns

    def us(self, at_ns: int) -> int:
        since_ns = at_ns - self._boot_ns
        turn = 2 * math.pi * since_ns / S / self._faults.wander_period_s
        swing_ns = self._faults.wander_ppm * 1e3 * self._faults.wander_period_s / (2 * math.pi) * (1 - math.cos(turn))
        return max(0, round((since_ns * (1 + self._faults.drift_ppm * 1e-6) + swing_ns) / 1000))


class FaultyLine:
    """One direction of the serial line, with its delays and losses."""

    def __init__(self, faults: LineFaults, chance: random.Random) -> None:
        self._faults, self._chance = faults, chance
        self._flying: list[tuple[int, int, bytes]] = []
        self._count = itertools.count()
        self._last_ns = 0

    def send(self, data: bytes, at_ns: int) -> None:
        """Put one message on the line at `at_ns`; it arrives late, and without the bytes that are lost."""
        if not data:
            return
        arrived = bytes(byte for byte in data if self._chance.random() >= self._faults.loss)
        late_ns = round(self._chance.random() * self._faults.latency_ms * MS)
        self._last_ns = max(self._last_ns, at_ns + late_ns)
        heapq.heappush(self._flying, (self._last_ns, next(self._count), arrived))

    def next_ns(self) -> int | None:
        return self._flying[0][0] if self._flying else None

    def pop(self, until_ns: int) -> tuple[bytes, int] | None:
        """Remove and return the next message that has arrived, with its arrival time; None if there is none."""
        if not self._flying or self._flying[0][0] > until_ns:
            return None
        arrived_ns, _, data = heapq.heappop(self._flying)
        return data, arrived_ns

    def cut(self) -> None:
        self._flying.clear()


class FaultyPico:
    """The gate and its line, moved on by `advance`. All times are true time in ns."""

    def __init__(self, faults: LineFaults, seed: int, at_ns: int = 0) -> None:
        self._faults, self._chance = faults, random.Random(seed)
        self._out, self._back = FaultyLine(faults, self._chance), FaultyLine(faults, self._chance)
        self._moves: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = itertools.count()
        self.reset(at_ns)

    def reset(self, at_ns: int) -> None:
        """Power-cycle the gate: a new boot with an empty memory."""
        self.gate = GateFirmware(f"{self._chance.getrandbits(32):08x}")
        self.crystal = CrystalClock(self._faults, at_ns)
        self._beat_ns = at_ns + S

    def plan(self, at_ns: int, sensor: int, level: int) -> None:
        """Plan a change of the pin at the given true time."""
        self.plan_move(at_ns, lambda now_ns: self.gate.edge(self.crystal.us(now_ns), sensor, level))

    def plan_move(self, at_ns: int, move: Callable[[int], None]) -> None:
        """Plan any change of the gate; `move` is called with the true time."""
        heapq.heappush(self._moves, (at_ns, next(self._count), move))

    def write(self, data: bytes, at_ns: int) -> None:
        """Accept bytes sent by the station."""
        self._out.send(data, at_ns)

    def read(self, until_ns: int) -> tuple[bytes, int] | None:
        """The next message that has arrived at the station, and its arrival time."""
        return self._back.pop(until_ns)

    def cut(self) -> None:
        """Cut the line: all bytes in transit are lost."""
        self._out.cut()
        self._back.cut()

    def next_ns(self) -> int:
        """The time of the next event, at the gate or at the station's end of the line."""
        times = [self._beat_ns, self._out.next_ns(), self._back.next_ns(), self._moves[0][0] if self._moves else None]
        return min(time for time in times if time is not None)

    def advance(self, until_ns: int) -> None:
        """Run the gate up to the given time."""
        while True:
            arrival = self._out.next_ns()
            move = self._moves[0][0] if self._moves else None
            at_ns = min(time for time in (self._beat_ns, arrival, move) if time is not None)
            if at_ns > until_ns:
                return
            self._once(at_ns, arrival, move)
            self._back.send(self.gate.next_edges(), at_ns)

    def _once(self, at_ns: int, arrival: int | None, move: int | None) -> None:
        if at_ns == move:
            heapq.heappop(self._moves)[2](at_ns)
        elif at_ns == arrival:
            message = self._out.pop(at_ns)
            assert message is not None
            self._back.send(self.gate.on_data(message[0], self.crystal.us(at_ns)), at_ns)
        else:
            self._beat_ns += S
            self._back.send(self.gate.heartbeat(), at_ns)


class PicoOnPty:
    """The same gate in real time on a pseudo-terminal: `path` is its port, `clock_ns` the true time."""

    def __init__(self, faults: LineFaults, seed: int, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # held open, so that the port survives its user
        self.path = os.ttyname(self._slave)
        self._lock = threading.Lock()
        self._pico = FaultyPico(faults, seed, clock_ns())
        self._wake_read, self._wake_write = os.pipe()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="pico-pty", daemon=True)
        self._thread.start()

    def edge(self, sensor: int, level: int) -> int:
        """Change the pin now; return the true time."""
        with self._lock:
            at_ns = self._clock_ns()
            self._pico.advance(at_ns)
            self._pico.gate.edge(self._pico.crystal.us(at_ns), sensor, level)
        os.write(self._wake_write, b".")
        return at_ns

    def plan(self, at_ns: int, sensor: int, level: int) -> None:
        """Plan a change of the pin at a true time in the future."""
        with self._lock:
            self._pico.plan(at_ns, sensor, level)
        os.write(self._wake_write, b".")

    def reset(self) -> None:
        with self._lock:
            self._pico.advance(self._clock_ns())
            self._pico.cut()
            self._pico.reset(self._clock_ns())
        os.write(self._wake_write, b".")

    def close(self) -> None:
        self._closing = True
        os.write(self._wake_write, b".")
        self._thread.join(2.0)
        for end in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(end)

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                wait_s = max(0.0, (self._pico.next_ns() - self._clock_ns()) / S)
            ready, _, _ = select.select([self._master, self._wake_read], [], [], wait_s)
            sent = os.read(self._master, 4096) if self._master in ready else b""
            if self._wake_read in ready:
                os.read(self._wake_read, 64)
            self._turn(sent)

    def _turn(self, sent: bytes) -> None:
        with self._lock:
            now_ns = self._clock_ns()
            self._pico.advance(now_ns)
            self._pico.write(sent, now_ns)
            self._pico.advance(now_ns)
            back = b""
            while message := self._pico.read(now_ns):
                back += message[0]
        if back:
            os.write(self._master, back)
