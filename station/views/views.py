"""What the screens show: one frozen snapshot of what is stored, and the port through which the web sees the station.

Everything in a View was committed before it got here (cars, gates and the wire excepted: they are live states).
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.protocol.messages import CarMode, RunPhase
from shared.rules.ranking import RaceRules
from station.core.facts import GateNoteStored, Lap, Proposal
from station.core.inputs import Command, GateKind, Layout, Mode, System
from station.core.timing.readiness import OVERRIDE


@dataclass(frozen=True, slots=True)
class ClockView:
    """For a lap clock that runs in the browser: `rate` is seconds of the station's clock per real second.

    `trusted` False: nobody vouches for the time of day (`utc_ns`); laps are measured by another clock.
    """

    boot: str
    now_ns: int
    utc_ns: int
    rate: float
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class RaceView:
    """The race that is on. `cars_on_track`: so many runs may be on at the same time.

    `best_lap_ns`: the fastest counted lap of anyone, penalties included, and whose it is.
    """

    race_id: str
    name: str
    track: str
    rules: RaceRules
    cars_on_track: int = 1
    best_lap_ns: int | None = None
    best_racer: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """The run on the track, or the last one. `lap_started_ns` is on the station's clock; None: no lap is on.

    `released`: the start was given. `ends_ns`: when the time limit strikes, on the station's clock.
    `flagged`: stamps of crossings that were too soon to end a lap (they can be counted by `add_crossing`).
    `proposals`: what the official is asked, each until it is done or dismissed: a missed crossing is counted by
    `add_crossing`, a false one dropped by `drop_crossing`, a doubtful one given by `assign_crossing` with its number
    (to this run or to one of `others`, by `run_id`); `dismiss` with its `at_ns` takes any of them off the list.
    `by_hand`: a person started the car, and no order goes to it.
    `racer_best_ns`: the racer's fastest counted lap in all runs of the race. `model` and `model_sha256` are what the
    car reports (what was entered, until it does); `model_differs`: from the entry, so that Start is refused.
    `last_lap`: the time is up, and the lap in progress still counts. `limit_unsure`: the station rebooted within the
    run, and only the time of day tells how long that took.
    """

    run_id: str
    racer: str
    car: str
    model: str
    model_sha256: str
    attempt: int
    phase: RunPhase
    released: bool
    laps: tuple[Lap, ...]
    lap_number: int
    lap_started_ns: int | None
    ends_ns: int | None
    best_ns: int | None
    score_ms: int | None
    finished_reason: str
    counts: bool
    lap_off_tracks: int
    lap_collisions: int
    lap_resets: int
    flagged: tuple[int, ...]
    proposals: tuple[Proposal, ...]
    racer_best_ns: int | None = None
    by_hand: bool = False
    entered_model: str = ""
    reported_model: tuple[str, str] | None = None
    model_note: str = ""
    model_differs: bool = False
    last_lap: bool = False
    limit_unsure: bool = False


@dataclass(frozen=True, slots=True)
class UnknownTransponderView:
    """A transponder that passed in this race, and nobody knows whose it is: `assign_transponder` says it."""

    transponder: str
    passes: int


@dataclass(frozen=True, slots=True)
class StandingLine:
    """A place in the race. `tied`: the uncertainties of the times cannot tell it from another line."""

    rank: int
    racer: str
    score_ms: int
    gap_ms: int
    interval_ms: int
    tied: bool
    runs: int
    model: str
    uncertainty_ns: int = 0


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor: edges so far, those of the last minute that made no crossing, the newest one, the beam's level.

    `last_edge_ns` is on the clock of whoever stamped it, `last_utc_ns` the same as a time of day.
    """

    name: str
    edges: int = 0
    noise: int = 0
    last_edge_ns: int | None = None
    level: float | None = None
    last_utc_ns: int | None = None


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate's health; `stuck` names the sensors that are blocked for too long.

    `uncertainty_ns` of a stamp that is made now: the larger of the config's and the driver's. `notes`: what the driver
    noticed of its device lately, newest first. `passes`: how several sensors stand, by the passes so far; `untried`
    names those that saw no pass as it should be; `doubt`: why the layout as it is set loses passes, "" if it does not.
    `absent`: its device is not there; it is tried again.
    """

    name: str
    sensors: tuple[str, ...]
    alive: bool
    sentence: str
    edges: int
    lost: int
    stuck: tuple[str, ...]
    each: tuple[SensorView, ...] = ()
    dropped: int = 0
    offset_ns: int | None = None
    drift_ppb: int | None = None
    uncertainty_ns: int | None = None
    notes: tuple[GateNoteStored, ...] = ()
    kind: GateKind = "start_finish"
    system: System = "A"
    layout: Layout = "single"
    passes: str = ""
    untried: tuple[str, ...] = ()
    doubt: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class UncountedCrossing:
    """A crossing that counts for nobody, and why; `crossing` 0: edges that made none, of a sensor that nobody named."""

    crossing: int
    gate: str
    sensor: str
    utc_ns: int
    why: str
    transponder: str = ""


@dataclass(frozen=True, slots=True)
class CarView:
    """One car as it last spoke. `alarm` is a sentence to show loudly ("" if all is well).

    `practice`: somebody drives it from a phone, outside of any run.
    """

    name: str
    online: bool
    mode: CarMode
    reason: str
    model: str
    model_sha256: str
    throttle_percent: int
    leased: bool
    steering: float | None
    throttle: float | None
    frame_age_p50_us: int | None
    frame_age_p99_us: int | None
    policy_p50_us: int | None
    frames: int | None
    dropped: int | None
    alarm: str
    practice: bool = False


StopOutcome = Literal["stopped", "ordered", "unreached"]


@dataclass(frozen=True, slots=True)
class CarStopView:
    """What became of the stop at one car: only its own word after the order makes it `stopped`, `took_ms` later.

    `mode` as it last said; `heard_utc_ns`: when an unreached one was last heard, None if never. `other_boot`: all of
    this is of another machine that uses the name.
    """

    name: str
    outcome: StopOutcome
    mode: CarMode
    took_ms: int | None = None
    heard_utc_ns: int | None = None
    other_boot: str = ""


@dataclass(frozen=True, slots=True)
class StopView:
    """The stop of all cars: `on` until an official releases it; `cars` are all that the station knows.

    `connected`: the wire is up. Without it no order reaches a car, and every car's lease ends after `lease_ms`.
    """

    on: bool = False
    author: str = ""
    at_utc_ns: int = 0
    connected: bool = True
    lease_ms: int = 0
    cars: tuple[CarStopView, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokerView:
    """The wire."""

    connected: bool
    sentence: str
    queued: int
    dropped: int


@dataclass(frozen=True, slots=True)
class ResultProblem:
    """A result that the leaderboard has not, will not have, or counts as another score.

    `state`: pending, unknown (its answer was lost), rejected, or otherwise (posted with another score than ours).
    """

    result_id: str
    revision: int
    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ManagerView:
    """The port for an event manager that takes this station for its timer; how many of its pages listen."""

    listening: bool
    listeners: int
    sentence: str


@dataclass(frozen=True, slots=True)
class SyncView:
    """What became of the results that were due; `sentence` is the newest trouble, or that all is posted.

    `race_unknown`: the leaderboard says that it has no such race as the one that is on; `target` is what is known of
    it there ("" if it was not asked yet).
    """

    due: int
    posted: int
    pending: int
    rejected: int
    alive: bool
    sentence: str
    troubles: tuple[ResultProblem, ...] = ()
    race_unknown: bool = False
    target: str = ""


@dataclass(frozen=True, slots=True)
class StoreView:
    """The disk: `sentence` is "" while all is well; `held` inputs wait in memory, unacknowledged, until it is `ok`."""

    ok: bool
    sentence: str
    held: int
    records: int
    head: str


@dataclass(frozen=True, slots=True)
class View:
    """The whole page. `version` grows with each change.

    `runs`: all runs that are on now, in the order in which they were opened; `run` is the newest of them, or the last
    one that was. With several on, every command names its `run_id`. `uncounted`: the newest crossings that count for
    nobody, newest first. `strangers`: the latest last.
    """

    version: int
    station: str
    clock: ClockView
    race: RaceView | None
    run: RunView | None
    standing: tuple[StandingLine, ...]
    gates: tuple[GateView, ...]
    cars: tuple[CarView, ...]
    broker: BrokerView
    sync: SyncView
    store: StoreView
    mode: Mode = "race"
    runs: tuple[RunView, ...] = ()
    strangers: tuple[UnknownTransponderView, ...] = ()
    stop: StopView = field(default_factory=StopView)
    uncounted: tuple[UncountedCrossing, ...] = ()
    manager: ManagerView | None = None
    notice: str = ""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a run, and one lap of it, is worth at one moment; None: no such lap, no score, no place."""

    run_id: str
    racer: str
    lap: int | None
    lap_ms: int | None
    lap_counts: bool
    score_ms: int | None
    place: int | None


