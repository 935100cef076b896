"""Two timing systems at one line: A times, B is the backup, on a device and a clock of its own.

Each crossing of A is paired with B's nearest one; the differences A-B are stored, so the two clocks need no common
zero. If A misses a crossing, B's stamp counts instead, corrected by the mean of the ten nearest differences, and the
lap says so. A has missed a crossing when it sees a later one, or when a second has passed. With too few differences,
the crossing is proposed to an official instead.

If A misses even the start of a run, no difference is needed: B begins the run a second later, by its own stamps alone,
and times it to its end. If A works again by then, it is compared with B, and times the next run.

Called by engine.py with each crossing of A and B, and as time goes by. Such a corrected time is a "replacement time",
the term of the FIS (International Ski and Snowboard Federation, timing booklet) for system B's time where A has none.
"""

import statistics
from collections import deque
from dataclasses import dataclass, replace

from station.core import facts as f
from station.core.inputs import Moment, clock_of
from station.core.timing.utc_scale import UtcScale

CLOSE_NS = 300_000_000  # the longest that a car takes from one system's line to the other's, by the clocks as paired
WAIT_NS = 1_000_000_000  # the longest that A's crossing may arrive after B's
NEAREST = 10  # differences that a correction is the mean of
ENOUGH = 3  # differences needed for a correction
REMEMBERED = 500  # pairs


@dataclass(frozen=True, slots=True)
class PairedCrossing:
    """One pass that both systems saw. `difference_ns` is A's stamp minus B's, each on its own clock."""

    run_id: str
    boots: tuple[str, str]
    b_at_ns: int
    difference_ns: int


@dataclass(frozen=True, slots=True)
class MissedByA:
    """A crossing that only B saw, converted to A's clock; `own` is the same crossing as B stamped it.

    `fact`: how it was corrected; None: too few differences are known.
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
        self._counted: set[int] = set()  # B's crossings that have already counted, and wait only for a comparison

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
            self._counted.add(crossing.number)
        return self._pair()

    def discard_waiting(self) -> list[f.Crossing]:
        """Forgets all crossings of B when a start is given; returns those that no run has counted."""
        discarded, self._b = list(self._b), deque(maxlen=self._b.maxlen)
        waiting = [crossing for crossing in discarded if crossing.number not in self._counted]
        self._counted.clear()
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
            return self._give_up([each for each in self._b if self._age_ns(each, now) > WAIT_NS])
        offset_ns = self._scale.utc_ns(self._a_boot, 0)
        at_ns = now.at_ns if clock_of(now.boot) == clock_of(self._a_boot) else self._scale.of_moment(now) - offset_ns
        return self._missed(at_ns - WAIT_NS)

    def summary(self, run_id: str) -> f.SystemsCompared | None:
        """The run's differences A-B, summarized; None if B saw none of it."""
        differences = [pair.difference_ns for pair in self._pairs if pair.run_id == run_id]
        if not differences:
            return None
        median_ns = round(statistics.median(differences))
        max_off_ns = max(abs(difference - median_ns) for difference in differences)
        return f.SystemsCompared(run_id, median_ns, max_off_ns, len(differences))

    def time_by_b(self, boot: str, at_ns: int) -> tuple[int, int] | None:
        """What B gives for A's crossing at this stamp, in ns of A's clock, and how far that may be off.

        By the differences of other passes only; None if B did not see this one, or if there are too few of them.
        """
        pair = next((p for p in self._pairs if p.boots[0] == boot and p.b_at_ns + p.difference_ns == at_ns), None)
        if pair is None:
            return None
        others = [p for p in self._pairs if p.boots == pair.boots and p is not pair]
        others.sort(key=lambda each: abs(each.b_at_ns - pair.b_at_ns))
        near = [each.difference_ns for each in others[:NEAREST]]
        if len(near) < ENOUGH:
            return None
        return pair.b_at_ns + sum(near) // len(near), max(near) - min(near)

    def _missed(self, before_ns: int) -> list[MissedByA]:
        """What A missed before this time of its own clock, by B's crossings without a pair; oldest first."""
        return self._give_up([crossing for crossing in self._b if self._on_a(crossing) < before_ns])

    def _give_up(self, crossings: list[f.Crossing]) -> list[MissedByA]:
        """Stops waiting for A's part of these pairs; gives those that A missed, without those that have counted."""
        for crossing in crossings:
            self._b.remove(crossing)
        missed = [self._corrected(crossing) for crossing in crossings if crossing.number not in self._counted]
        self._counted.difference_update(crossing.number for crossing in crossings)
        return missed

    def _age_ns(self, crossing: f.Crossing, now: Moment) -> int:
        """The age of a crossing at `now`, in ns."""
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
        on_a = replace(crossing, at_ns=at_ns, boot=self._a_boot, uncertainty_ns=uncertainty_ns)
        if len(near) < ENOUGH:
            return MissedByA(on_a, None, crossing)
        correction_ns = at_ns - crossing.at_ns
        fact = f.ReplacementTime(crossing.number, self._a_boot, at_ns, correction_ns, spread_ns, len(near))
        return MissedByA(on_a, fact, crossing)

    def _nearest(self, crossing: f.Crossing) -> list[int]:
        """The ten differences (A-B, ns) between these two clocks that are nearest in time to the crossing."""
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
        for of_a, run_id in tuple(self._a):
            if of_a.boot != self._a_boot:
                self._a.remove((of_a, run_id))
                continue
            off = {c.number: abs(self._on_a(c) - of_a.at_ns) for c in self._b}
            of_b = min(self._b, key=lambda c: off[c.number], default=None)
            if of_b is None or off[of_b.number] > CLOSE_NS:
                continue
            self._a.remove((of_a, run_id))
            self._b.remove(of_b)
            self._counted.discard(of_b.number)
            difference_ns = of_a.at_ns - of_b.at_ns
            self._pairs.append(PairedCrossing(run_id, (of_a.boot, of_b.boot), of_b.at_ns, difference_ns))
            facts.append(f.SystemsPaired(run_id, of_a.number, of_b.number, difference_ns))
        return facts
