"""An event as it might be at eleven in the morning, on a real station whose clock stands still: for pictures and tests.

Fourteen racers, eight of them with runs, one of them on the track again, and five in the queue. No time goes by at the
station, so that a picture taken twice differs in little more than the lap's clock, which a page runs by itself.
"""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.clock import ManualClock
from shared.link.mock import MockBroker, MockLink
from shared.protocol import messages as m
from shared.rules.ranking import RaceRules
from station.access.identity import Identity
from station.access.roles import Role
from station.access.tokens import ShownTokens
from station.checklists.records import (
    ChecklistFacts,
    DiscardedRun,
    SignInSighting,
    StationSightings,
    StopSighting,
)
from station.checklists.register import ChecklistRegister
from station.core import inputs as e
from station.core.event.records import Racer
from station.gates.mock import MockGate
from station.screens.register import ScreenRegister
from station.service.backups.station_backups import StationBackups
from station.service.setup import StationSetup
from station.service.station import Station
from station.store.event_files.tracks import TrackLibrary
from station.store.journal import Journal
from station.views.command_answers import Accepted
from tests.station.service.station_rig import MS, Rig, S, WireCar
from tests.station.web.archived_runs import working
from tests.station.web.conftest import Served, serve

TEN_NS = round(datetime(2026, 10, 10, 8, 0, tzinfo=UTC).timestamp()) * S  # ten o'clock in Berlin
RULES = RaceRules(
    consecutive_laps=3, max_laps=6, time_limit_s=240, off_track_penalty_s=2, collision_penalty_s=2, min_lap_s=4
)
RACERS = (
    Racer("Mira Okafor", "NG", "Delta Robotics", "#d97706", "apex-hunter-v7", "car-1"),
    Racer("Jonas Weber", "DE", "TU Dresden", "#2563eb", "center-line-v3", "car-2"),
    Racer("Aiko Tanaka", "JP", "Kyoto Loop", "#dc2626", "kyoto-12", "car-1"),
    Racer("Lena Hoffmann", "DE", "Gradient Descent", "#16a34a", "descent-41", "car-2"),
    Racer("Rahul Menon", "IN", "Bangalore Apex", "#7c3aed", "blr-final", "car-1"),
    Racer("Sofía Rossi", "IT", "Torino Robotica", "#0891b2", "torino-2", "car-2"),
    Racer("The Late Brakers", "NL", "Delft Student Racing", "#ea580c", "late-9", "car-1"),
    Racer("Elif Yılmaz", "TR", "Bosphorus", "#be123c", "bosphorus-5", "car-2"),
    Racer("Chloé Marchand", "FR", "Lyon Autonomie", "#4f46e5", "lyon-8", "car-1"),
    Racer("Tomás Herrera", "ES", "Norte Racing", "#15803d", "norte-3", "car-2"),
    Racer("Oskar Lindqvist", "SE", "Chalmers", "#0369a1", "chalmers-6", "car-1"),
    Racer("Kwame Mensah", "GH", "Accra Wheels", "#a16207", "accra-4", "car-2"),
    Racer("Zofia Wiśniewska", "PL", "Warsaw Drift", "#9333ea", "drift-11", "car-1"),
    Racer("Noah Kim", "KR", "Seoul Corner", "#0f766e", "corner-2", "car-2"),
)
ABSENT = ("Kwame Mensah", "Noah Kim")
RUNS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("Jonas Weber", (10.482, 9.871, 9.954, 9.702, 9.731, 9.688)),
    ("Mira Okafor", (9.902, 9.488, 9.401, 9.436, 9.389, 9.412)),
    ("Sofía Rossi", (11.204, 10.377, 10.291, 10.402, 10.188, 10.342)),
    ("The Late Brakers", (12.031, 11.476, 11.308, 13.902, 11.277, 11.341)),
    ("Aiko Tanaka", (9.995, 9.644, 9.611, 9.702, 9.587, 9.655)),
    ("Elif Yılmaz", (10.811, 10.022, 9.987, 10.114, 10.046, 10.093)),
    ("Rahul Menon", (9.861, 9.577, 9.642, 9.533, 9.498, 9.561)),
    ("Lena Hoffmann", (10.377, 10.241, 10.196, 10.288, 10.173, 10.244)),
)
MODES: tuple[m.CarMode, m.CarMode] = ("disarmed", "driving")
ON_TRACK = ("Lena Hoffmann", (9.982, 9.604, 9.572, 9.548))
SCREENS = (
    ("Hall left", "hall", "both", (1920, 1080)),
    ("Hall right", "hall", "board", (1920, 1080)),
    ("Pit lane", "pit", "queue", (1280, 800)),
    ("Stream", "stream", "both", (1920, 1080)),
)
TICKED = (
    ("powered", "Nadia"), ("road", "Ruth"), ("boards_stand", "Ruth"), ("line", "Ruth"), ("safety", "Sam"),
    ("batteries", "Sam"), ("big_screen", "Nadia"), ("spares", "Sam"),
)  # fmt: skip
QUEUE = ("Chloé Marchand", "Tomás Herrera", "Oskar Lindqvist", "Zofia Wiśniewska", "Jonas Weber")


