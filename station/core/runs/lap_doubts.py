"""Doubts about a run's crossings by its own laps: a lap that is too short is held, a missed crossing is proposed.

Called by counting.py after a change of a run's crossings, unless there is plainly no doubt. An official decides; later
laps may dispel a doubt.
"""

from collections.abc import Sequence
from dataclasses import replace

from station.core import facts as f
from station.core.inputs import HAND_TIMES
from station.core.runs.book.lap_book import LapBook
from station.core.runs.hand_marks import HAND_NS, SAME_PASS_NS, marks_between
from station.core.runs.proposals import HAND, USUAL, long_lap, missed_by_hand, short_lap, very_long_lap
from station.core.runs.run import Run
from station.core.runs.usual_lap import MAX_LAPS_IN_ONE, LongLap, long_laps, missing
from station.core.timing.utc_scale import UtcScale

ROOM_PERCENT = 60  # of a usual lap: the shortest lap that a hand time may leave on either side
NEAR_PERCENT = 35  # of a usual lap: how far a hand time may lie from where the usual lap puts the crossing


def weighed(run: Run, was: frozenset[int], scale: UtcScale, *, alone: bool, ended: int = 0) -> list[f.Fact]:
    """The facts of what changed since `was`, the crossings in doubt before.

    `alone`: no other car can have broken the beam. `ended`: the lap that a fact has just reported.
    """
    book = run.book
    changed = _laps(book, was ^ book.doubts.held)  # also one that is still held, but for another reason
    facts: list[f.Fact] = [
        f.LapHeld(book.lap(number), book.doubts.doubtful(number)) for number in sorted(changed) if number != ended
    ]
    facts += [_propose_false(run, number) for number in sorted(book.doubts.held) if not _is_proposed(run, number)]
    long = _long(run)
    _withdraw(run, long)
    if alone:
        for each in long:
            facts += _propose_missed(run, each, scale)
    return facts


def add_proposal(run: Run, proposal: f.Proposal) -> None:
    """Adds a proposal by the car's report; proposals by the usual lap for the same lap are withdrawn."""
    if proposal.kind == "missed_crossing":
        for long in _long(run):
            begin_ns, end_ns = _span(run.book, long)
            if begin_ns < proposal.at_ns < end_ns:
                run.proposals = [p for p in run.proposals if p.witness != USUAL or not begin_ns < p.at_ns < end_ns]
    run.proposals.append(proposal)


def _long(run: Run) -> list[LongLap]:
    """The recent laps in which a crossing may be missing."""
    before, laps = run.book.doubts.recent(run.book.done)
    held = {number - 1 - before for number in run.book.doubts.held}
    found = long_laps(laps, held) if run.race.officiating >= HAND_TIMES else missing(laps, held)
    return [replace(each, index=before + each.index) for each in found]


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
    if all(p.witness not in (USUAL, HAND) for p in run.proposals):
        return
    before, _ = run.book.doubts.recent(run.book.done)
    since_ns = run.book.segments[before].start.at_ns
    run.proposals = [p for p in run.proposals if p.witness not in (USUAL, HAND) or _still_asked(run, p, long, since_ns)]


def _still_asked(run: Run, proposal: f.Proposal, long: list[LongLap], since_ns: int) -> bool:
    """Whether this question by the run's laps or by a hand time is still open; before `since_ns` it stays as it is."""
    at_ns, book = proposal.at_ns, run.book
    if proposal.witness == HAND:
        return all(abs(segment.start.at_ns - at_ns) >= SAME_PASS_NS for segment in book.segments)
    if proposal.kind == "false_crossing":
        return any(book.segments[number].start.at_ns == at_ns for number in book.doubts.held)
    spans = [_span(book, each) for each in long if each.sure == (proposal.kind == "missed_crossing")]
    return at_ns < since_ns or any(begin_ns < at_ns < end_ns for begin_ns, end_ns in spans)


def _span(book: LapBook, long: LongLap) -> tuple[int, int]:
    """When the lap began and ended, in ns of its gate's clock."""
    return book.segments[long.index].start.at_ns, book.segments[long.index + 1].start.at_ns


def _propose_missed(run: Run, long: LongLap, scale: UtcScale) -> list[f.Fact]:
    """Proposes missed crossings once per lap, unless another witness already has within it."""
    ended = run.book.segments[long.index + 1]
    begin_ns, end_ns = _span(run.book, long)
    if ended.gap_proposed or any(p.kind == "missed_crossing" and begin_ns < p.at_ns < end_ns for p in run.proposals):
        return []
    proposed = _questions(run, long, scale)
    ended.gap_proposed = bool(proposed)
    run.proposals += proposed
    return [*proposed]


def _questions(run: Run, long: LongLap, scale: UtcScale) -> list[f.Proposal]:
    """What is asked about one long lap: by the hand times within it, else by its length; at most one crossing less
    than the usual laps that it is as long as.
    """
    begin_ns, end_ns = _span(run.book, long)
    number, run_id = long.index + 1, run.run_id
    if run.race.officiating < HAND_TIMES:
        return [long_lap(run_id, number, at_ns, long.laps) for at_ns in _parts(begin_ns, end_ns, long.laps)]
    boot = run.book.segments[long.index + 1].start.boot
    marks = _apart(marks_between(run.hand_times, scale, boot, begin_ns, end_ns), begin_ns, end_ns, long)
    if not long.sure:
        by_hand = [missed_by_hand(run_id, number, at_ns, HAND_NS) for at_ns in marks[: long.laps - 1]]
        return by_hand or _very_long(run, long, (begin_ns + end_ns) // 2)
    asked = []
    for at_ns in _parts(begin_ns, end_ns, long.laps):
        near = [mark for mark in marks if abs(mark - at_ns) <= long.off_ns + long.usual_ns * NEAR_PERCENT // 100]
        if near:
            mark = min(near, key=lambda each: abs(each - at_ns))
            marks.remove(mark)
            asked.append(missed_by_hand(run_id, number, mark, HAND_NS))
        else:
            asked.append(long_lap(run_id, number, at_ns, long.laps, long.off_ns))
    return asked


def _parts(begin_ns: int, end_ns: int, laps: int) -> list[int]:
    """The stamps that divide a lap into this number of equal ones."""
    return [begin_ns + (end_ns - begin_ns) * part // laps for part in range(1, laps)]


def _apart(marks: Sequence[int], begin_ns: int, end_ns: int, long: LongLap) -> list[int]:
    """The hand times that leave room for a lap on both sides; of two that do not, the first."""
    room_ns, found = long.usual_ns * ROOM_PERCENT // 100, [begin_ns]
    for at_ns in marks:
        if at_ns - found[-1] >= room_ns and end_ns - at_ns >= room_ns:
            found.append(at_ns)
    return found[1:]


def _very_long(run: Run, long: LongLap, middle_ns: int) -> list[f.Proposal]:
    """The question about a lap of many usual ones, unless an incident in it says why it took so long."""
    begun = run.book.segments[long.index]
    if long.laps <= MAX_LAPS_IN_ONE or begun.off_tracks or begun.collisions or begun.resets:
        return []
    return [very_long_lap(run.run_id, long.index + 1, middle_ns, long.laps)]
