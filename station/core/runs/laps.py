"""Counted crossings and the laps between them: what a lap is, and what is stored about it. Pure.

Used by lap_book.py, which holds the crossings of one run, and by all code that reads laps (standings, views, rankings).
A lap is the difference of two stamps of one boot. Whatever happens in it (incidents, a penalty, a void) is stored with
the crossing that began it, so that adding or dropping a crossing moves nothing else.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.rules.ranking import RaceRules, RunLap
from shared.text import text
from shared.units import seconds_to_ns
from station.core.facts import Lap, Source


@dataclass(frozen=True, slots=True)
class CountedCrossing:
    """A counted crossing. `crossing` is its number; 0: a person made it, or it is the start signal."""

    crossing: int
    at_ns: int
    boot: str
    utc_ns: int
    uncertainty_ns: int
    source: Source = "gate"


@dataclass(slots=True)
class LapSegment:
    """A crossing and what happened from it up to the next one. Changed by its LapBook and its LapDoubts only."""

    start: CountedCrossing
    off_tracks: int = 0
    collisions: int = 0
    resets: int = 0
    penalty_ns: int = 0
    void: str = ""
    witnessed: bool = False  # the car's own report agrees with the lap that ended at this crossing
    approved: bool = False  # an official accepted the lap that ended at this crossing, however short it is
    paused: int = 0  # when the race was paused within the lap that began here, ns on its clock; 0: it was not
    gap_proposed: bool = False  # a missed crossing was proposed within the lap that ended at this crossing
    replaced: CountedCrossing | None = None  # the crossing by its own source, if another witness times it now
    doubt: str = ""  # why the lap that ended at this crossing is held, as first stated: later laps change the usual lap
    notes: list[str] = field(default_factory=list)

    def merge(self, gone: "LapSegment") -> None:
        """Merges the segment of the next crossing, which was false: what happened after it belongs here."""
        self.off_tracks += gone.off_tracks
        self.collisions += gone.collisions
        self.resets += gone.resets
        self.penalty_ns += gone.penalty_ns
        self.void = self.void or gone.void
        self.paused = self.paused or gone.paused
        self.notes += gone.notes

    def unmerge(self, gone: "LapSegment", void_before: str) -> None:
        """Undoes `merge`: what happened after the next crossing belongs there again."""
        self.off_tracks = max(0, self.off_tracks - gone.off_tracks)
        self.collisions = max(0, self.collisions - gone.collisions)
        self.resets = max(0, self.resets - gone.resets)
        self.penalty_ns = max(0, self.penalty_ns - gone.penalty_ns)
        self.void = void_before if self.void == gone.void else self.void
        self.notes = [note for note in self.notes if note not in gone.notes]

    def take_over(self, gone: "LapSegment") -> None:
        """Adds what happened in a segment of the same crossing."""
        self.merge(gone)
        self.approved = gone.approved


def resegmented(segments: Sequence[LapSegment], counted_crossings: Sequence[CountedCrossing]) -> list[LapSegment]:
    """The segments that begin at these crossings; incidents of a removed segment move to the one before it."""
    old = {_key(segment.start): segment for segment in segments}
    before = {_key(after.start): _key(counted.start) for counted, after in itertools.pairwise(segments)}
    new = [old.get(_key(counted)) or LapSegment(counted) for counted in counted_crossings]
    last: LapSegment | None = None
    for segment in segments:
        if segment in new:
            last = segment
            continue
        earlier = [e for e in new if e.start.boot == segment.start.boot and e.start.at_ns <= segment.start.at_ns]
        if (into := earlier[-1] if earlier else last) is not None:
            into.merge(segment)
    for counted, after in itertools.pairwise(new):
        if before.get(_key(after.start)) != _key(counted.start):
            after.witnessed = after.gap_proposed = False
    return new


def _key(counted: CountedCrossing) -> tuple[int, str, int]:
    return counted.crossing, counted.boot, counted.at_ns


@dataclass(frozen=True, slots=True)
class LapDoubt:
    """Whether the crossings that `begun` and `ended` a lap are in doubt, so that the lap waits for an official."""

    begun: bool
    ended: bool


def lap_between(
    run_id: str,
    number: int,
    begun: LapSegment,
    ended: LapSegment,
    doubt: LapDoubt,
    rules: RaceRules,
    timed_by_b: bool,
) -> Lap:
    """Lap `number` of a run, from the crossing that began it to the one that ended it; 0 ns long if it spans two boots.

    `timed_by_b`: system B times the whole run, by its own stamps.
    """
    start, end = begun.start, ended.start
    one_boot = start.boot == end.boot
    why = "" if one_boot else text("void by rule: the gate's clock was restarted within this lap")
    counts, doubtful = one_boot and not begun.void, doubt.begun or doubt.ended
    return Lap(
        run_id=run_id,
        number=number,
        lap_ns=end.at_ns - start.at_ns if one_boot else 0,
        ended_ns=end.at_ns,
        boot=end.boot,
        ended_utc_ns=end.utc_ns,
        uncertainty_ns=start.uncertainty_ns + end.uncertainty_ns,
        source=start.source if start.source == end.source else _weaker_source(start, end),
        valid=counts and not doubtful,
        confirmed=ended.witnessed,
        off_tracks=begun.off_tracks,
        collisions=begun.collisions,
        resets=begun.resets,
        penalty_ns=begun.penalty_ns,
        held=counts and doubtful,
        reason=why or begun.void or "; ".join([*begun.notes, *_reasons(begun, ended, doubt, rules, timed_by_b)]),
    )


def _reasons(begun: LapSegment, ended: LapSegment, doubt: LapDoubt, rules: RaceRules, timed_by_b: bool) -> list[str]:
    """By the rules, why the lap does not count, or which remark it counts with; as officials read it."""
    start, end, allowed = begun.start, ended.start, rules.max_resets_per_lap
    why: list[str] = []
    if doubt.ended:
        why.append(text("{doubt}: an official is asked", doubt=ended.doubt))
    elif doubt.begun:
        why.append(text("it began at a crossing that is in doubt: an official is asked"))
    if allowed is not None and begun.resets > allowed:
        why.append(text("{resets} resets, {allowed} allowed", resets=begun.resets, allowed=allowed))
    if end.at_ns - start.at_ns < seconds_to_ns(rules.min_lap_s):
        why.append(text("shorter than any lap can be"))
    sources = (start.source, end.source)
    if "system_b" in sources:
        why.append(text("timed by system B") if timed_by_b else text("timed by system B, corrected"))
    if "hand" in sources:
        why.append(text("timed by hand"))
    if "car" in sources:
        why.append(text("timed by the car's report"))
    return why


def _weaker_source(start: CountedCrossing, end: CountedCrossing) -> Source:
    """The weaker source of a lap's two crossings; from the weakest: official, hand, car, system B, gate."""
    return next((source for source in _WEAKEST if source in (start.source, end.source)), "gate")


_WEAKEST: tuple[Source, ...] = ("official", "hand", "car", "system_b")


def run_lap(lap: Lap) -> RunLap:
    """The lap in the form that the ranking uses; it ends at a time of day, the only clock that all laps share."""
    return RunLap(
        number=lap.number,
        lap_ns=lap.lap_ns,
        ended_ns=lap.ended_utc_ns,
        off_tracks=lap.off_tracks,
        collisions=lap.collisions,
        resets=lap.resets,
        penalty_ns=lap.penalty_ns,
        valid=lap.valid,
    )


def run_laps(laps: Iterable[Lap]) -> list[RunLap]:
    """The laps in the form that the ranking uses, in the same order."""
    return [run_lap(lap) for lap in laps]