class Summit(Rig):
    """The station, with a start line, two split gates and two cars."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.clock = ManualClock(10 * S, utc_offset_ns=TEN_NS)
        self.broker = MockBroker()
        self.gate = MockGate("start", ("beam",), {}, self.clock)
        self.splits = {name: MockGate(name, ("beam",), {}, self.clock) for name in ("sector-1", "sector-2")}
        specs = (
            e.GateSpec("start", layout="single"),
            *(e.GateSpec(name, kind="split", layout="single") for name in self.splits),
        )
        numbers = iter(range(7_340_033, 1 << 40, 104_729))
        self.setup = StationSetup(
            "timing-1", specs, None, random_hex=lambda count: f"{next(numbers):0{2 * count}x}"[-2 * count :]
        )
        self.cars: list[WireCar] = []
        self.starts, self.reports = 0, 0
        self.station, self.link = self._start()
        self._set_up()
        for racer, laps_s in RUNS:
            self.drive(racer, laps_s)
            self.submit()
            self.wait(48 * S)
        self._rule()
        self._be_in_the_middle_of_a_run()

    def make_station(self, link: MockLink) -> Station:
        gates = {"start": self.gate, **self.splits}
        return Station(self.setup, self.clock, link, gates, Journal(self.path))

    def command(self, command: e.Command) -> None:
        answer = self.give(command)
        assert isinstance(answer, Accepted), (command, answer)

    def _set_up(self) -> None:
        by: dict[str, Any] = {"author": "Nadia", "device": "Desk"}
        track: dict[str, Any] = {"track": "re:Invent 2018", "time_zone": "Europe/Berlin"}
        self.command(e.CreateEvent(name="Autumn Summit 2026", **by, **track))
        self.command(e.CreateRace(name="Qualifying", rules=RULES, cars_on_track=1, submit_after_s=-1, **by))
        self.command(e.CreateRace(name="Final", rules=RaceRules(consecutive_laps=1, max_laps=10), **by))
        self.command(e.SwitchRace(race_id="qualifying", **by))
        self.command(e.ImportRacers(racers=RACERS, **by))
        for racer in RACERS:
            if racer.alias not in ABSENT:
                self.command(e.CheckIn(racer=racer.alias, **by))
        self.command(e.AddCar(car="stock-7", kind="stock", colour="#64748b", transponders=("7340017",), **by))
        for name, model in (("car-1", "late-9"), ("car-2", "descent-41")):
            car = WireCar(self, name)
            car.state(m.CarState(True, "disarmed", "", model, "5e" * 32, 70))
            car.beat("disarmed")

    def drive(self, racer: str, laps_s: tuple[float, ...]) -> None:
        """A run of this racer, with what his car reports; it ends by itself if its laps are all of the race's."""
        name, model = next((each.car, each.model) for each in RACERS if each.alias == racer)
        car = next(each for each in self.cars if each.name == name)
        car.state(m.CarState(True, "disarmed", "", model, "5e" * 32, 70))
        car.beat("disarmed")
        self.command(e.OpenRun(author="Nadia", device="Desk", racer=racer, car=name, throttle_percent=70))
        car.beat("ready")
        car.state(m.CarState(True, "ready", "", model, "5e" * 32, 70))
        self.wait(6 * S)
        car.beat("ready")
        self.command(e.StartRun(author="Nadia", device="Desk"))
        car.state(m.CarState(True, "driving", "", model, "5e" * 32, 70))
        car.beat("driving")
        self._pass(car, 1.7, None)
        for lap_s in laps_s:
            self._pass(car, lap_s, round(lap_s * S))
        car.beat("driving")

    def _pass(self, car: WireCar, after_s: float, lap_ns: int | None) -> None:
        """The car passes the two split gates and then the line, and reports it."""
        left_ns = round(after_s * S) - 350 * MS
        for share, gate in zip((0.31, 0.36), self.splits.values(), strict=True):
            if lap_ns is not None:
                self.wait(round(share * after_s * S))
                left_ns -= round(share * after_s * S)
                gate.pass_by()
        self.wait(left_ns)
        self.gate.pass_by()
        self.wait(150 * MS)
        self.reports += 1
        car.lap(self.reports, self.clock.now_ns() - 150 * MS, lap_ns)
        self.wait(100 * MS)
        car.beat("driving")

    def submit(self) -> None:
        self.command(e.SubmitRun(author="Nadia", device="Desk"))
        for car in self.cars:
            car.beat("disarmed")

    def _rule(self) -> None:
        by: dict[str, Any] = {"author": "Ruth", "device": "Tablet at turn 3"}
        self.command(e.AddPenalty(run_id="run-5", number=1, seconds=1.5, reason="touched the cone of turn 6", **by))
        self.command(e.VoidLap(run_id="run-4", number=4, reason="a marshal stood in the beam", **by))
        self.command(e.VoidLap(run_id="run-1", number=3, reason="cut the corner at turn 3", **by))
        self.command(e.RestoreLap(run_id="run-1", number=3, reason="the video shows all wheels on the line", **by))

    def _be_in_the_middle_of_a_run(self) -> None:
        by: dict[str, Any] = {"author": "Nadia", "device": "Desk"}
        self.drive(*ON_TRACK)
        for racer in QUEUE:
            self.command(e.QueueRacer(racer=racer, **by))
        self.command(e.CallNext(**by))
        self.wait(3 * S)
        self.splits["sector-1"].pass_by()
        self.wait(900 * MS)
        self.command(e.OffTrack(author="Ruth", device="Tablet at turn 3"))
        for car, mode, model in zip(self.cars, MODES, ("lyon-8", "descent-41"), strict=True):
            car.beat(mode)
            car.state(m.CarState(True, mode, "", model, "5e" * 32, 70))
            car.beat(mode)


