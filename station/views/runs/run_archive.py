"""The runs of all races and what was ruled on them, as the pages of runs show them. Made by service/archive/."""

from dataclasses import dataclass

from shared.protocol.messages import RunPhase
from shared.rules.ranking import RaceRules
from station.core.facts import Lap, Proposal
from station.core.rulings.commands import CrossingWitness
from station.core.rulings.witness_times import WitnessTime
from station.views.command_answers import RulingEffect
from station.views.runs.run_trace import RunTrace


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run as the list of runs shows it. `best_ms`: its best counted lap.

    `questions`: what officials are asked about it; `flagged`: crossings that came too soon; `voided`: laps that an
    official voided; `rulings`: how many were made. `evicted`: it is too old for a ruling.
    """

    run_id: str
    race_id: str
    race_name: str
    racer: str
    car: str
    attempt: int
    phase: RunPhase
    opened_utc_ns: int
    laps: int = 0
    best_ms: int | None = None
    score_ms: int | None = None
    counts: bool = True
    disqualified: str = ""
    official: str = ""
    questions: int = 0
    flagged: int = 0
    voided: int = 0
    rulings: int = 0
    by_hand: bool = False
    hand_timed: bool = False
    evicted: bool = False


@dataclass(frozen=True, slots=True)
class RulingRecord:
    """One ruling as it was made: record `seq` of the journal. `undoes`, `undone_by`: records, 0 if none.

    `words`: what was done; `effect`: what it changed, None if it changed no figures.
    """

    seq: int
    utc_ns: int
    author: str
    device: str
    words: str
    reason: str
    effect: RulingEffect | None = None
    undoes: int = 0
    undone_by: int = 0


@dataclass(frozen=True, slots=True)
class LastAct:
    """One of an official's last own acts. `why_not`: why it cannot be undone, "" if it can."""

    seq: int
    utc_ns: int
    run_id: str
    words: str
    why_not: str = ""
    undone: bool = False


@dataclass(frozen=True, slots=True)
class CrossingView:
    """The crossing that ended lap `number` (0: that began lap 1), its source, and the times of other witnesses.

    `at_ns` is on the clock of `boot`. `replaced`: by what it was timed before another witness did.
    """

    number: int
    crossing: int
    at_ns: int
    boot: str
    utc_ns: int
    uncertainty_ns: int
    source: str
    replaced: str = ""
    others: tuple[WitnessTime, ...] = ()

    def given_by(self, witness: CrossingWitness) -> WitnessTime | None:
        """What this witness gives for the crossing; None: nothing."""
        return next((each for each in self.others if each.witness == witness), None)


@dataclass(frozen=True, slots=True)
class RunPage:
    """Everything about one run: its laps, crossings, questions and rulings, and what every witness saw over time.

    `race_official`: who declared the results of its race official, "" if nobody. `model`, `model_sha256`: as posted.
    `hand_times_ns`, `flagged_ns`: hand times and crossings that do not count, in ns of the gate's clock.
    """

    summary: RunSummary
    rules: RaceRules
    laps: tuple[Lap, ...]
    crossings: tuple[CrossingView, ...]
    proposals: tuple[Proposal, ...]
    rulings: tuple[RulingRecord, ...]
    trace: RunTrace
    first_lap: int = 0
    last_lap: int = 0
    place: int | None = None
    model: str = ""
    model_sha256: str = ""
    finished_reason: str = ""
    race_official: str = ""
    hand_times_ns: tuple[int, ...] = ()
    flagged_ns: tuple[int, ...] = ()

    @property
    def run_id(self) -> str:
        return self.summary.run_id

    @property
    def racer(self) -> str:
        return self.summary.racer

    @property
    def car(self) -> str:
        return self.summary.car