@dataclass(frozen=True, slots=True)
class RulingEffect:
    """A ruling's effect, also as the sentence that the page shows."""

    before: RunFigures
    after: RunFigures
    sentence: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command is done and stored as journal record `seq`; of a ruling also what it changed.

    `car` and `goal`: what it ordered of a car. Ordered is not done: that only the car's own mode says. `note`: why the
    order reaches no car now.
    """

    seq: int
    run_id: str = ""
    car: str = ""
    goal: str = ""
    note: str = ""
    effect: RulingEffect | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The command changed nothing; one sentence for the person who gave it."""

    sentence: str

    @property
    def may_be_overridden(self) -> bool:
        """An official may give it again with an `override_reason`."""
        return OVERRIDE in self.sentence


class ServicePort(Protocol):
    """What the web may ask of the station. All are safe from any thread.

    JSON becomes a command through `station.web.command_parser.parse_command`.
    """

    def snapshot(self) -> View: ...

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        """The newest view once its version is above `version`; None when `timeout_s` went by without a change."""

    def submit(self, command: Command, timeout_s: float = 10.0) -> Accepted | Declined:
        """Blocks until the command is stored, or refused."""

    def stop_all(self, author: str, reason: str = "") -> StopView:
        """Orders every car to stop, and latches it, before it returns; waits for no disk, queue or list."""

    def stop_state(self) -> StopView:
        """What became of it by now, car by car."""
