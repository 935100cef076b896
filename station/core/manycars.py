"""Several cars on the track, one beam: whose crossing was it, why, and how sure?

A transponder's id decides. Else all crossings that lie close together are weighed at once against all cars: how far a
car's own report is off, or (its report was lost) how far the gap is off its usual lap. The cheapest assignment as a
whole wins; costs are negative log likelihoods. It is sure only if the best one that gives this crossing to another
car, or to nobody, is much worse. What is not sure, missing or false is a proposal with its witnesses: nothing is
inserted, and nothing is guessed in silence.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.units import NS_PER_MS
from station.core.assign import assign

HOLD_NS = 1_500 * NS_PER_MS  # a report needs no longer to come
JOIN_NS = 1_000 * NS_PER_MS  # crossings so close are weighed together
REPORT_SIGMA_NS = 40 * NS_PER_MS  # two frames, and the way
LAP_SIGMA = 0.06  # laps of one car differ by so much of themselves
LOST_REPORT = -math.log(0.05)
MISSED_EDGE = -math.log(0.01)
SWALLOWED = 0.1  # within the lockout of another car's crossing there is none to be seen
FALSE_EDGE = -math.log(1e-4)
UNKNOWN_LAP = 4.0  # nothing is known of the car's laps yet
FAR = 60.0
SURE = 6.0
FEW_LAPS = 1
LAPS_BETWEEN = 4  # a gap of 2 to 4 laps: crossings were missed


@dataclass(frozen=True, slots=True)
class Seen:
    """A crossing of the gate; `car` if a transponder named it."""

    number: int
    at_ns: int
    car: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A car's own report, on the gate's clock."""

    car: str
    at_ns: int
    uncertainty_ns: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """Whose crossing it was: `car` "" is nobody's. `sure` False: an official decides. `odds` is 0 to 1."""

    crossing: int
    at_ns: int
    car: str
    why: str
    odds: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Lacking:
    """A car passed, by its report or by a gap of several laps, where the gate has no crossing: to be proposed."""

    car: str
    at_ns: int
    witness: str


