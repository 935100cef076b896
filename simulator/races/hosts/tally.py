"""A simulation's report: faults by kind, invariants with their number of checks, and the hash of the journals."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_SENTENCES = 5


@dataclass(slots=True)
class Invariant:
    """Something that must always hold; `broken` holds the first few sentences about violations."""

    checked: int = 0
    failures: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return self.failures == 0

    def check(self, holds: bool, sentence: str) -> bool:
        """Count one check, and record the sentence if it failed; returns `holds`."""
        self.checked += 1
        if not holds:
            self.failures += 1
            if len(self.broken) < MAX_SENTENCES:
                self.broken.append(sentence)
        return holds

    def add(self, other: "Invariant") -> None:
        self.checked += other.checked
        self.failures += other.failures
        self.broken = (self.broken + other.broken)[:MAX_SENTENCES]


# name -> statement; each is checked in every meeting.
INVARIANTS: dict[str, str] = {
    "no_crossing_lost": "every edge that the gate remembers is in the journal, once, as it was stamped",
    "crossings_true": "every undisturbed pass made one crossing at its nanosecond; every other crossing has its fault",
    "laps_true": "every lap equals the truth to the nanosecond, or an injected fault explains it",
    "laps_by_the_rules": "laps, their counts and statuses equal those of the reference model",
    "rulings_kept": "every command that was answered as accepted is in the journal where the answer said",
    "applied_once": "every result takes effect at the leaderboard exactly once, under one id and one body",
    "standings_agree": "scores and ranks of leaderboard and station equal those of the reference model",
    "shown_is_stored": "nothing was published, ordered or shown that was not committed before",
    "one_lease": "of several machines with one name, no two ever had a lease to drive at the same time",
    "reports_kept": "a car's lap report is acknowledged only after its commit, and none is lost",
    "replay_agrees": "the journal replays to the same facts, and its hash chain holds",
    "healed": "when the faults are over, everything is delivered: outboxes empty, results posted, nothing pending",
}


@dataclass(slots=True)
class MeetingTally:
    """The counts of one meeting, or of all of them."""

    faults: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    invariants: dict[str, Invariant] = field(default_factory=lambda: {name: Invariant() for name in INVARIANTS})
    laps: int = 0
    runs: int = 0
    races: int = 0
    results: int = 0
    posts: int = 0
    crossings: int = 0
    reports: int = 0
    rulings: int = 0
    heads: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return all(invariant.held for invariant in self.invariants.values())

    @property
    def journal_hash(self) -> str:
        """One hash over the journals of all meetings, in order."""
        return hashlib.sha256("\n".join(self.heads).encode()).hexdigest()

    def add(self, other: "MeetingTally") -> None:
        """Add the tally of the next meeting."""
        self.faults.update(other.faults)
        self.excused.update(other.excused)
        for name, invariant in other.invariants.items():
            self.invariants[name].add(invariant)
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.heads += other.heads


COUNTS = ("laps", "runs", "races", "results", "posts", "crossings", "reports", "rulings")


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """The outcome of a whole simulation. `wall_s` is real time; everything else repeats with the seed."""

    seed: int
    hours: float
    tally: MeetingTally
    wall_s: float

    def as_json(self) -> dict[str, object]:
        """The object of `raceday race simulate --json`."""
        tally = self.tally
        return {
            "seed": self.seed,
            "hours": self.hours,
            "journal_hash": tally.journal_hash,
            "faults": dict(sorted(tally.faults.items())),
            "invariants": {name: _summary(inv) for name, inv in tally.invariants.items()},
            "excused": dict(sorted(tally.excused.items())),
            **{name: getattr(tally, name) for name in COUNTS},
            "wall_s": round(self.wall_s, 1),
        }


def _summary(invariant: Invariant) -> dict[str, object]:
    summary: dict[str, object] = {"held": invariant.held, "checked": invariant.checked}
    return summary if invariant.held else {**summary, "failures": invariant.failures, "broken": invariant.broken}


def total_of(tallies: Iterable[MeetingTally]) -> MeetingTally:
    """The sum of all meetings, in order."""
    total = MeetingTally()
    for tally in tallies:
        total.add(tally)
    return total
