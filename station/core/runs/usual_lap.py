"""The usual lap of a run: which laps are too short (a false crossing?), and which too long (a missed crossing?).

Pure, on durations in ns; 0 is a lap that spans two boots, and is ignored. Nothing is decided here: a short lap is held
until an official decides, a missing crossing is proposed. The LapDoubts of a run's LapBook hold the short ones;
lap_doubts.py proposes both. Example: `short([8_000_000_000, 3_000_000_000, 8_100_000_000])` is `{1}`.
"""

import itertools
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from shared.text import text
from shared.units import format_ns
from station.core.runs.laps import CountedCrossing, LapSegment

SHORTEST_NS = 4_000_000_000  # no published track allows a shorter lap; a small track at home may
RECENT = 32  # laps that the usual one is taken from: bounded, so that a long day does not slow each crossing down
ENOUGH = 3  # laps that are enough for the middle one to be the usual one
ALIKE = 1.5  # largest ratio of two laps of one car on one track that count as alike
MAX_MISSED = 3  # the most usual laps that a long one is divided into, in races of an older edition
MAX_LAPS_IN_ONE = 4  # the same now: of a longer lap nobody can tell where its crossings would lie


@dataclass(frozen=True, slots=True)
class LongLap:
    """Lap `index` (from 0) is as long as `laps` usual ones, each of `usual_ns`.

    `off_ns`: how far the crossings within it may lie from equal parts. `sure` False: it is longer than a usual one, but
    not as long as any number of them, or as too many: the laps alone give no crossings.
    """

    index: int
    laps: int
    usual_ns: int = 0
    off_ns: int = 0
    sure: bool = True


class RecentLaps:
    """The last laps of a run in ns, in their order (`laps`) and sorted by length (without the 0s)."""

    def __init__(self, laps: Iterable[int] = ()) -> None:
        self.laps = deque(laps, RECENT)
        self._known = sorted(filter(None, self.laps))

    def add(self, lap_ns: int) -> None:
        """Appends a lap in ns, and removes the oldest if there are more than RECENT."""
        if len(self.laps) == RECENT and self.laps[0]:
            del self._known[bisect_left(self._known, self.laps[0])]
        self.laps.append(lap_ns)
        if lap_ns:
            insort(self._known, lap_ns)

    def ordinary(self, fastest_ns: int | None) -> bool:
        """Whether none of them is short or long; a quick check, which settles most crossings."""
        return _even(self._known, fastest_ns) and not _any_long(self._known)


class LapDoubts:
    """Which crossings of one run may have been false, by its laps.

    `enabled` False: races of an old edition have no doubts. `fastest_ns`: the race's fastest lap when the run was
    opened. `held`: the crossings in doubt, by the number of the lap that each ended. `ordinary`: nothing was held
    after the last crossing, and none of the last laps is short or long.
    """

    def __init__(self, enabled: bool, fastest_ns: int | None) -> None:
        self.held: frozenset[int] = frozenset()
        self.ordinary = False
        self._enabled, self._fastest_ns = enabled, fastest_ns
        self._recent = RecentLaps()

    def recent(self, done: int) -> tuple[int, Sequence[int]]:
        """The last of `done` laps, which define the usual one: how many precede them, and their ns (0: two boots)."""
        return max(0, done - RECENT), self._recent.laps

    def copied(self) -> "LapDoubts":
        """A copy that shares nothing that changes."""
        copy = LapDoubts(self._enabled, self._fastest_ns)
        copy.held, copy.ordinary, copy._recent = self.held, self.ordinary, RecentLaps(self._recent.laps)
        return copy

    def doubtful(self, number: int) -> bool:
        """Whether lap `number` ended or began at a crossing that is in doubt."""
        return number in self.held or number - 1 in self.held

    def weigh(self, segments: Sequence[LapSegment]) -> None:
        """Judges the crossings after a change of any of them; those far back stay as judged before."""
        counted_crossings = [segment.start for segment in segments[-RECENT - 1 :]]
        self._recent = RecentLaps(_between_ns(*pair) for pair in itertools.pairwise(counted_crossings))
        self.ordinary = False
        if not self._enabled:
            return
        done = max(0, len(segments) - 1)
        for number, segment in enumerate(segments):
            if number == 0 or segment.approved:
                segment.doubt = ""
        self._judge(segments, range(max(0, done - RECENT) + 1, done + 1))
        self.held = frozenset(number for number, segment in enumerate(segments) if segment.doubt)

    def add(self, segments: Sequence[LapSegment]) -> None:
        """Judges the crossings after one more at the end, which can change only a few laps."""
        if len(segments) > 1:
            self._recent.add(_between_ns(segments[-2].start, segments[-1].start))
        self.ordinary = not self.held and self._recent.ordinary(self._fastest_ns)
        if not self._enabled or self.ordinary:
            return
        before = max(0, len(segments) - 1 - RECENT)
        old = frozenset(number for number in self.held if number <= before)
        self.held = old | self._judge(segments, self.held - old)

    def _judge(self, segments: Sequence[LapSegment], numbers: Iterable[int]) -> frozenset[int]:
        """The recent laps that are held now; `numbers`: those that may have been held so far."""
        before, laps = max(0, len(segments) - 1 - RECENT), self._recent.laps
        odd = {before + index + 1 for index in short(laps, self._fastest_ns)}
        held = frozenset(number for number in odd if not segments[number].approved)
        for number in {*numbers} - held:
            segments[number].doubt = ""
        for number in held:
            segments[number].doubt = segments[number].doubt or self._why_short()
        return held

    def _why_short(self) -> str:
        laps = self._recent.laps
        few = sum(1 for lap in laps if lap)
        if self._fastest_ns is None and few == 1:
            return text("shorter than on any published track ({time})", time=format_ns(SHORTEST_NS))
        if self._fastest_ns is not None and few < ENOUGH:
            return text("less than half of the fastest lap of the race ({time})", time=format_ns(self._fastest_ns))
        return text("much shorter than the usual lap ({time})", time=format_ns(usual_ns(laps)))


