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

STEP_NS = 50 * MS
AFTER: dict[str, m.CarMode] = {
    "arm": "ready", "start": "driving", "stop": "stopped", "estop": "tripped", "reset": "disarmed",
}  # fmt: skip


class ObedientCar(WireCar):
    """A car that does what it is ordered, with its next heartbeat, and reports its model."""

    mode: m.CarMode = "disarmed"

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


@dataclass
class SimulatedTrack:
    """The station's address and claim code, and the track: `drive` lets the car on it do laps."""

    url: str
    claim_code: str
    rig: Rig
    access: StationAccess
    cars: list[ObedientCar] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def drive(self, *laps_s: float) -> None:
        """The car comes to the line, and crosses it again after each of these times."""
        with self.lock:  # so that no time passes between the wait and the line
            crossed_ns = self.rig.clock.now_ns()
            for lap_s in (1.0, *laps_s):
                crossed_ns += round(lap_s * S)
                while self.rig.clock.now_ns() < crossed_ns:
                    self.step(min(STEP_NS, crossed_ns - self.rig.clock.now_ns()))
                self.rig.gate.pass_by()
                self.step(200 * MS)

    def step(self, step_ns: int = STEP_NS) -> None:
        """Moves everything on by a step; for whoever holds the lock."""
        self.rig.clock.advance(self.rig.clock.now_ns() + step_ns)
        for car in self.cars:
            car.obey()
        self.rig.settle()


@contextmanager
def simulated_track(path: pathlib.Path, rules: RaceRules, cars: int = 3) -> Iterator[SimulatedTrack]:
    """A station that nobody has claimed, with its first race, and so many cars that wait."""
    rig = Rig(path / "station.db", rules)
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
