"""One run: its racer and car, its phase, its book of crossings and laps, and its clocks.

Which command each phase allows is in phases.py. Rulings are allowed on a run that is running or finished: they are
records of their own and change no earlier record. A run is created by orders.py, and changed by counting.py (its
crossings), rulings.py and time_limit.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.protocol.messages import RunPhase
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules, Score
from shared.units import seconds_to_ns
from station.core import inputs as e
from station.core.facts import CarOrdered, Proposal
from station.core.runs.book.lap_book import LapBook
from station.core.runs.hand_marks import HandMark
from station.core.runs.laps import CountedCrossing
from station.core.runs.phases import Trigger, next_phase
from station.core.runs.sectors import SplitCrossing

LATE_EDGE_NS = 500_000_000  # the limit is judged by stamps; a tick waits this long for edges still on their way
CarAction = Literal["arm", "start", "stop", "resume", "rearm"]


@dataclass(frozen=True, slots=True)
class StagedStart:
    """A start by the start lights, which went on at `moment`: it is given at `go_ns` on the clock of that boot."""

    moment: e.Moment
    go_ns: int
    by_hand: bool
    author: str


@dataclass(frozen=True, slots=True)
class PausedSpan:
    """When the race was paused within a run, in ns on the clock of one boot of the station."""

    boot: str
    began_ns: int
    ended_ns: int


@dataclass(slots=True)
class Run:
    """One racer's time on the track. `clocks` holds its start on each clock that measures the time limit.

    `model` and `model_sha256` are the entry's; `driven` is what the car reports, None while it reports nothing.
    `restarts`: for each boot of the station within the run, until a device's clock links it to the start: when that
    boot was first seen, and how long the run had certainly been on by then (both in ns).
    `hand_timed`: hand times are its crossings, because the gate is dead. `disqualified`, `official`: why it has no
    score, and who declared its result official; "" if neither.
    `signal`: the start signal, if lap 1 begins with it; `begun_again`: when lap 1 was last given another beginning.
    `paused`: since when the time limit stands still; `pauses`: when it stood still before.
    """

    run_id: str
    race: e.OpenRace
    racer: str
    car: str
    model: str
    model_sha256: str
    attempt: int
    book: LapBook
    throttle_percent: int | None = None
    phase: RunPhase = "armed"
    released: bool = False
    begun: bool = False
    opened_utc_ns: int = 0
    started_utc_ns: int = 0
    clocks: dict[str, int] = field(default_factory=dict)
    finished_reason: str = ""
    finished_utc_ns: int = 0
    finished_boot: str = ""  # the boot whose clock gave that time
    counts: bool = True
    score: Score | None = None
    posted: Result | None = None
    posted_in: str = ""  # the random `start` of the station under which it was due
    proposals: list[Proposal] = field(default_factory=list)
    driven: tuple[str, str] | None = None
    by_hand: bool = False  # a person started the car
    model_changes: int = 0
    signal: e.Moment | None = None
    begun_again: e.Moment | None = None
    last_lap: bool = False  # True when the time is up and the lap in progress still counts
    restarts: dict[str, tuple[int, int]] = field(default_factory=dict)
    rebooted: bool = False  # whether the station rebooted within the run
    hand_timed: bool = False
    hand_times: list[HandMark] = field(default_factory=list)
    dismissed: list[Proposal] = field(default_factory=list)
    disqualified: str = ""
    official: str = ""
    without_agent: bool = False  # its car takes no orders, whatever happens
    staged: StagedStart | None = None
    false_starts: int = 0
    start_note: str = ""  # why the last start by the lights was not given, as a sentence
    paused: e.Moment | None = None
    pauses: list[PausedSpan] = field(default_factory=list)
    submitted: bool = False  # whether its result counts in the standings and is posted
    dnf: bool = False  # it did not finish
    replaces: str = ""  # the run that is discarded when this one is submitted
    splits: list[SplitCrossing] = field(default_factory=list)  # its passes of split gates, in the order of the inputs
    rules: RaceRules = field(init=False)  # of its race

    def __post_init__(self) -> None:
        self.rules = self.race.rules

    def change_race(self, race: e.OpenRace) -> None:
        """The race was changed: its rules hold for this run too."""
        self.race, self.rules = race, race.rules
        self.book.change_rules(race.rules)

    @property
    def on(self) -> bool:
        """Whether the run is armed or running, so that its car may be on the track."""
        return self.phase in ("armed", "running")

    def ends_ns(self, boot: str) -> int | None:
        """When the time limit ends on the clock of `boot`, in ns; None: no limit, or not known on that clock."""
        clock = e.clock_of(boot)
        if self.rules.time_limit_s is None or clock not in self.clocks:
            return None
        return self.clocks[clock] + seconds_to_ns(self.rules.time_limit_s) + self.paused_ns()

    def paused_ns(self) -> int:
        """How long the time limit stood still, in ns: by the pauses since the run began, without the present one."""
        begun = {span.boot: self.clocks.get(e.clock_of(span.boot), span.began_ns) for span in self.pauses}
        return sum(max(0, span.ended_ns - max(span.began_ns, begun[span.boot])) for span in self.pauses)

    def cutoff_ns(self, boot: str) -> int | None:
        """When the time limit ends the run on that clock, in ns: not before it is certainly over; None while it pauses.

        The time of day of another boot may have jumped, so it cannot shorten the limit.
        """
        ends_ns, clock = self.ends_ns(boot) if self.paused is None else None, e.clock_of(boot)
        if ends_ns is None or clock not in self.restarts:
            return ends_ns
        return ends_ns - self.clocks[clock] + self.latest_ns(clock)

    def latest_ns(self, clock: str) -> int:
        """The latest time at which the run can have begun, in ns on a clock that started within it."""
        first_seen_ns, elapsed_ns = self.restarts[clock]
        return first_seen_ns - elapsed_ns

    def unsure(self, boot: str) -> bool:
        """Whether only the time of day gives the run's start on this clock."""
        return e.clock_of(boot) in self.restarts

    def restarted(self, moment: e.Moment, last: Mapping[str, int]) -> None:
        """The station booted within the run; `last`: the newest stamp (ns) of each clock before that."""
        self.rebooted = True
        elapsed = [last[c] - self.latest_ns(c) for c in self.restarts if c in last]
        elapsed += [last[c] - at_ns for c, at_ns in self.clocks.items() if c in last and c not in self.restarts]
        self.restarts[moment.boot] = moment.at_ns, max(0, *elapsed) if elapsed else 0

    def full(self) -> bool:
        """Whether all laps that the race allows are done; a crossing in doubt ends no lap."""
        laps = self.rules.max_laps
        return laps is not None and len(self.book.segments) - 1 - len(self.book.doubts.held) >= laps

    @property
    def posted_model(self) -> tuple[str, str]:
        """Name and hash for results: as the car reports them, never as typed."""
        if self.race.officiating == 0:
            return self.model, self.model_sha256
        return self.driven or ("", "")

    def begin(self, counted: CountedCrossing) -> None:
        """Begins lap 1 at this first crossing after the start."""
        self.phase, self.begun = next_phase(self.phase, "first crossing"), True
        self.start_at(counted)

    def begin_again(self, moment: e.Moment) -> None:
        """The first crossing was false: lap 1 begins at the next one, which may still be to come."""
        self.begun_again = moment
        self.clocks.clear()
        if self.book.segments:
            self.start_at(self.book.segments[0].start)
            return
        self.restarts.clear()
        self.rebooted = False
        self.phase, self.begun, self.started_utc_ns = next_phase(self.phase, "start dropped"), False, 0
        self.last_lap = False

    def relaunch(self, moment: e.Moment) -> None:
        """The start is taken back: the run is armed, as if it had just been opened."""
        self.phase = next_phase(self.phase, e.Relaunch)
        self.released, self.begun, self.started_utc_ns, self.signal = False, False, 0, None
        self.by_hand, self.staged, self.paused, self.last_lap = self.without_agent, None, None, False
        self.start_note = ""
        self.begun_again, self.rebooted = moment, False
        self.clocks.clear()
        self.restarts.clear()
        self.pauses.clear()
        self.splits.clear()

    def never_began(self) -> None:
        """The run is over, and none of the crossings that were counted for it was its own."""
        self.begun, self.started_utc_ns = False, 0
        self.clocks.clear()

    def start_at(self, counted: CountedCrossing) -> None:
        """Lap 1 and the time limit begin at this crossing."""
        clock = e.clock_of(counted.boot)
        self.started_utc_ns = counted.utc_ns
        self.clocks[clock] = counted.at_ns
        # The time that had elapsed was counted from another start.
        self.restarts = {boot: (seen_ns, 0) for boot, (seen_ns, _) in self.restarts.items() if boot != clock}

    @property
    def boots(self) -> frozenset[str]:
        """The boots whose clocks gave the run's times of day."""
        return self.book.boots | ({self.finished_boot} if self.finished_boot else frozenset())

    def correct(self, wrong: Callable[[str], bool], by_ns: int) -> None:
        """Adds `by_ns` to the run's times of day of the `wrong` boots."""
        if self.book.segments and wrong(self.book.segments[0].start.boot):
            self.started_utc_ns += by_ns
        if self.finished_boot and wrong(self.finished_boot):
            self.finished_utc_ns += by_ns
        self.book.correct(wrong, by_ns)

    def forget_clocks(self, wrong: Callable[[str], bool]) -> None:
        """Forgets starts on other clocks that were derived from a wrong time of day."""
        if self.on and self.book.segments:
            own = e.clock_of(self.book.segments[0].start.boot)
            self.clocks = {c: at_ns for c, at_ns in self.clocks.items() if c == own or wrong(c) == wrong(own)}

    def copied(self) -> "Run":
        """A copy on which a ruling can be tried: it shares nothing that a ruling changes."""
        return replace(
            self,
            book=self.book.copied(),
            clocks=dict(self.clocks),
            proposals=list(self.proposals),
            dismissed=list(self.dismissed),
            restarts=dict(self.restarts),
            hand_times=list(self.hand_times),
            pauses=list(self.pauses),
            splits=list(self.splits),
        )

    def ordered(self, action: CarAction) -> CarOrdered:
        """The fact that the run's car gets this order."""
        return CarOrdered(self.car, self.run_id, action, self.throttle_percent)

    def finish(self, trigger: Trigger, reason: str, counts: bool, utc_ns: int) -> None:
        """Ends the run at `utc_ns`, for this reason; `counts` False: it is abandoned."""
        self.phase, self.finished_reason = next_phase(self.phase, trigger), reason
        self.counts, self.finished_utc_ns = counts, utc_ns