@dataclass(slots=True)
class _Car:
    """What is known of one car: when it passed last, its laps, its reports that met no crossing yet."""

    name: str
    last_ns: int | None = None
    last_told_ns: int | None = None
    laps: list[int] = field(default_factory=list)
    waiting: list[Told] = field(default_factory=list)

    @property
    def usual_ns(self) -> int | None:
        return round(statistics.median(self.laps[-7:])) if len(self.laps) >= FEW_LAPS else None

    def hear(self, told: Told) -> None:
        """Its own reports teach its usual lap, whoever is given its crossings."""
        gap_ns = told.at_ns - self.last_told_ns if self.last_told_ns is not None else 0
        if gap_ns > 0 and (self.usual_ns is None or gap_ns < 3 * self.usual_ns // 2):
            self.laps.append(gap_ns)
        self.last_told_ns = told.at_ns
        self.waiting.append(told)


class ManyCars:
    """The cars that are on the track together. Time is told; decisions come when no report can change them."""

    def __init__(self, cars: Sequence[str], min_lap_ns: int, lockout_ns: int) -> None:
        self._cars = [_Car(name) for name in cars]
        self._min_lap_ns, self._lockout_ns = min_lap_ns, lockout_ns
        self._open: list[Seen] = []

    def crossing(self, seen: Seen) -> None:
        """The gate saw a car; stamps rise."""
        self._open.append(seen)

    def report(self, told: Told) -> None:
        """A car says that it passed."""
        for car in self._cars:
            if car.name == told.car:
                car.hear(told)

    def decide(self, now_ns: int) -> list[Given | Lacking]:
        """All that is ripe now."""
        found: list[Given | Lacking] = []
        while self._open:
            size = 1
            while size < len(self._open) and self._open[size].at_ns - self._open[size - 1].at_ns < JOIN_NS:
                size += 1
            if self._open[size - 1].at_ns > now_ns - HOLD_NS:
                break
            cluster, self._open = self._open[:size], self._open[size:]
            found += self._unmet(cluster[0].at_ns - JOIN_NS)
            found += self._weigh(cluster)
        horizon_ns = self._open[0].at_ns - JOIN_NS if self._open else now_ns - HOLD_NS - JOIN_NS
        return found + self._unmet(min(horizon_ns, now_ns - HOLD_NS - JOIN_NS))

    def _weigh(self, cluster: list[Seen]) -> list[Given | Lacking]:
        reports = [self._report_in(car, cluster) for car in self._cars]
        cost = self._table(cluster, reports)
        total, given = assign(cost)
        found: list[Given | Lacking] = []
        for row, seen in enumerate(cluster):
            margin = _without(cost, row, given[row]) - total
            found.append(self._given(seen, reports, given[row], margin))
        self._learn(reports, found)
        return [*found, *self._gaps(cluster, found)]

    def _table(self, cluster: list[Seen], reports: list[Told | None]) -> list[list[float]]:
        """Crossings against cars, then one column each for nobody's. A car left out costs what its report says."""
        left_out = [self._left_out(report, cluster) for report in reports]
        rows = []
        for row, seen in enumerate(cluster):
            cars = [
                self._cost(car, report, seen) - out
                for car, report, out in zip(self._cars, reports, left_out, strict=True)
            ]
            rows.append(cars + [FALSE_EDGE if column == row else 2 * FAR for column in range(len(cluster))])
        return rows

    def _cost(self, car: _Car, report: Told | None, seen: Seen) -> float:
        """How unlikely it is that this car made this crossing."""
        if seen.car:
            return -FAR if seen.car == car.name else FAR
        if car.last_ns is not None and seen.at_ns - car.last_ns < self._min_lap_ns:
            return FAR
        if report is not None:
            sigma_ns = REPORT_SIGMA_NS + report.uncertainty_ns
            return min(FAR, ((report.at_ns - seen.at_ns) / sigma_ns) ** 2 / 2)
        return min(FAR, LOST_REPORT + self._by_lap(car, seen.at_ns))

    def _by_lap(self, car: _Car, at_ns: int) -> float:
        usual_ns = car.usual_ns
        if usual_ns is None or car.last_ns is None:
            return UNKNOWN_LAP
        gap_ns = at_ns - car.last_ns
        laps = max(1, round(gap_ns / usual_ns))
        off = (gap_ns - laps * usual_ns) / (LAP_SIGMA * usual_ns * math.sqrt(laps))
        between = min(laps - 1, LAPS_BETWEEN) * MISSED_EDGE / 2  # its passes before may be doubtful, not missed
        return off**2 / 2 + between

    def _left_out(self, report: Told | None, cluster: list[Seen]) -> float:
        """A report without a crossing: the edge was missed, or swallowed by the lockout of another car's."""
        if report is None:
            return 0.0
        reach_ns = self._lockout_ns + 4 * REPORT_SIGMA_NS
        near = any(-4 * REPORT_SIGMA_NS < report.at_ns - seen.at_ns < reach_ns for seen in cluster)
        return SWALLOWED if near else MISSED_EDGE

    def _report_in(self, car: _Car, cluster: list[Seen]) -> Told | None:
        """The car's report about this time, if there is one; the nearest."""
        first_ns, last_ns = cluster[0].at_ns - JOIN_NS, cluster[-1].at_ns + JOIN_NS
        within = [told for told in car.waiting if first_ns <= told.at_ns <= last_ns]
        return min(within, key=lambda told: min(abs(told.at_ns - seen.at_ns) for seen in cluster), default=None)

    def _given(self, seen: Seen, reports: list[Told | None], column: int, margin: float) -> Given:
        odds = 1 / (1 + math.exp(-min(margin, 50.0)))
        if seen.car in {car.name for car in self._cars}:
            return Given(seen.number, seen.at_ns, seen.car, "its transponder", 1.0, True)
        if column >= len(self._cars):
            return Given(seen.number, seen.at_ns, "", "no car can have been there", odds, False)
        name, report = self._cars[column].name, reports[column]
        why = "the time since its last crossing; it reported nothing"
        if report is not None:
            why = f"its report, {(report.at_ns - seen.at_ns) / NS_PER_MS:+.0f} ms off"
        return Given(seen.number, seen.at_ns, name, why, odds, margin >= SURE)

    def _learn(self, reports: list[Told | None], found: Sequence[Given | Lacking]) -> None:
        """Where the cars are now. What is doubtful moves a car to its own report, and teaches no lap."""
        for car, report in zip(self._cars, reports, strict=True):
            given = next((g for g in found if isinstance(g, Given) and g.car == car.name), None)
            if given is None:
                continue
            if report is not None:
                car.waiting.remove(report)
            if not given.sure:
                car.last_ns = report.at_ns if report is not None else given.at_ns
                continue
            car.last_ns = given.at_ns

    def _gaps(self, cluster: list[Seen], found: Sequence[Given | Lacking]) -> list[Lacking]:
        """Nothing was heard of a car for two laps and more, and no report tells of it."""
        lacking = []
        for car in self._cars:
            usual_ns = car.usual_ns
            if usual_ns is None or car.last_ns is None or car.waiting:
                continue
            overdue_ns = cluster[0].at_ns - car.last_ns - usual_ns
            if usual_ns // 2 < overdue_ns and not any(isinstance(g, Given) and g.car == car.name for g in found):
                car.last_ns += usual_ns
                lacking.append(Lacking(car.name, car.last_ns, "the gap of two laps between its crossings"))
        return lacking

    def _unmet(self, before_ns: int) -> list[Given | Lacking]:
        """Reports that no crossing can meet any more."""
        found: list[Given | Lacking] = []
        for car in self._cars:
            for told in [t for t in car.waiting if t.at_ns < before_ns]:
                car.waiting.remove(told)
                if car.last_ns is None or told.at_ns - car.last_ns >= self._min_lap_ns:
                    car.last_ns = told.at_ns
                    found.append(Lacking(car.name, told.at_ns, "its own report"))
        return found


def _without(cost: list[list[float]], row: int, column: int) -> float:
    """The cheapest sum when this crossing is not given to this car."""
    bent = [list(line) for line in cost]
    bent[row][column] = 4 * FAR
    return assign(bent)[0]


def on_gate_clock(reports: Sequence[tuple[int, int]]) -> int:
    """Gate clock minus car clock, from (said on the car's clock, heard on the gate's): the least delay bounds it."""
    return min(heard_ns - said_ns for said_ns, heard_ns in reports)
