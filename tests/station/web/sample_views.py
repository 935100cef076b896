"""Sample views, and a fake station that shows what a test sets."""

import dataclasses
import pathlib
import threading
from dataclasses import dataclass, field, replace

from shared.errors import RacedayError, Refused, StorageError
from shared.rules.ranking import RaceRules
from station.core.facts import GateNoteStored, Lap, Proposal
from station.core.inputs import ChangeRace, Command, StopAll
from station.core.race.race_changes import PlaceChange
from station.views.audit.audit_trail import AuditEntry
from station.views.car_views import CarStopView, CarView, StopView
from station.views.command_answers import Accepted, Declined, RulingEffect
from station.views.gate_views import GateView, SensorView
from station.views.race_views import RaceView, RunView, StandingLine
from station.views.results.race_results import RaceResults
from station.views.runs.run_archive import LastAct, RunPage, RunSummary
from station.views.system_views import BrokerView, ClockView, ResultProblem, StoreView, SyncView
from station.views.views import View

S = 1_000_000_000
MS = 1_000_000
RULES = RaceRules(consecutive_laps=3, max_laps=8, time_limit_s=180, off_track_penalty_s=2, max_resets_per_lap=3)
RACE = RaceView("race-1", "Autumn Summit 2026", "re:Invent 2018", RULES)
CAR = CarView(
    "car-1", True, "driving", "", "center-line-v3", "ab" * 32, 70, True, 0.1, 0.5, 18_000, 31_000, 4_200, 5120, 0, ""
)
SPARE = CarView(
    "car-2", True, "disarmed", "", "apex-hunter", "cd" * 32, 60, False, None, None, None, None, None, None, None, ""
)
GATE = GateView("start", ("beam-a", "beam-b"), True, "Last edge 4 s ago.", 48, 0, ())


def lap(number: int, ms: int, **changes: object) -> Lap:
    ended_ns = (100 + number * 12) * S
    made = Lap("run-7", number, ms * 1_000_000, ended_ns, "boot-0", ended_ns, 1000, confirmed=True)
    return replace(made, **changes)  # type: ignore[arg-type]


LAPS = (
    lap(1, 10_482),
    lap(2, 9_871, off_tracks=1),
    lap(3, 9_654),
    lap(4, 9_702),
    lap(5, 31_250, valid=False, reason="Marshal stood in the beam"),
    lap(6, 9_588, confirmed=False),
)
RUN = RunView(
    run_id="run-7",
    racer="Ada Lovelace",
    car="car-1",
    model="center-line-v3",
    model_sha256="ab" * 32,
    attempt=2,
    phase="running",
    released=True,
    laps=LAPS,
    lap_number=7,
    lap_started_ns=200 * S,
    ends_ns=330 * S,
    best_ns=9_588 * 1_000_000,
    score_ms=10_409,
    finished_reason="",
    counts=True,
    lap_off_tracks=1,
    lap_collisions=0,
    lap_resets=0,
    flagged=(),
    proposals=(
        Proposal(
            "run-7",
            "missed_crossing",
            150 * S,
            "car-1",
            "Car-1 passed the gate after lap 4, but the gate did not see it.",
        ),
    ),
)
STANDING = tuple(
    StandingLine(rank, racer, score, score - 9_412, interval, tied, runs, "")
    for rank, racer, score, interval, tied, runs in (
        (1, "Grace Hopper", 9_412, 0, False, 3),
        (2, "Katherine Johnson", 9_655, 243, True, 2),
        (3, "Alan Turing", 9_655, 0, True, 1),
        (4, "Ada Lovelace", 10_409, 754, False, 2),
        (5, "Edsger Dijkstra", 11_020, 611, False, 1),
        (6, "Barbara Liskov", 12_733, 1_713, False, 1),
    )
)
VIEW = View(
    version=1,
    station="station-1",
    clock=ClockView("boot-0", 204 * S, 1_790_000_000 * S, 1.0),
    race=RACE,
    run=RUN,
    standing=STANDING,
    gates=(GATE,),
    cars=(CAR, SPARE),
    broker=BrokerView(True, "Connected to 127.0.0.1.", 0, 0),
    sync=SyncView(5, 4, 1, 0, True, "The leaderboard answered 503: busy. race-1.run-6 waits (2 tries so far)."),
    store=StoreView(True, "", 0, 412, "9f3c2a7db0"),
)
EMPTY = replace(VIEW, race=None, run=None, standing=(), gates=(), cars=(), sync=SyncView(0, 0, 0, 0, False, ""))
TROUBLE = replace(
    VIEW,
    gates=(replace(GATE, alive=False, sentence="No word from the gate for 6 s: look at its cable."),),
    cars=(
        replace(CAR, mode="tripped", reason="frames too old", alarm="Tripped: no fresh camera frame for 210 ms."),
        SPARE,
    ),
    sync=SyncView(
        5,
        3,
        1,
        2,
        True,
        "race-1.run-6 was rejected (404): there is no race 'race-1'.",
        (
            ResultProblem("race-1.run-6", 1, "rejected", "race-1.run-6 was rejected (404): there is no race 'race-1'."),
            ResultProblem("race-1.run-5", 2, "rejected", "race-1.run-5 was rejected (409): used with another body."),
            ResultProblem("race-1.run-4", 1, "unknown", "race-1.run-4 was sent; its answer is awaited (1 try so far)."),
        ),
        True,
        "The leaderboard does not know the race 'race-1': create it there, or mend [race] `id`.",
    ),
    broker=BrokerView(False, "No broker at 127.0.0.1:1883.", 14, 2),
)


