"""Two timing systems at one line: A times, B stands by on a device and a clock of its own.

Each crossing of A is paired with B's nearest one; the differences A-B are stored, so the two clocks need no common
zero. If A misses a crossing, B's stamp counts, corrected by the mean of the ten nearest differences and flagged (FIS:
the replacement time). A has missed a crossing when it sees a later one, or when a second has passed. With too few
differences, the crossing is proposed to an official instead.

If A misses even the start of a run, no difference is needed: B begins the run a second later, by its own stamps alone,
and times it to its end. If A works again by then, it is compared with B, and times the next run.

Called by engine.py with each crossing of A and B, and as time goes by. "Replacement time" is the term of the FIS
(International Ski and Snowboard Federation, timing booklet): system B's time where system A has none.
"""

import statistics
from collections import deque
from dataclasses import dataclass, replace

from station.core import facts as f
from station.core.inputs import Moment, clock_of
from station.core.timing.utc_scale import UtcScale

CLOSE_NS = 300_000_000  # longest time of a car from one system's line to the other's, by the clocks as paired
WAIT_NS = 1_000_000_000
NEAREST = 10
ENOUGH = 3
REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class PairedCrossing:
    """One pass that both systems saw. `difference_ns` is A's stamp minus B's, each on its own clock."""

    run_id: str
    boots: tuple[str, str]
    b_at_ns: int
    difference_ns: int


@dataclass(frozen=True, slots=True)
class MissedByA:
    """A crossing that only B saw, on A's clock; `fact`: how it was corrected, None: too few differences are known.

    `own` is the crossing as B stamped it.
    """

    crossing: f.Crossing
    fact: f.ReplacementTime | None
    own: f.Crossing


