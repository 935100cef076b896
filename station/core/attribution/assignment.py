"""Several cars on the track, one beam: whose crossing was it, why, and how sure is that?

A transponder's id decides. Without one, all crossings that lie close together are weighed at once against all cars:
by how far a car's own report is off or, if its report was lost, by how far the gap differs from its usual lap. The
assignment with the lowest total cost wins. It is sure only if the best assignment that gives this crossing to another
car, or to no car, is much worse. Whatever is unsure, missing or false is proposed to an official with its witnesses;
nothing is inserted, and nothing is guessed silently.
Called by multi_car.py; the costs come from likelihood.py, the assignment from hungarian.py.

A call of `decide` that decides nothing changes nothing, so a replay may leave such calls out.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from shared.text import text
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

HOLD_NS = 1_500 * NS_PER_MS  # the longest that a report takes to arrive
PATIENCE_NS = 6_000 * NS_PER_MS  # what is in doubt waits longer: the other cars' next reports may settle it
REMEMBERED = 16  # sure decisions that a late report may still contradict
SURE = 9.0  # margin for being sure that it was no other car
SURE_A_CAR = 2.5  # margin for being sure that it was a car at all: false crossings are rare to begin with
NEAR_LAP = 0.2  # how far a gap may be from a whole number of laps, as a fraction of a lap


@dataclass(frozen=True, slots=True)
class WeighedCluster:
    """The cars that a cluster of crossings was weighed against, their reports about it, and the decisions."""

    cars: list[CarOnTrack]
    reports: list[CarReportAt | None]
    decisions: list[Decision]


class CrossingAssigner:
    """The cars that are on the track together, and the crossings that wait for a decision.

    Crossings and reports go in; `decide` returns the decisions that no later report can change.
    """

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

    def add_crossing(self, crossing: GateCrossing) -> None:
        """Adds a crossing; whose it was is decided later."""
        self._waits = None
        self._open.append(crossing)
        self._open.sort(key=lambda each: each.at_ns)

    def add_report(self, report: CarReportAt, received_ns: int | None = None, one_clock: bool = False) -> None:
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
        """The gate has a new clock: forgets earlier stamps, since they cannot be compared with new ones."""
        self._waits = None
        self._sure.clear()
        for car in self._cars:
            car.last_ns = None
            car.clocks.clear()
            car.waiting.clear()

    def decide(self, now_ns: int) -> list[Decision | MissingCrossing | LateContradiction]:
        """The decisions that no later report can change, by the time `now_ns` of the gate's clock; oldest first."""
        decided: list[Decision | MissingCrossing | LateContradiction] = []
        while self._open:
            size = 1
            while size < len(self._open) and self._open[size].at_ns - self._open[size - 1].at_ns < JOIN_NS:
                size += 1
            cluster, newest_ns = self._open[:size], self._open[size - 1].at_ns
            if newest_ns > now_ns - HOLD_NS:
                break
            decided += self._unmatched_reports(cluster[0].at_ns - JOIN_NS)
            weighed = self._waits if self._waits is not None else self._weigh(cluster)
            if newest_ns > now_ns - PATIENCE_NS and not all(decision.sure for decision in weighed.decisions):
                self._waits = weighed
                break  # the other cars that it may have been are about to report
            self._waits = None
            self._open = self._open[size:]
            undisputed = [each for each in weighed.decisions if each.sure and not each.others]
            self._sure += [(decision, self._cost_of(decision)) for decision in undisputed]
            decided += [*weighed.decisions, *self._learn(weighed)]
        horizon_ns = now_ns - HOLD_NS - JOIN_NS
        before_ns = min(horizon_ns, self._open[0].at_ns - JOIN_NS) if self._open else horizon_ns
        return decided + self._unmatched_reports(before_ns)

    def _weigh(self, cluster: list[GateCrossing]) -> WeighedCluster:
        cars = [car for car in self._cars if car.may_cross(cluster[0].at_ns)]
        reports = [likelihood.report_in(car, cluster) for car in cars]
        cost = self._cost_table(cluster, cars, reports)
        total, columns = assign(cost)
        decisions = [
            self._decision(crossing, cars, reports, columns[row], _alternatives(cost, row, columns[row]), total)
            for row, crossing in enumerate(cluster)
        ]
        return WeighedCluster(cars, reports, decisions)

    def _cost_table(
        self, cluster: list[GateCrossing], cars: list[CarOnTrack], reports: list[CarReportAt | None]
    ) -> list[list[float]]:
        """Costs: a row per crossing; a column per car, then a "no car" column per crossing.

        A car that gets no crossing leaves its report unexplained: that cost is taken off its column in every row.
        """
        left_out = [
            likelihood.left_out(car, report, cluster, self.lockout_ns)
            for car, report in zip(cars, reports, strict=True)
        ]
        rows = []
        for row, crossing in enumerate(cluster):
            by_car = [
                likelihood.cost(car, report, crossing, self._min_lap_ns) - saved
                for car, report, saved in zip(cars, reports, left_out, strict=True)
            ]
            rows.append(by_car + [FALSE_EDGE if column == row else 2 * FAR for column in range(len(cluster))])
        return rows

    def _decision(
        self,
        crossing: GateCrossing,
        cars: list[CarOnTrack],
        reports: list[CarReportAt | None],
        column: int,
        alternatives: list[tuple[float, int]],
        total: float,
    ) -> Decision:
        """The decision that gives this crossing to `column`, at the `total` cost of the best assignment.

        `alternatives`: the total cost of giving it to another column instead, and that column; the cheapest first.
        """
        if crossing.car in {car.name for car in cars}:
            return Decision(crossing.number, crossing.at_ns, crossing.car, text("its transponder"), 1.0, True)
        margin = min(
            (value - total + (0.0 if other < len(cars) else SURE - SURE_A_CAR) for value, other in alternatives),
            default=FAR,
        )
        odds = 1 / (1 + math.exp(-max(-50.0, min(margin, 50.0))))
        close = SURE if column < len(cars) else 4 * FAR  # if it may have been no car, all cars are named
        others = tuple(cars[other].name for value, other in alternatives if other < len(cars) and value - total < close)
        if column >= len(cars):
            return Decision(
                crossing.number, crossing.at_ns, "", text("no car can have been there"), odds, False, others
            )
        car, report = cars[column], reports[column]
        why = text("the time since its last crossing; it reported nothing")
        if report is not None:
            why = text("its report, {off:+.0f} ms off", off=(car.on_gate_clock(report)[0] - crossing.at_ns) / NS_PER_MS)
        return Decision(crossing.number, crossing.at_ns, car.name, why, odds, margin >= SURE, others)

    def _learn(self, weighed: WeighedCluster) -> list[MissingCrossing]:
        """Updates where the cars are; returns the crossings that are missing in between.

        A doubtful decision only moves a car to the time of its own report, and teaches nothing about its clock.
        """
        missing: list[MissingCrossing] = []
        for car, report in zip(weighed.cars, weighed.reports, strict=True):
            decision = next((each for each in weighed.decisions if each.car == car.name), None)
            if decision is None:
                continue
            at_ns = decision.at_ns
            if report is not None:
                car.waiting.remove(report)
                if not decision.sure:
                    at_ns = car.on_gate_clock(report)[0]
                elif report.boot in car.clocks:
                    car.clocks[report.boot].learn(report.at_ns, at_ns)
            if decision.sure:
                missing += self._missed_in_gap(car, at_ns)
            car.last_ns = at_ns
        return missing

    def _missed_in_gap(self, car: CarOnTrack, at_ns: int) -> list[MissingCrossing]:
        """The crossings that the gate missed: two to four whole laps since the last one, with no report in between."""
        usual_ns = car.usual_ns
        if usual_ns is None or car.last_ns is None:
            return []
        laps = round((at_ns - car.last_ns) / usual_ns)
        near_whole_laps = abs(at_ns - car.last_ns - laps * usual_ns) < NEAR_LAP * usual_ns
        if not 2 <= laps <= LAPS_BETWEEN or not near_whole_laps:
            return []
        share_ns = (at_ns - car.last_ns) // laps
        why = text("the gap of {laps} laps between its crossings", laps=laps)
        return [MissingCrossing(car.name, car.last_ns + n * share_ns, why) for n in range(1, laps)]

    def _cost_of(self, decision: Decision) -> float:
        """The cost of the decision's car having made the crossing, by what is known of the car now."""
        car = next(car for car in self._cars if car.name == decision.car)
        crossing = GateCrossing(decision.crossing, decision.at_ns)
        return likelihood.cost(car, likelihood.report_in(car, [crossing]), crossing, 0)

    def _contradicted_by(self, car: CarOnTrack, report: CarReportAt) -> list[LateContradiction]:
        """Crossings that this report fits, though they were given to another car whose report fits hardly better."""
        at_ns, sigma_ns = car.on_gate_clock(report)
        contradictions = []
        for decision, cost in tuple(self._sure):
            off = (at_ns - decision.at_ns) / sigma_ns
            if decision.car != car.name and off * off / 2 < cost + SURE:
                self._sure.remove((decision, cost))
                why = text(
                    "the report of {name} came late, {off:+.0f} ms off",
                    name=car.name,
                    off=(at_ns - decision.at_ns) / NS_PER_MS,
                )
                contradictions.append(LateContradiction(decision.crossing, decision.at_ns, decision.car, car.name, why))
        return contradictions

    def _unmatched_reports(self, before_ns: int) -> list[Decision | MissingCrossing | LateContradiction]:
        """What follows from reports of passings before `before_ns`, which no crossing can match any more.

        A report close to the car's last crossing is a repeat, and is ignored.
        """
        outcomes: list[Decision | MissingCrossing | LateContradiction] = []
        for car in self._cars:
            for report in [report for report in car.waiting if car.is_clock_known(report)]:
                at_ns = car.on_gate_clock(report)[0]
                fresh = car.last_ns is None or at_ns - car.last_ns >= self._min_lap_ns
                if at_ns < before_ns and fresh:
                    car.waiting.remove(report)
                    car.last_ns = at_ns
                    missing = MissingCrossing(car.name, at_ns, text("its own report"))
                    outcomes += self._contradicted_by(car, report) or [missing]
        return outcomes


def _alternatives(cost: list[list[float]], row: int, column: int) -> list[tuple[float, int]]:
    """The lowest total cost if the crossing of `row` gets another column than `column`, for each; cheapest first.

    Its other columns are those of all cars, and its own "no car" column.
    """
    no_car = len(cost[0]) - len(cost) + row
    totals = []
    for other in (*range(len(cost[0]) - len(cost)), no_car):
        if other != column:
            forced = [list(line) for line in cost]
            forced[row] = [cost[row][other] if each == other else 4 * FAR for each in range(len(cost[0]))]
            totals.append((assign(forced)[0], other))
    return sorted(totals)
