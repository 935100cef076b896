"""One race: its runs, those on the track, and its standings. Counting, orders and results work on this state.

Created by set_up.py when a race is opened. counting.py gives it crossings, orders.py officials' orders, time_limit.py
the time; results.py works out scores and results. Each run has its own phase by the table of phases.py.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from shared.protocol.messages import RunPhase
from station.core import facts as f
from station.core import inputs as e
from station.core.race.standings import Standings
from station.core.runs.car_models import ReportedModels
from station.core.runs.racer_names import RacerNames, Spellings
from station.core.runs.result_identity import ResultIdentity
from station.core.runs.run import Run
from station.core.runs.run_registry import RunIds, RunRegistry
from station.core.timing.utc_scale import UtcScale

MAX_DOUBTS = 4096


@dataclass(frozen=True, slots=True)
class RacePause:
    """Since when a race is paused, by whom and why."""

    moment: e.Moment
    author: str
    reason: str


class Race:
    """Everything that belongs to one race id. `info` is the race as it was opened, with its rules."""

    def __init__(
        self,
        info: e.OpenRace,
        scale: UtcScale,
        names: RacerNames,
        models: ReportedModels,
        ids: RunIds,
        identity: ResultIdentity,
    ) -> None:
        self.info = info
        self.models, self.ids, self.identity = models, ids, identity
        self.registry = RunRegistry()
        self.spellings = Spellings(names)
        self.on_track: list[Run] = []  # armed or running, in the order in which they were opened
        self.standings = Standings()
        self.doubtful: dict[int, f.Crossing] = {}  # crossings that an official may give to a run
        self.last: Run | None = None
        self.fastest: dict[str, int] = {}  # fastest lap (ns) of each finished run that counts
        self.scale = scale
        self.official = ""  # who declared the results official; "" while they are not
        self.official_with, self.official_utc_ns = "", 0  # with whom ("": alone), and when
        self.paused: RacePause | None = None
        self.waiting: list[Run] = []  # over, and not submitted yet, in the order in which they ended

    @property
    def runs(self) -> dict[str, Run]:
        """The runs that a ruling can name, by id, oldest first."""
        return self.registry.runs

    @property
    def run(self) -> Run | None:
        """The newest run on the track, else the last one; None before the first."""
        return self.on_track[-1] if self.on_track else self.last

    @property
    def phase(self) -> RunPhase:
        """The phase of the newest run; `idle` before the first."""
        return "idle" if self.run is None else self.run.phase

    @property
    def on(self) -> bool:
        """Whether a run is armed or running."""
        return bool(self.on_track)

    def for_trial(self, runs: Sequence[Run]) -> "Race":
        """A copy on which a ruling about these runs can be tried: it shares nothing that the ruling changes.

        It holds no other runs; their scores are in the standings.
        """
        copies = {run.run_id: run.copied() for run in runs}
        trial = copy(self)
        trial.registry, trial.spellings = self.registry.for_trial(copies), self.spellings.copied()
        trial.standings, trial.doubtful, trial.fastest = (
            self.standings.copied(),
            dict(self.doubtful),
            dict(self.fastest),
        )
        trial.on_track = [copies.get(run.run_id, run) for run in self.on_track]
        trial.waiting = [copies.get(run.run_id, run) for run in self.waiting]
        trial.last = None if self.last is None else copies.get(self.last.run_id, self.last)
        return trial

    def forget_waiting(self, run: Run) -> None:
        """The run waits no longer to be submitted."""
        self.waiting = [each for each in self.waiting if each is not run]

    def add_doubtful(self, crossing: f.Crossing) -> None:
        """Stores a crossing that an official may assign to a run."""
        self.doubtful[crossing.number] = crossing
        while len(self.doubtful) > MAX_DOUBTS:
            del self.doubtful[next(iter(self.doubtful))]

    def holder(self, crossing: int) -> Run | None:
        """The run that the crossing was counted for; None if there is none."""
        return next((each for each in self.runs.values() if each.book.holds(crossing)), None)

    def counted_elsewhere(self, run: Run) -> frozenset[int]:
        """The numbers of the crossings that were counted for other runs."""
        others = [each.book.segments for each in self.runs.values() if each is not run]
        return frozenset(segment.start.crossing for segments in others for segment in segments)

    def respell(self) -> list[f.Fact]:
        """Compares racers' names by the rules of another edition from now on; returns the facts.

        Spellings that counted as different racers before are merged under the first one.
        """
        merged = False
        self.spellings.forget()
        for racer in self.registry.racers():
            first = self.spellings.first_spelling(racer)
            if first != racer:
                self.registry.merge(racer, first)
                self.standings.merge(racer, first)
                merged = True
        return [f.StandingChanged(self.info.race_id, self.standings.lines())] if merged else []

    def settle(self, number: int) -> None:
        """The owner of this crossing is known now: its proposals are withdrawn."""
        self.doubtful.pop(number, None)
        for each in self.runs.values():
            each.proposals = [proposal for proposal in each.proposals if proposal.crossing != number]