class BackupTimingSystem:
    """The recent crossings of both systems at one line, and the differences of their pairs."""

    def __init__(self, scale: UtcScale) -> None:
        self._scale = scale
        self._a: deque[tuple[f.Crossing, str]] = deque(maxlen=64)  # crossings without a pair yet, with their run
        self._b: deque[f.Crossing] = deque(maxlen=64)
        self._pairs: deque[PairedCrossing] = deque(maxlen=REMEMBERED)
        self._a_boot = ""
        self._taken: set[int] = set()  # B's crossings that have already counted, and wait only for a comparison

    def add_from_a(self, crossing: f.Crossing, run_id: str) -> list[f.Fact]:
        """Stores a crossing that A timed for a run; gives the facts of pairs found by it."""
        self._a_boot = crossing.boot
        self._a.append((crossing, run_id))
        return self._pair()

    def add_from_b(self, crossing: f.Crossing, *, counted: bool = False) -> list[f.Fact]:
        """Stores a crossing that B saw; gives the facts of pairs found by it.

        `counted`: B times the whole run, so the crossing has already counted.
        """
        self._b.append(crossing)
        if counted:
            self._taken.add(crossing.number)
        return self._pair()

    def discard_waiting(self) -> list[f.Crossing]:
        """Forgets B's crossings that no run counted, when a start was given; returns them."""
        gone, self._b = list(self._b), deque(maxlen=self._b.maxlen)
        waiting = [crossing for crossing in gone if crossing.number not in self._taken]
        self._taken.clear()
        return waiting

    def missed_before(self, crossing: f.Crossing) -> list[MissedByA]:
        """The crossings that A missed before this later one of A."""
        self._a_boot = crossing.boot
        return self._missed(crossing.at_ns - CLOSE_NS)

    def missed_by(self, now: Moment) -> list[MissedByA]:
        """The crossings that A has missed by this time."""
        if not self._b:
            return []
        if not self._a_boot:
            return self._gone([each for each in self._b if self._age_ns(each, now) > WAIT_NS])
        offset_ns = self._scale.utc_ns(self._a_boot, 0)
        at_ns = now.at_ns if clock_of(now.boot) == clock_of(self._a_boot) else self._scale.of_moment(now) - offset_ns
        return self._missed(at_ns - WAIT_NS)

    def summary(self, run_id: str) -> f.SystemsCompared | None:
        """The run's differences A-B, summarized; None if B saw none of it."""
        differences = [pair.difference_ns for pair in self._pairs if pair.run_id == run_id]
        if not differences:
            return None
        median_ns = round(statistics.median(differences))
        most_ns = max(abs(difference - median_ns) for difference in differences)
        return f.SystemsCompared(run_id, median_ns, most_ns, len(differences))

    def _missed(self, before_ns: int) -> list[MissedByA]:
        """B's crossings without a pair before that time of A's clock, oldest first."""
        return self._gone([crossing for crossing in self._b if self._on_a(crossing) < before_ns])

    def _gone(self, gone: list[f.Crossing]) -> list[MissedByA]:
        """Ends the wait of these crossings; gives those that A missed, without those that B itself timed."""
        for crossing in gone:
            self._b.remove(crossing)
        missed = [self._corrected(crossing) for crossing in gone if crossing.number not in self._taken]
        self._taken.difference_update(crossing.number for crossing in gone)
        return missed

    def _age_ns(self, crossing: f.Crossing, now: Moment) -> int:
        """The age of a crossing at `now`."""
        if clock_of(crossing.boot) == now.boot:
            return now.at_ns - crossing.at_ns
        return self._scale.of_moment(now) - self._scale.utc_ns(crossing.boot, crossing.at_ns)

    def _corrected(self, crossing: f.Crossing) -> MissedByA:
        if not self._a_boot:
            return MissedByA(crossing, None, crossing)
        near = self._nearest(crossing)
        at_ns = self._on_a(crossing)
        spread_ns = max(near) - min(near) if near else CLOSE_NS
        uncertainty_ns = crossing.uncertainty_ns + spread_ns
        stands = replace(crossing, at_ns=at_ns, boot=self._a_boot, uncertainty_ns=uncertainty_ns)
        if len(near) < ENOUGH:
            return MissedByA(stands, None, crossing)
        correction_ns = at_ns - crossing.at_ns
        fact = f.ReplacementTime(crossing.number, self._a_boot, at_ns, correction_ns, spread_ns, len(near))
        return MissedByA(stands, fact, crossing)

    def _nearest(self, crossing: f.Crossing) -> list[int]:
        """The ten differences of these two clocks that are nearest in time."""
        boots = (self._a_boot, crossing.boot)
        pairs = [pair for pair in self._pairs if pair.boots == boots]
        pairs.sort(key=lambda pair: abs(pair.b_at_ns - crossing.at_ns))
        return [pair.difference_ns for pair in pairs[:NEAREST]]

    def _on_a(self, crossing: f.Crossing) -> int:
        """B's stamp on A's clock, in ns: by the differences or, before there are any, by the time of day."""
        near = self._nearest(crossing)
        if near:
            return crossing.at_ns + sum(near) // len(near)
        if clock_of(crossing.boot) == clock_of(self._a_boot):
            return crossing.at_ns
        return self._scale.utc_ns(crossing.boot, crossing.at_ns) - self._scale.utc_ns(self._a_boot, 0)

    def _pair(self) -> list[f.Fact]:
        facts: list[f.Fact] = []
        if not self._b:  # most stations have no system B: a crossing costs the same however many came before
            return facts
        for ours, run_id in tuple(self._a):
            if ours.boot != self._a_boot:
                self._a.remove((ours, run_id))
                continue
            off = {c.number: abs(self._on_a(c) - ours.at_ns) for c in self._b}
            theirs = min(self._b, key=lambda c: off[c.number], default=None)
            if theirs is None or off[theirs.number] > CLOSE_NS:
                continue
            self._a.remove((ours, run_id))
            self._b.remove(theirs)
            self._taken.discard(theirs.number)
            difference_ns = ours.at_ns - theirs.at_ns
            self._pairs.append(PairedCrossing(run_id, (ours.boot, theirs.boot), theirs.at_ns, difference_ns))
            facts.append(f.SystemsPaired(run_id, ours.number, theirs.number, difference_ns))
        return facts