def _between_ns(start: CountedCrossing, end: CountedCrossing) -> int:
    """The time between two crossings in ns; 0 if two boots stamped them, which share no clock."""
    return end.at_ns - start.at_ns if start.boot == end.boot else 0


def usual_ns(laps: Sequence[int]) -> int:
    """The median lap in ns, the longer of the two middle ones; 0: none is known."""
    known = sorted(lap for lap in laps if lap)
    return known[len(known) // 2] if known else 0


def short(laps: Sequence[int], fastest_ns: int | None = None) -> frozenset[int]:
    """The laps (from 0) that are implausibly short: a car that turned back over the line, a hand in the beam.

    With three laps or more: those under half of the usual one. With fewer, they are compared with the race's fastest
    lap so far (`fastest_ns`) if it is known; else short means far shorter than the only other lap, or shorter than on
    any published track, unless several laps are alike or nothing contradicts two. A lap of at least half of the fastest
    is always accepted: cars differ, and a crash makes the laps around it look short.
    """
    known = sorted(filter(None, laps))
    if _even(known, fastest_ns):
        return frozenset()
    return frozenset(
        index
        for index, lap in enumerate(laps)
        if lap and not (fastest_ns is not None and 2 * lap >= fastest_ns) and _odd(lap, known, fastest_ns)
    )


def _even(known: Sequence[int], fastest_ns: int | None) -> bool:
    """Whether not even the shortest one is odd; a quick check, which settles most crossings."""
    if not known or (fastest_ns is not None and 2 * known[0] >= fastest_ns):
        return True
    if len(known) < ENOUGH or 2 * known[0] < known[len(known) // 2]:
        return False
    return fastest_ns is not None or known[0] >= SHORTEST_NS or 2 * known[0] > known[-1]


def _odd(lap: int, known: Sequence[int], fastest_ns: int | None) -> bool:
    alike = sum(1 for other in known if other <= ALIKE * lap and lap <= ALIKE * other)
    if fastest_ns is None and lap < SHORTEST_NS and 2 * lap <= known[-1] and alike < ENOUGH:
        return True  # only a few this short beside a lap of a plausible length
    if len(known) >= ENOUGH:
        return 2 * lap < known[len(known) // 2]
    if fastest_ns is not None:
        return alike < 2
    return lap < SHORTEST_NS if len(known) == 1 else 5 * lap < 2 * known[-1]


def _any_long(known: Sequence[int]) -> bool:
    """Whether the longest may be two laps, by any lap that could be the usual one."""
    return len(known) > 1 and 100 * known[-1] >= 185 * known[(len(known) - 2) // 2]


def missing(laps: Sequence[int], held: Collection[int] = (), max_laps: int = MAX_MISSED) -> list[LongLap]:
    """The laps as long as two to `max_laps` usual ones, from 0.15 of a lap less to 0.20 more.

    The usual one is the median of the other laps, without those that are `held` (their indices, from 0). The limits are
    those of CrossMgr, a program for timing bicycle races (github.com/esitarski/CrossMgr).
    """
    return [each for each in long_laps(laps, held, max_laps) if each.sure]


def long_laps(laps: Sequence[int], held: Collection[int] = (), max_laps: int = MAX_LAPS_IN_ONE) -> list[LongLap]:
    """The laps that are longer than 1.85 usual ones: those of `missing`, and those as long as no number of them.

    With only one other lap to compare with, a lap is at most two usual ones. What goes beyond `MAX_MISSED`, or fits no
    number, is given only where `ENOUGH` laps show what is usual.
    """
    others = laps if not held else [lap for index, lap in enumerate(laps) if index not in held]
    sure = sorted(filter(None, others))
    if not _any_long(sure) or len(sure) < 2:
        return []
    found = []
    for index, lap in enumerate(laps):
        if not lap or index in held:
            continue
        place = bisect_left(sure, lap)
        middle = (len(sure) - 2) // 2
        usual = sure[middle] if middle < place else sure[middle + 1]
        if 100 * lap < 185 * usual:
            continue
        times = _times(lap, usual, max_laps if len(sure) >= ENOUGH else 2)
        alike = [other for other in sure if other <= ALIKE * usual and usual <= ALIKE * other]
        if len(alike) < ENOUGH and not 0 < times <= MAX_MISSED:
            continue
        laps_in_it = times or max(2, (2 * lap + usual) // (2 * usual))
        off_ns = abs(lap - laps_in_it * usual) + alike[-1] - alike[0]
        found.append(LongLap(index, laps_in_it, usual, off_ns, times > 0))
    return found


def _times(lap: int, usual: int, max_laps: int) -> int:
    """How many usual laps this one is as long as, up to `max_laps`; 0: none of these numbers."""
    fits = (n for n in range(2, max_laps + 1) if (100 * n - 15) * usual <= 100 * lap <= (100 * n + 20) * usual)
    return next(fits, 0)
