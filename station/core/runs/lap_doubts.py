"""Doubts about a run's crossings by its own laps: a lap that is too short is held, a missed crossing is proposed.

Called by counting.py after a change of a run's crossings, unless there is plainly no doubt. An official decides; later
laps may dispel a doubt.
"""

from station.core import facts as f
from station.core.runs.lap_book import LapBook
from station.core.runs.proposals import USUAL, long_lap, short_lap
from station.core.runs.run import Run
from station.core.runs.usual_lap import LongLap, missing


def weighed(run: Run, was: frozenset[int], *, alone: bool, ended: int = 0) -> list[f.Fact]:
    """The facts of what changed since `was`, the crossings in doubt before.

    `alone`: no other car can have broken the beam. `ended`: the lap that a fact has just reported.
    """
    book = run.book
    changed = _laps(book, was ^ book.doubts.held)  # also one that is still held, but for another reason
    facts: list[f.Fact] = [
        f.LapHeld(book.lap(number), book.doubts.doubtful(number)) for number in sorted(changed) if number != ended
    ]
    facts += [_propose_false(run, number) for number in sorted(book.doubts.held) if not _is_proposed(run, number)]
    long = _long(book)
    _withdraw(run, long)
    if alone:
        for each in long:
            facts += _propose_missed(run, each)
    return facts


def add_proposal(run: Run, proposal: f.Proposal) -> None:
    """Adds a proposal by the car's report; proposals by the usual lap for the same lap are withdrawn."""
    if proposal.kind == "missed_crossing":
        for long in _long(run.book):
            begin_ns, end_ns = _span(run.book, long)
            if begin_ns < proposal.at_ns < end_ns:
                run.proposals = [p for p in run.proposals if p.witness != USUAL or not begin_ns < p.at_ns < end_ns]
    run.proposals.append(proposal)


def _long(book: LapBook) -> list[LongLap]:
    """The recent laps in which a crossing may be missing."""
    before, laps = book.doubts.recent(book.done)
    long_laps = missing(laps, {number - 1 - before for number in book.doubts.held})
    return [LongLap(before + each.index, each.laps) for each in long_laps]


def _laps(book: LapBook, counted_crossings: frozenset[int]) -> frozenset[int]:
    """The laps that end or begin at these crossings."""
    return frozenset(n for counted in counted_crossings for n in (counted, counted + 1) if 1 <= n <= book.done)


def _is_proposed(run: Run, number: int) -> bool:
    at_ns = run.book.segments[number].start.at_ns
    return any(p.kind == "false_crossing" and p.at_ns == at_ns for p in run.proposals)


def _propose_false(run: Run, number: int) -> f.Proposal:
    """Proposes that the crossing that ended the held lap `number` was false."""
    ended = run.book.segments[number]
    proposal = short_lap(run.run_id, number, ended.start.at_ns, ended.doubt)
    run.proposals.append(proposal)
    return proposal


def _withdraw(run: Run, long: list[LongLap]) -> None:
    """Withdraws proposals that later laps or a ruling have answered."""
    if all(p.witness != USUAL for p in run.proposals):
        return
    before, _ = run.book.doubts.recent(run.book.done)
    since = run.book.segments[before].start
    held = {run.book.segments[number].start.at_ns for number in run.book.doubts.held}
    spans = [_span(run.book, each) for each in long]
    run.proposals = [
        p
        for p in run.proposals
        if p.witness != USUAL
        or (p.kind == "false_crossing" and p.at_ns in held)
        or (
            p.kind == "missed_crossing"
            and (p.at_ns < since.at_ns or any(begin < p.at_ns < end for begin, end in spans))
        )
    ]


def _span(book: LapBook, long: LongLap) -> tuple[int, int]:
    """When the lap began and ended, in ns of its gate's clock."""
    return book.segments[long.index].start.at_ns, book.segments[long.index + 1].start.at_ns


def _propose_missed(run: Run, long: LongLap) -> list[f.Fact]:
    """Proposes missed crossings once per lap, unless another witness already has within it."""
    ended = run.book.segments[long.index + 1]
    begin_ns, end_ns = _span(run.book, long)
    if ended.gap_proposed or any(p.kind == "missed_crossing" and begin_ns < p.at_ns < end_ns for p in run.proposals):
        return []
    ended.gap_proposed = True
    proposed: list[f.Fact] = []
    for part in range(1, long.laps):
        at_ns = begin_ns + (end_ns - begin_ns) * part // long.laps
        proposal = long_lap(run.run_id, long.index + 1, at_ns, long.laps)
        run.proposals.append(proposal)
        proposed.append(proposal)
    return proposed
