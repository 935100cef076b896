"""Several cars on the track, one beam: whose crossing was it, why, and how sure is that?

A transponder's id decides. Without one, all crossings that lie close together are weighed at once against all cars:
by how far a car's own report is off or, if its report was lost, by how far the gap differs from its usual lap. The
cheapest assignment as a whole wins. It is sure only if the best assignment that gives this crossing to another car,
or to no car, is much worse. Whatever is unsure, missing or false is proposed to an official with its witnesses;
nothing is inserted, and nothing is guessed silently.
Called by multi_car.py; the costs come from likelihood.py, the assignment from hungarian.py.

A call that decides nothing changes nothing, so a replay may leave out the moments at which nothing was decided.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from shared.units import NS_PER_MS
from station.core.attribution import likelihood
from station.core.attribution.car_clock import CarClock
from station.core.attribution.decisions import Decision, LateContradiction, MissingCrossing
from station.core.attribution.hungarian import assign
from station.core.attribution.likelihood import (
    FALSE_EDGE,
    FAR,
    JOIN_NS,
    LAPS_BETWEEN,
    CarOnTrack,
    CarReportAt,
    GateCrossing,
)

__all__ = ["CarReportAt", "CrossingAssigner", "Decision", "GateCrossing", "LateContradiction", "MissingCrossing"]

HOLD_NS = 1_500 * NS_PER_MS  # a report needs no longer to come
PATIENCE_NS = 6_000 * NS_PER_MS  # what is in doubt waits longer: the other cars' next reports may settle it
REMEMBERED = 16
SURE = 9.0  # margin for being sure that it was no other car
SURE_A_CAR = 2.5  # margin for being sure that it was a car at all: the prior of a false crossing is small already
NEAR_LAP = 0.2  # how far a gap may be from a whole number of laps, as a fraction of a lap


@dataclass(frozen=True, slots=True)
class WeighedCluster:
    """The cars that a cluster was weighed against, their reports about it, and the decisions found."""

    cars: list[CarOnTrack]
    reports: list[CarReportAt | None]
    found: list[Decision]


class CrossingAssigner:
    """The cars that are on the track together. Time is an argument; decisions come when no report can change them."""

    def __init__(self, cars: Sequence[str], min_lap_ns: int, lockout_ns: int) -> None:
        self._cars = [CarOnTrack(name) for name in cars]
        self._min_lap_ns, self.lockout_ns = min_lap_ns, lockout_ns
        self._open: list[GateCrossing] = []
        self._sure: deque[tuple[Decision, float]] = deque(maxlen=REMEMBERED)  # with the cost of its own car's report
        self._waits: WeighedCluster | None = None  # the first cluster as weighed, until anything new is known

    def enter(self, name: str, last_ns: int | None = None, laps: Sequence[int] = (), now_ns: int | None = None) -> None:
        """A car comes onto the track.

        `last_ns`, `laps`: its last crossing and its laps in this run, in ns of the gate's clock.
        """
        self._waits = None
        self._sure = deque((each for each in self._sure if each[0].car != name), maxlen=REMEMBERED)
        self._cars = [car for car in self._cars if car.name != name]
        self._cars.append(CarOnTrack(name, last_ns, now_ns, laps=deque(laps, maxlen=7)))

    def leave(self, name: str, at_ns: int) -> None:
        """The car's run is over at `at_ns` of the gate's clock: it may cross once more, and is then forgotten."""
        self._waits = None
        self._cars = [car for car in self._cars if car.may_cross(at_ns)]
        for car in self._cars:
            if car.name == name:
                car.left_ns = at_ns

    def ruled(self, name: str, at_ns: int) -> None:
        """It is known (by an official or a transponder) that this car crossed at `at_ns` of the gate's clock."""
        self._waits = None
        for car in self._cars:
            if car.name == name:
                car.last_ns = at_ns if car.last_ns is None else max(at_ns, car.last_ns)

    def crossing(self, seen: GateCrossing) -> None:
        """The gate saw a car; whose crossing it was is decided later."""
        self._waits = None
        self._open.append(seen)
        self._open.sort(key=lambda each: each.at_ns)

    def report(self, report: CarReportAt, received_ns: int | None = None, one_clock: bool = False) -> None:
        """Adds a car's report of a passing. With a `boot` the car has its own clock; `received_ns` is on the gate's."""
        self._waits = None
        for car in self._cars:
            if car.name != report.car:
                continue
            if report.boot:
                clock = car.clocks.setdefault(report.boot, CarClock(one_clock))
                if received_ns is not None:
                    clock.add_delay(report.at_ns, received_ns)
            car.add_report(report)

    def restart(self) -> None:
        """The gate has a new clock: stamps from before cannot be compared with it."""
        self._waits = None
        self._sure.clear()
        for car in self._cars:
            car.last_ns = None
            car.clocks.clear()
            car.waiting.clear()

    def decide(self, now_ns: int) -> list[Decision | MissingCrossing | LateContradiction]:
        """The decisions that no later report can change, by the time `now_ns` of the gate's clock; oldest first."""
        found: list[Decision | MissingCrossing | LateContradiction] = []
        while self._open:
            size = 1
            while size < len(self._open) and self._open[size].at_ns - self._open[size - 1].at_ns < JOIN_NS:
                size += 1
            cluster, newest_ns = self._open[:size], self._open[size - 1].at_ns
            if newest_ns > now_ns - HOLD_NS:
                break
            missing = self._unmet(cluster[0].at_ns - JOIN_NS)
            found += missing
            weighed = self._waits if self._waits is not None else self._weigh(cluster)
            if newest_ns > now_ns - PATIENCE_NS and not all(given.sure for given in weighed.found):
                self._waits = weighed
                break  # the other cars that it may have been are about to report
            self._waits = None
            self._open = self._open[size:]
            self._sure += [(given, self._fit(given)) for given in weighed.found if given.sure and not given.others]
            found += [*weighed.found, *self._learn(weighed)]
        horizon_ns = now_ns - HOLD_NS - JOIN_NS
        return found + self._unmet(min(horizon_ns, self._open[0].at_ns - JOIN_NS) if self._open else horizon_ns)

    def _weigh(self, cluster: list[GateCrossing]) -> WeighedCluster:
        cars = [car for car in self._cars if car.may_cross(cluster[0].at_ns)]
        reports = [likelihood.report_in(car, cluster) for car in cars]
        cost = self._table(cluster, cars, reports)
        total, given = assign(cost)
        found = [
            self._given(seen, cars, reports, given[row], _rest(cost, row, given[row]), total)
            for row, seen in enumerate(cluster)
        ]
        return WeighedCluster(cars, reports, found)

    def _table(
        self, cluster: list[GateCrossing], cars: list[CarOnTrack], reports: list[CarReportAt | None]
    ) -> list[list[float]]:
        """Costs of crossings (rows) by car, then one "no car" column per crossing. A car left out costs its report."""
        out = [
            likelihood.left_out(car, report, cluster, self.lockout_ns)
            for car, report in zip(cars, reports, strict=True)
        ]
        rows = []
        for row, seen in enumerate(cluster):
            own = [
                likelihood.cost(car, report, seen, self._min_lap_ns) - spared
                for car, report, spared in zip(cars, reports, out, strict=True)
            ]
            rows.append(own + [FALSE_EDGE if column == row else 2 * FAR for column in range(len(cluster))])
        return rows

    def _given(
        self,
        seen: GateCrossing,
        cars: list[CarOnTrack],
        reports: list[CarReportAt | None],
        column: int,
        rest: list[tuple[float, int]],
        total: float,
    ) -> Decision:
        """`rest`: what it costs as a whole to give this crossing to another column, the cheapest first."""
        if seen.car in {car.name for car in cars}:
            return Decision(seen.number, seen.at_ns, seen.car, "its transponder", 1.0, True)
        margin = min(
            (value - total + (0.0 if other < len(cars) else SURE - SURE_A_CAR) for value, other in rest), default=FAR
        )
        odds = 1 / (1 + math.exp(-max(-50.0, min(margin, 50.0))))
        close = SURE if column < len(cars) else 4 * FAR  # if it may have been no car, all cars are named
        others = tuple(cars[other].name for value, other in rest if other < len(cars) and value - total < close)
        if column >= len(cars):
            return Decision(seen.number, seen.at_ns, "", "no car can have been there", odds, False, others)
        car, report = cars[column], reports[column]
        why = "the time since its last crossing; it reported nothing"
        if report is not None:
            why = f"its report, {(car.on_gate_clock(report)[0] - seen.at_ns) / NS_PER_MS:+.0f} ms off"
        return Decision(seen.number, seen.at_ns, car.name, why, odds, margin >= SURE, others)

    def _learn(self, weighed: WeighedCluster) -> list[MissingCrossing]:
        """Updates where the cars are. A doubtful decision only moves a car to its own report; it teaches nothing."""
        missing: list[MissingCrossing] = []
        for car, report in zip(weighed.cars, weighed.reports, strict=True):
            given = next((each for each in weighed.found if each.car == car.name), None)
            if given is None:
                continue
            at_ns = given.at_ns
            if report is not None:
                car.waiting.remove(report)
                if not given.sure:
                    at_ns = car.on_gate_clock(report)[0]
                elif report.boot in car.clocks:
                    car.clocks[report.boot].learn(report.at_ns, at_ns)
            if given.sure:
                missing += self._gap(car, at_ns)
            car.last_ns = at_ns
        return missing

    def _gap(self, car: CarOnTrack, at_ns: int) -> list[MissingCrossing]:
        """The crossings that the gate missed: two to four whole laps since the last one, with no report in between."""
        usual_ns = car.usual_ns
        if usual_ns is None or car.last_ns is None:
            return []
        laps = round((at_ns - car.last_ns) / usual_ns)
        whole = abs(at_ns - car.last_ns - laps * usual_ns) < NEAR_LAP * usual_ns
        if not 2 <= laps <= LAPS_BETWEEN or not whole:
            return []
        share_ns = (at_ns - car.last_ns) // laps
        why = f"the gap of {laps} laps between its crossings"
        return [MissingCrossing(car.name, car.last_ns + n * share_ns, why) for n in range(1, laps)]

    def _fit(self, given: Decision) -> float:
        """The cost of this car having made the crossing, by what is known of the car now."""
        car = next(car for car in self._cars if car.name == given.car)
        seen = GateCrossing(given.crossing, given.at_ns)
        return likelihood.cost(car, likelihood.report_in(car, [seen]), seen, 0)

    def _again(self, car: CarOnTrack, report: CarReportAt) -> list[LateContradiction]:
        """Crossings that this report fits, given to another car whose own report fits hardly better."""
        at_ns, sigma_ns = car.on_gate_clock(report)
        found = []
        for given, cost in tuple(self._sure):
            off = (at_ns - given.at_ns) / sigma_ns
            if given.car != car.name and off * off / 2 < cost + SURE:
                self._sure.remove((given, cost))
                why = f"the report of {car.name} came late, {(at_ns - given.at_ns) / NS_PER_MS:+.0f} ms off"
                found.append(LateContradiction(given.crossing, given.at_ns, given.car, car.name, why))
        return found

    def _unmet(self, before_ns: int) -> list[Decision | MissingCrossing | LateContradiction]:
        """Reports that no crossing can match any more; one close to the car's last crossing is a repeat: ignored."""
        found: list[Decision | MissingCrossing | LateContradiction] = []
        for car in self._cars:
            for report in [report for report in car.waiting if car.is_clock_known(report)]:
                at_ns = car.on_gate_clock(report)[0]
                fresh = car.last_ns is None or at_ns - car.last_ns >= self._min_lap_ns
                if at_ns < before_ns and fresh:
                    car.waiting.remove(report)
                    car.last_ns = at_ns
                    found += self._again(car, report) or [MissingCrossing(car.name, at_ns, "its own report")]
        return found


def _rest(cost: list[list[float]], row: int, column: int) -> list[tuple[float, int]]:
    """The least total for each other column that this crossing could get (no car: only its own), cheapest first."""
    no_car = len(cost[0]) - len(cost) + row
    found = []
    for other in (*range(len(cost[0]) - len(cost)), no_car):
        if other != column:
            bent = [list(line) for line in cost]
            bent[row] = [cost[row][other] if each == other else 4 * FAR for each in range(len(cost[0]))]
            found.append((assign(bent)[0], other))
    return sorted(found)