NOTES = (
    GateNoteStored(
        "start", "missed_numbers", "The passing numbers 13 to 14 are missing (after 12 came 15).", 2, 1_790_000_000 * S
    ),
    GateNoteStored("start", "restart", "The decoder restarted: laps across this are void.", 0, 1_789_999_000 * S),
)
FULL_GATE = replace(
    GATE,
    stuck=("beam-b",),
    each=(
        SensorView("beam-a", 24, 2, 400 * S, 0.92, 1_790_000_000 * S),
        SensorView("beam-b", 24, 31, 401 * S, 0.12, 1_790_000_001 * S),
    ),
    dropped=57,
    offset_ns=12_345_678_901,
    drift_ppb=17_250,
    uncertainty_ns=212_000,
    notes=NOTES,
)
SPLIT = GateView(
    "sector-1", ("loop",), True, "The decoder answers.", 12, 0, (), (SensorView("loop", 12),), kind="split"
)


def on_track(number: int, racer: str, car: str, laps: tuple[Lap, ...], **changes: object) -> RunView:
    """One of several runs on the track, with laps of its own."""
    run_id = f"run-{number}"
    made = replace(
        RUN,
        run_id=run_id,
        racer=racer,
        car=car,
        laps=tuple(replace(each, run_id=run_id) for each in laps),
        lap_number=len(laps) + 1,
        lap_started_ns=(200 + number) * S - 30 * S,
        proposals=(),
        lap_off_tracks=0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


RUNS = (
    on_track(7, "Ada Lovelace", "car-1", LAPS[:4], racer_best_ns=9_654 * MS),
    on_track(8, "Grace Hopper", "car-2", (lap(1, 9_900), lap(2, 9_401)), racer_best_ns=9_401 * MS),
    on_track(9, "Katherine Johnson", "car-3", (), phase="armed", released=False, lap_started_ns=None, score_ms=None),
)
DOUBTFUL = Proposal(
    "run-8",
    "doubtful_crossing",
    190 * S,
    "cars",
    "Ada Lovelace and Grace Hopper crossed within 0.2 s: whose was it?",
    crossing=41,
    sure_percent=63,
    others=("run-7",),
)
TOGETHER = replace(
    VIEW,
    race=replace(RACE, cars_on_track=3, best_lap_ns=9_401 * MS, best_racer="Grace Hopper"),
    runs=(RUNS[0], replace(RUNS[1], proposals=(DOUBTFUL,)), RUNS[2]),
    run=RUNS[2],
)
TESTING = replace(VIEW, mode="test", gates=(FULL_GATE, SPLIT), run=None)


STOPPED = StopView(
    on=True,
    author="operator",
    at_utc_ns=1_790_000_100 * S,
    lease_ms=500,
    cars=(
        CarStopView("car-1", "stopped", "tripped", took_ms=212),
        CarStopView("car-2", "ordered", "driving"),
        CarStopView("car-3", "unreached", "driving", heard_utc_ns=1_790_000_040 * S),
        CarStopView("car-4", "unreached", "disarmed"),
    ),
)


@dataclass
class FakeStation:
    """A station behind `ServicePort`: it serves a view by version, and answers commands with `answer`."""

    view: View = VIEW
    answer: Accepted | Declined | RacedayError = field(default_factory=lambda: Accepted(413, "run-7"))
    commands: list[Command] = field(default_factory=list)
    stop: StopView = STOPPED  # the outcome of a stop
    changed: threading.Condition = field(default_factory=threading.Condition)
    results: dict[str, RaceResults] = field(default_factory=dict)
    acts: tuple[AuditEntry, ...] = ()
    own_acts: tuple[LastAct, ...] = ()
    commanded: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def begin_anew(self) -> None:
        """Is as at first, for the next test, but for the version of its view: that goes on."""
        fresh = FakeStation()
        for part in dataclasses.fields(fresh):
            if part.name not in ("view", "changed"):
                setattr(self, part.name, getattr(fresh, part.name))
        self.show(
            **{part.name: getattr(VIEW, part.name) for part in dataclasses.fields(VIEW) if part.name != "version"}
        )

    def snapshot(self) -> View:
        return self.view

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        with self.changed:
            newer = self.changed.wait_for(lambda: self.view.version > version, timeout_s)
            return self.view if newer else None

    def submit(self, command: Command, timeout_s: float = 10.0) -> Accepted | Declined:
        self.commands.append(command)
        self.commanded.release()
        if isinstance(self.answer, RacedayError):
            raise self.answer
        return self.answer

    def stop_all(self, author: str, reason: str = "", device: str = "") -> StopView:
        self.commands.append(StopAll(author=author, reason=reason, device=device))
        self.commanded.release()
        self.show(stop=replace(self.stop, author=author))
        return self.view.stop

    def audit(self) -> tuple[AuditEntry, ...]:
        return self.acts

    def race_results(self, race_id: str) -> RaceResults | None:
        return self.results.get(race_id)

    def stop_state(self) -> StopView:
        return self.view.stop

    @property
    def journal_path(self) -> pathlib.Path:
        raise StorageError("This station has no journal.")

    def preview(self, command: Command) -> RulingEffect:
        raise Refused("This station previews nothing.")

    def preview_rules(self, command: ChangeRace) -> tuple[PlaceChange, ...]:
        raise Refused("This station previews nothing.")

    def last_acts(self, author: str) -> tuple[LastAct, ...]:
        return self.own_acts

    def run_list(self) -> tuple[RunSummary, ...]:
        return ()

    def run_page(self, run_id: str) -> RunPage | None:
        return None

    def show(self, **changes: object) -> None:
        with self.changed:
            self.view = dataclasses.replace(self.view, **changes, version=self.view.version + 1)  # type: ignore[arg-type]
            self.changed.notify_all()
