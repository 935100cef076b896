"""A station with its real web server and access, and simulated cars that obey it: what a journey through it needs.

Time is the test's: a thread moves it on in small steps, faster than real time, and lets cars answer and drive.
"""

import pathlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from shared.protocol import messages as m
from shared.rules.ranking import RaceRules
from shared.web.server import listen
from station.access.station_access import StationAccess
from station.web.app import create_app
from station.web.server import WebServer
from tests.station.service.station_rig import MS, Rig, S, WireCar
from tests.station.web.signed_in import cheap_access

STEP_NS = 100 * MS
SEEN_LATE_NS, CAR_UNCERTAINTY_NS = 3 * MS, 20 * MS
AFTER: dict[str, m.CarMode] = {
    "arm": "ready", "start": "driving", "stop": "stopped", "estop": "tripped", "reset": "disarmed",
}  # fmt: skip


class ObedientCar(WireCar):
    """A car that does what it is ordered, with its next heartbeat; it reports its model, and each pass of the line."""

    mode: m.CarMode = "disarmed"
    passed_ns: int | None = None
    passes = 0

    def obey(self) -> None:
        """Follows the newest order, and reports."""
        before = self.mode
        for order in self.collect(m.DriveOrder):
            assert isinstance(order, m.DriveOrder)
            self.mode = AFTER[order.action]
        self.beats += 1
        self.link.publish(m.CarHeartbeat(self.beats, self.mode))
        if self.beats == 1 or self.mode != before:
            self.link.publish(m.CarState(True, self.mode, model="center-line", model_sha256="ab" * 32))

    def pass_line(self, at_ns: int) -> None:
        """It has seen the line, a little late, as cameras do; its first pass since it was started ends no lap."""
        self.passes += 1
        seen_ns = at_ns + SEEN_LATE_NS * (1 + self.passes % 2)
        lap_ns = None if self.passed_ns is None else seen_ns - self.passed_ns
        report = m.CarLap(seen_ns, self.rig.clock.boot_id, lap_ns=lap_ns, uncertainty_ns=CAR_UNCERTAINTY_NS)
        self.link.publish_as(m.Message(m.Envelope(self.name, self.boot, self.passes), report))
        self.passed_ns = seen_ns


@dataclass
class SimulatedTrack:
    """The station's address and claim code, and the track: `drive` lets the car on it do laps."""

    url: str
    claim_code: str
    rig: Rig
    access: StationAccess
    cars: list[ObedientCar] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def drive(self, *laps_s: float, missed: int = 0) -> None:
        """The car comes to the line, and crosses it again after each of these times.

        `missed`: the gate does not see the end of this lap.
        """
        with self.lock:  # so that no time passes between the wait and the line
            driving = next((car for car in self.cars if car.mode == "driving"), None)
            crossed_ns = self.rig.clock.now_ns()
            for number, lap_s in enumerate((1.0, *laps_s)):
                crossed_ns += round(lap_s * S)
                while self.rig.clock.now_ns() < crossed_ns:
                    self.step(min(STEP_NS, crossed_ns - self.rig.clock.now_ns()))
                if not missed or number != missed:
                    self.rig.gate.pass_by()
                if driving is not None:
                    driving.pass_line(crossed_ns)
                self.step(200 * MS)
            if driving is not None:
                driving.passed_ns = None  # its next run begins with a pass that ends no lap

    def step(self, step_ns: int = STEP_NS) -> None:
        """Moves everything on by a step; for whoever holds the lock."""
        self.rig.clock.advance(self.rig.clock.now_ns() + step_ns)
        for car in self.cars:
            car.obey()
        self.rig.settle()


@contextmanager
def simulated_track(
    path: pathlib.Path, rules: RaceRules, cars: int = 3, *, broker: bool = True
) -> Iterator[SimulatedTrack]:
    """A station that nobody has claimed, with its first race, and so many cars that wait; perhaps without a broker."""
    rig = Rig(path / "station.db", rules)
    if not broker:
        rig.broker.kill()
    numbers = iter(range(1_000_000))
    rig.station.setup = replace(rig.station.setup, random_hex=lambda count: f"{next(numbers):0{2 * count}x}")
    access = cheap_access(path)
    app = create_app(rig.station, access)
    listening = listen("127.0.0.1", 0, "web")
    web = WebServer(app, listening, app.state.live.close, app.state.is_official)
    track = SimulatedTrack(f"http://127.0.0.1:{listening.getsockname()[1]}", access.claim_code_to_show(), rig, access)
    track.cars += [ObedientCar(rig, f"car-{number}") for number in range(1, cars + 1)]
    ended = threading.Event()

    def pump() -> None:
        before = time.monotonic()
        while not ended.wait(0.005):
            now = time.monotonic()
            with track.lock:
                track.step(min(STEP_NS, max(1, round((now - before) * S))))
            before = now

    thread = threading.Thread(target=pump, name="station")
    thread.start()
    web.start()
    try:
        yield track
    finally:
        web.close()
        listening.close()
        ended.set()
        thread.join()
        access.close()
        rig.station.close()
