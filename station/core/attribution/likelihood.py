"""How unlikely is it that this car made this crossing? Costs are negative log likelihoods.

The costs reflect how often reports, edges and laps are lost, late or odd on an ordinary track. assignment.py adds
them up.

A time that is known to a second is weaker evidence than one that is known to 40 ms, by the logarithm of their ratio.
All costs are relative to a report of a car whose clock is known (SIGMA_NS).
"""

import math
import statistics
from collections import deque
from dataclasses import dataclass, field

from shared.units import NS_PER_MS
from station.core.attribution.car_clock import SIGMA_NS, CarClock

JOIN_NS = 1_000 * NS_PER_MS  # crossings this close are weighed together, and a report is about a crossing this close
LEAVES_NS = 30_000 * NS_PER_MS  # a car whose run is over may still roll over the line
LAP_SIGMA = 0.06  # standard deviation of one car's laps, as a fraction of a lap
LOST_REPORT = -math.log(0.05)
MISSED_EDGE = -math.log(0.01)
FALSE_EDGE = -math.log(1e-4)
SWALLOWED = 0.1  # the gate cannot see a crossing within the lockout of another car's
STRAY_REPORT = 5.0  # a nearby report that is about something else
STRAY_CLOCK = 1.0  # the same while the car's clock is hardly known
FIRST_LAP = 4.0  # the start was just given: any time within some seconds
SECOND_LAP = 6.5  # any lap from five seconds to half a minute
QUICK_LAP_NS, LONG_LAP_NS = 5_000 * NS_PER_MS, 30_000 * NS_PER_MS
STARTS_NS = 10_000 * NS_PER_MS
UNKNOWN_LAP = 8.0  # nothing is known of the car's laps yet: any time within minutes
SLOW_LAP = 7.0  # one lap in ten: it went off the track and came back, some seconds later than usual
ELSEWHERE = 12.0  # the car reports to have passed so shortly before or after that it cannot have been here
LATE_WAY = 4.0  # while its clock is hardly known: the report may only have been delayed
SHORT_LAP = 0.6  # of the usual lap: no car is faster
RUN_OVER = 2.0  # the car has the order to stop
FAR = 60.0  # practically impossible
LAPS_BETWEEN = 4  # a gap of 2 to 4 laps: crossings were missed


@dataclass(frozen=True, slots=True)
class GateCrossing:
    """A crossing of the gate; `car` if a transponder named it."""

    number: int
    at_ns: int
    car: str = ""


@dataclass(frozen=True, slots=True)
class CarReportAt:
    """A car's own report: `at_ns` on the clock of `boot` ("": the gate's, and exact)."""

    car: str
    at_ns: int
    uncertainty_ns: int = 0
    boot: str = ""


