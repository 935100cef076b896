"""Runs heats through the real engine and a real journal, and judges each crossing's attribution by the ground truth.

A crossing is right if it was attributed to the run of the car that made it, doubtful if an official is asked, and
silently wrong otherwise: attributed to another run, or set aside during its run. After the heat an official rules by
the video (the ground truth).
"""

import hashlib
import itertools
import pathlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.races.multi_car.heat import FaultRates, Heat, HeatPassing, draw_heat, moment
from station.commands.replay import check
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.store.journal import Journal, JournalEntry

LAPS = 12
BATCH = 64
NEAR_NS = 1_500_000_000


@dataclass(slots=True)
class HeatVerdict:
    """The counts of one heat, or of all. `wrong` are sentences; `missed` passes made no crossing of their own."""

    crossings: int = 0
    right: int = 0
    doubtful: int = 0
    missed: int = 0
    missed_asked: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    laps: int = 0
    laps_true: int = 0
    wrong: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """True if no crossing is silently wrong."""
        return not self.wrong

    def as_json(self, seed: int) -> dict[str, object]:
        """The object of `raceday race simulate --cars-on-track N --json`."""
        counts = {name: getattr(self, name) for name in COUNTS}
        journal_hash = hashlib.sha256("\n".join(self.heads).encode()).hexdigest()
        return {"seed": seed, **counts, "silently_wrong": self.wrong, "asked": dict(sorted(self.asked.items())),
                "journal_hash": journal_hash}  # fmt: skip

    def add(self, other: "HeatVerdict") -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.asked.update(other.asked)
        self.wrong += other.wrong
        self.heads += other.heads


COUNTS = ("crossings", "right", "doubtful", "missed", "missed_asked", "laps", "laps_true")