@dataclass(frozen=True)
class Hall:
    """The summit's pages as an admin sees them, and as a visitor does; `device`: the token of one that is paired."""

    officials: Served
    visitors: Served
    summit: Summit
    device: str

    def at(self, address: str, *, public: bool) -> str:
        """Where a page is; `{code}` stands for the code of the racer on the track."""
        racers = self.summit.station.snapshot().event.racers
        code = next(racer.code for racer in racers if racer.alias == ON_TRACK[0])
        return (self.visitors if public else self.officials).url + address.format(code=code)


def filled_checklists(summit: Summit) -> ChecklistRegister:
    """The checklists at eleven in the morning: most of the morning's boxes are ticked, and a staff car has driven."""
    checklists, now_ns = ChecklistRegister(None), summit.clock.utc_ns()
    for minutes, (key, person) in enumerate(TICKED):
        checklists.tick(key, person, now_ns - (110 - 4 * minutes) * 60 * S, on=True)
    at_ns = now_ns - 95 * 60 * S
    checklists.set_facts(
        ChecklistFacts(
            ("Nadia", "Ruth", "Max", "Sam"), (), True, "", "raceday-2026-10-10-0852.zip", at_ns, paired=("Tablet",)
        )
    )
    stop = StopSighting("stop button", at_ns, ("car-1", "car-2"), ())
    run = DiscardedRun("run-0", "car-1", 3, 3, False, at_ns, "Sam")
    signed_in = tuple(SignInSighting(each, at_ns, "Tablet") for each in ("Nadia", "Ruth", "Sam"))
    checklists.set_sightings(StationSightings(stop=stop, run=run, signed_in=signed_in))
    return checklists


@contextmanager
def summit_hall(folder: pathlib.Path) -> Iterator[Hall]:
    """The summit served, with people, a device that is being paired, and screens."""
    summit = Summit(folder / "station.db")
    screens = ScreenRegister(None)
    for number, (name, kind, mode, size) in enumerate(SCREENS):
        screens.here(f"screen-{number}", "screen", *size, summit.clock.utc_ns())
        screens.change(f"screen-{number}", name=name, kind=kind, mode=mode)
    screens.show_scene("heat")
    port: Any = summit.station
    backups = StationBackups(folder)
    backups.folder.mkdir()
    (backups.folder / "raceday-2026-10-09-1912.zip").write_bytes(bytes(184_000))
    shown: dict[str, Any] = {
        "screens": screens,
        "tracks": TrackLibrary(folder),
        "backups": backups,
        "checklists": filled_checklists(summit),
    }
    with (
        working(summit),
        contextmanager(serve)(port, person="Nadia", **shown) as officials,
        contextmanager(serve)(port, signed_in=False, screens=screens) as visitors,
    ):
        by = Identity("Nadia", Role.ADMIN, "Desk")
        for name, role in (("Ruth", Role.REFEREE), ("Max", Role.REFEREE), ("Sam", Role.OPERATOR)):
            officials.access.people.add_person(by, name, role, "284613")
        people = officials.access.people
        paired = people.offer_pairing(by, "Phone of the line judge", "phone", Role.REFEREE)
        device = people.pair(paired.code, ShownTokens(), "127.0.0.1")
        people.offer_pairing(by, "Tablet at turn 3", "tablet", Role.REFEREE)
        yield Hall(officials, visitors, summit, device)