@dataclass(slots=True)
class CarOnTrack:
    """What is known of one car: its last pass, its laps, and its reports that have no crossing yet; all in ns."""

    name: str
    last_ns: int | None = None
    entered_ns: int | None = None
    last_report: CarReportAt | None = None
    left_ns: int | None = None
    laps: deque[int] = field(default_factory=lambda: deque(maxlen=7))
    waiting: deque[CarReportAt] = field(default_factory=lambda: deque(maxlen=32))
    clocks: dict[str, CarClock] = field(default_factory=dict)

    @property
    def usual_ns(self) -> int | None:
        """The car's usual lap in ns: the median of the last ones; None while none is known."""
        return round(statistics.median(self.laps)) if self.laps else None

    def add_report(self, report: CarReportAt) -> None:
        """Adds a report: it waits for its crossing, and refines the car's usual lap."""
        last = self.last_report
        gap_ns = report.at_ns - last.at_ns if last is not None and last.boot == report.boot else 0
        if gap_ns > 0 and (self.usual_ns is None or gap_ns < 3 * self.usual_ns // 2):
            self.laps.append(gap_ns)
        self.last_report = report
        self.waiting.append(report)

    def on_gate_clock(self, report: CarReportAt) -> tuple[int, int]:
        """The time of the reported passing on the gate's clock, and its standard deviation; both in ns."""
        clock = self.clocks.get(report.boot)
        if clock is None:
            return report.at_ns, SIGMA_NS + report.uncertainty_ns
        return clock.on_gate(report.at_ns, report.uncertainty_ns)

    def is_clock_known(self, report: CarReportAt) -> bool:
        """Whether the car's clock is known well enough to place the reported passing."""
        clock = self.clocks.get(report.boot)
        return clock is None or clock.learnt

    def may_cross(self, at_ns: int) -> bool:
        """Whether the car is on the track at `at_ns`, or left it only just before."""
        return self.left_ns is None or at_ns - self.left_ns < LEAVES_NS


def cost(car: CarOnTrack, report: CarReportAt | None, crossing: GateCrossing, min_lap_ns: int) -> float:
    """The cost (a negative log likelihood) of this car having made this crossing; `report`: its own report, if any."""
    if crossing.car:
        return -FAR if crossing.car == car.name else FAR
    if car.last_ns is not None and crossing.at_ns - car.last_ns < min_lap_ns:
        return FAR
    over = RUN_OVER if car.left_ns is not None else 0.0
    if report is None:
        over += _elsewhere(car, crossing.at_ns, min_lap_ns)
    silent = LOST_REPORT + by_lap(car, crossing.at_ns)
    if report is None:
        return min(FAR, silent + over)
    at_ns, sigma_ns = car.on_gate_clock(report)
    off, wide = (at_ns - crossing.at_ns) / sigma_ns, math.log(sigma_ns / SIGMA_NS)
    stray = STRAY_REPORT if car.is_clock_known(report) else STRAY_CLOCK
    return min(FAR, off * off / 2 + wide + over, silent + stray + over)


def by_lap(car: CarOnTrack, at_ns: int) -> float:
    """The cost of a crossing at `at_ns` by the time since the car's last crossing alone."""
    usual_ns = car.usual_ns
    if usual_ns is None or car.last_ns is None:
        first = car.last_ns is None and car.entered_ns is not None and at_ns - car.entered_ns < STARTS_NS
        soon = car.last_ns is not None and QUICK_LAP_NS <= at_ns - car.last_ns < LONG_LAP_NS
        return FIRST_LAP if first else SECOND_LAP if soon else UNKNOWN_LAP
    gap_ns = at_ns - car.last_ns
    laps = max(1, round(gap_ns / usual_ns))
    sigma_ns = LAP_SIGMA * usual_ns * math.sqrt(laps)
    off, wide = (gap_ns - laps * usual_ns) / sigma_ns, math.log(sigma_ns / SIGMA_NS)
    between = min(laps - 1, LAPS_BETWEEN) * MISSED_EDGE / 2  # the passes in between may be doubtful, not missed
    regular = off * off / 2 + wide + between
    return min(regular, SLOW_LAP) if gap_ns > usual_ns else regular


def _elsewhere(car: CarOnTrack, at_ns: int, min_lap_ns: int) -> float:
    """The cost of reports of passings so shortly before or after that the car can hardly have passed then too."""
    shortest_ns = QUICK_LAP_NS if car.usual_ns is None else round(SHORT_LAP * car.usual_ns)
    max_ns = max(min_lap_ns, shortest_ns) - JOIN_NS // 2
    worst = 0.0
    for report in car.waiting:
        later_ns = car.on_gate_clock(report)[0] - at_ns
        if JOIN_NS < abs(later_ns) < max_ns:
            worst = max(worst, ELSEWHERE if car.is_clock_known(report) or later_ns < 0 else LATE_WAY)
    return worst


def left_out(car: CarOnTrack, report: CarReportAt | None, cluster: list[GateCrossing], lockout_ns: int) -> float:
    """The cost of the car's report having no crossing: the edge was missed, or swallowed by another car's lockout."""
    if report is None:
        return 0.0
    at_ns, sigma_ns = car.on_gate_clock(report)
    near = any(-4 * sigma_ns < at_ns - crossing.at_ns < lockout_ns + 4 * sigma_ns for crossing in cluster)
    return SWALLOWED if near else MISSED_EDGE


def report_in(car: CarOnTrack, cluster: list[GateCrossing]) -> CarReportAt | None:
    """The car's report nearest to these crossings; None if none is within JOIN_NS."""
    best, best_ns = None, JOIN_NS
    for report in car.waiting:
        at_ns, _ = car.on_gate_clock(report)
        off_ns = min(abs(at_ns - crossing.at_ns) for crossing in cluster)
        if off_ns <= best_ns:
            best, best_ns = report, off_ns
    return best