class HeatReplay:
    """The engine with its inputs and facts; a tick without facts is not stored, as in the station."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.entries: list[JournalEntry] = []

    def give(self, event: e.Input) -> tuple[f.Fact, ...]:
        """Pass an input to the engine; returns its facts."""
        facts = self.engine.handle(event)
        if facts:
            self.entries.append(JournalEntry(event, facts))
        return facts

    @property
    def facts(self) -> list[f.Fact]:
        return [fact for entry in self.entries for fact in entry.facts]


def run_heat(seed: str, cars: int, laps: int, rates: FaultRates, folder: pathlib.Path | None = None) -> HeatVerdict:
    """Run and judge one heat; with a `folder` its journal is written there, and must replay to the same facts."""
    heat, replayed = draw_heat(seed, cars, laps, rates), HeatReplay()
    for event in heat.inputs:
        replayed.give(event)
    verdict = judge(heat, replayed.facts)
    _rule(heat, replayed)
    _compare_with_truth(heat, replayed, verdict)
    if folder is not None:
        verdict.heads.append(_journaled(replayed, folder / f"{seed.replace('/', '-')}.db"))
    return verdict


def run_heats(
    seed: int, count: int, cars: int, folder: pathlib.Path, done: Callable[[HeatVerdict], None] = lambda _verdict: None
) -> HeatVerdict:
    """Run the heats (seed, 0) to (seed, count - 1), each with its journal in `folder`; call `done` after each."""
    total = HeatVerdict()
    for number in range(count):
        verdict = run_heat(f"{seed}/{number}", cars, LAPS, FaultRates(), folder)
        total.add(verdict)
        done(verdict)
    return total


def judge(heat: Heat, facts: list[f.Fact]) -> HeatVerdict:
    """Compare each crossing with the ground truth."""
    verdict = HeatVerdict()
    truth = {each.at_ns: each for each in heat.passes}
    stamps = {fact.number: fact.at_ns for fact in facts if isinstance(fact, f.Crossing)}
    attributed = {fact.crossing: fact for fact in facts if isinstance(fact, f.Attributed)}
    aside = {fact.crossing: fact.why for fact in facts if isinstance(fact, f.Unattributed)}
    proposals = [fact for fact in facts if isinstance(fact, f.Proposal)]
    asked = {fact.crossing for fact in proposals if fact.crossing}
    verdict.asked.update(fact.kind for fact in proposals)
    for number, at_ns in stamps.items():
        true_pass = truth[at_ns]
        verdict.crossings += 1
        if number in asked:
            verdict.doubtful += 1
        elif number in attributed:
            given = attributed[number]
            _count(verdict, given.run_id == true_pass.run_id, heat, f"{true_pass} was attributed as {given}")
        elif number in aside:
            _count(verdict, not true_pass.counts, heat, f"{true_pass} was set aside: {aside[number]}")
        else:
            verdict.wrong.append(f"heat {heat.seed}: no fact decides about crossing {number}, {true_pass}")
    _missed(heat, set(stamps.values()), proposals, verdict)
    return verdict


def _count(verdict: HeatVerdict, right: bool, heat: Heat, sentence: str) -> None:
    verdict.right += right
    if not right:
        verdict.wrong.append(f"heat {heat.seed}: {sentence}")


def _missed(heat: Heat, crossings_ns: set[int], proposals: list[f.Proposal], verdict: HeatVerdict) -> None:
    for each in heat.passes:
        if each.counts and each.at_ns not in crossings_ns:
            verdict.missed += 1
            verdict.missed_asked += any(
                each.run_id == one.run_id and abs(one.at_ns - each.at_ns) < NEAR_NS for one in proposals
            )


def _rule(heat: Heat, replayed: HeatReplay) -> None:
    """Answer every proposal, as an official with the video does; then end every run."""
    truth = {each.at_ns: each for each in heat.passes}
    stamps = {fact.number: fact.at_ns for fact in replayed.facts if isinstance(fact, f.Crossing)}
    for proposal in [fact for fact in replayed.facts if isinstance(fact, f.Proposal)]:
        true_pass = truth[stamps[proposal.crossing]] if proposal.crossing else None
        replayed.give(_ruling(heat, proposal, true_pass))
    for run_id in heat.racers:
        replayed.give(e.FinishRun(author="judge", run_id=run_id, moment=moment(heat.end_ns)))


def _ruling(heat: Heat, proposal: f.Proposal, true_pass: HeatPassing | None) -> e.Command:
    reason, now = "seen on the video", moment(heat.end_ns)
    if true_pass is not None and true_pass.counts:
        number, run_id = proposal.crossing, true_pass.run_id
        return e.AssignCrossing(author="judge", number=number, run_id=run_id, reason=reason, moment=now)
    missed = [
        each for each in heat.passes if each.run_id == proposal.run_id and abs(each.at_ns - proposal.at_ns) < NEAR_NS
    ]
    if proposal.kind == "missed_crossing" and missed and missed[0].counts:
        at_ns, run_id = missed[0].at_ns, proposal.run_id
        return e.AddCrossing(author="judge", at_ns=at_ns, run_id=run_id, reason=reason, moment=now)
    return e.DismissProposal(author="judge", at_ns=proposal.at_ns, run_id=proposal.run_id, reason=reason, moment=now)


def _compare_with_truth(heat: Heat, replayed: HeatReplay, verdict: HeatVerdict) -> None:
    """Count, after the rulings, the true laps that the results have to the nanosecond."""
    race = replayed.engine.race
    assert race is not None
    for run_id in heat.racers:
        stamps = [each.at_ns for each in heat.passes if each.run_id == run_id and each.counts]
        laps = {(lap.ended_ns, lap.lap_ns) for lap in race.runs[run_id].book.laps()}
        verdict.laps += len(stamps) - 1
        verdict.laps_true += sum((end, end - begin) in laps for begin, end in itertools.pairwise(stamps))


def _journaled(replayed: HeatReplay, path: pathlib.Path) -> str:
    """Write the heat's journal and replay it; return its head hash. Raises StorageError if the facts differ."""
    journal = Journal(path)
    try:
        for first in range(0, len(replayed.entries), BATCH):
            journal.append(replayed.entries[first : first + BATCH])
        return check(journal).hex
    finally:
        journal.close()
