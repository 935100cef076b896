"""A heat drawn from a seed, with its ground truth: several cars on the track at once, one beam, no transponders.

Cars are lap-time processes as in racers.py. A pass blocks the beam for the car's length; a car that arrives while it
is still blocked, or within the gate's lockout, makes no crossing of its own. The gate misses some passes, some lap
reports are lost and some arrive seconds late; every car has its own clock.
"""

import random
from dataclasses import dataclass, field

from shared.rules.ranking import RaceRules
from shared.units import NS_PER_MS, NS_PER_S
from simulator.races.physical.racers import SimRacer, draw_racer, drive_lap
from station.core import inputs as e

GATE = "start"
BOOT = "track-boot-0"
UTC_NS = 1_790_000_000 * NS_PER_S
LOCKOUT_NS = 300 * NS_PER_MS
TICK_NS = 100 * NS_PER_MS
CAR_M = 0.30
MIN_LAP_S = 4.0
LATE_REPORT = 0.02
COASTS = 0.3  # share of the cars that roll over the line once more after their run


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How often the gate misses a pass, and how often a car's report is lost."""

    missed_edge: float = 0.01
    lost_report: float = 0.05


@dataclass(frozen=True, slots=True)
class HeatPassing:
    """A car's front reaches the beam at `at_ns`; `counts` is False after the end of its run."""

    run_id: str
    car: str
    at_ns: int
    blocked_ns: int
    counts: bool
    missed: bool


@dataclass(slots=True)
class Heat:
    """The true passes, and the inputs that the station receives, in order of time."""

    seed: str
    racers: dict[str, SimRacer]  # by run id
    passes: list[HeatPassing] = field(default_factory=list)
    inputs: list[e.Input] = field(default_factory=list)
    end_ns: int = 0


def moment(at_ns: int) -> e.Moment:
    """A reading of the station's clock at `at_ns`; the gate's machine has the same clock."""
    return e.Moment(BOOT, at_ns, UTC_NS + at_ns)


def draw_heat(seed: str, cars: int, laps: int, rates: FaultRates) -> Heat:
    """Draw a heat; the same seed draws the same heat."""
    rng = random.Random(f"{seed}/heat")
    heat = Heat(seed, {f"run-{n + 1}": draw_racer(rng, n + 1, cars) for n in range(cars)})
    timed: list[tuple[int, e.Input]] = list(_opening(heat, laps))
    begin_ns = 10 * NS_PER_S
    for run_id, racer in heat.racers.items():
        start_ns = begin_ns + round(rng.uniform(0.0, 4.0) * NS_PER_S)
        timed.append((start_ns, e.StartRun(author="starter", run_id=run_id, moment=moment(start_ns))))
        heat.passes += _driven(rng, run_id, racer, start_ns, laps, rates)
    heat.passes.sort(key=lambda each: each.at_ns)
    timed += _edges(heat.passes)
    for racer in heat.racers.values():
        timed += _reports(rng, racer.car, [each for each in heat.passes if each.car == racer.car], rates)
    heat.end_ns = heat.passes[-1].at_ns + 20 * NS_PER_S
    timed += [(at_ns, e.Tick(moment(at_ns))) for at_ns in range(begin_ns, heat.end_ns, TICK_NS)]
    heat.inputs = [event for _, event in sorted(timed, key=lambda each: each[0])]
    return heat


def _opening(heat: Heat, laps: int) -> list[tuple[int, e.Input]]:
    gate = e.GateSpec(GATE, lockout_ns=LOCKOUT_NS)
    rules = RaceRules(max_laps=laps, min_lap_s=MIN_LAP_S)
    race = e.OpenRace(moment(1), "heat", "A heat", rules, cars_on_track=len(heat.racers))
    opened = [
        e.OpenRun(author="starter", racer=racer.name, car=racer.car, run_id=run_id, moment=moment(2))
        for run_id, racer in heat.racers.items()
    ]
    return [(0, e.Booted(moment(0), "station", (gate,))), (1, race), *((2, each) for each in opened)]


def _driven(
    rng: random.Random, run_id: str, racer: SimRacer, start_ns: int, laps: int, rates: FaultRates
) -> list[HeatPassing]:
    """The passes of one car: the start, each lap, and sometimes one more after the run."""
    passes = []
    at_ns, speed_mps = start_ns + round(rng.uniform(1.0, 3.0) * NS_PER_S), racer.line_speed_mps
    for number in range(laps + 1 + (rng.random() < COASTS)):
        blocked_ns = round(CAR_M / speed_mps * NS_PER_S)
        missed = rng.random() < rates.missed_edge
        passes.append(HeatPassing(run_id, racer.car, at_ns, blocked_ns, number <= laps, missed))
        lap = drive_lap(racer, rng)
        at_ns += lap.duration_ns if lap.duration_ns is not None else round(3 * racer.base_lap_s * NS_PER_S)
        speed_mps = lap.speed_mps
    return passes


def _edges(passes: list[HeatPassing]) -> list[tuple[int, e.Input]]:
    """The beam's edges: it is blocked while any car is in it."""
    edges: list[tuple[int, bool]] = []
    free_ns = -1
    for each in passes:
        if each.missed:
            continue
        if each.at_ns > free_ns:
            edges += [(each.at_ns, True)]
        else:
            edges.pop()
        free_ns = max(free_ns, each.at_ns + each.blocked_ns)
        edges.append((free_ns, False))
    return [
        (at_ns, e.Edge(GATE, "beam", broken, at_ns, seq, BOOT)) for seq, (at_ns, broken) in enumerate(edges, start=1)
    ]


def _reports(rng: random.Random, car: str, passes: list[HeatPassing], rates: FaultRates) -> list[tuple[int, e.Input]]:
    """The car's own lap reports: up to a frame late, on its own clock, some delayed, some lost."""
    epoch_ns, rate = rng.randint(5, 4000) * NS_PER_S, 1.0 + rng.uniform(-40e-6, 40e-6)
    boot, last_ns = f"{car}-boot", 0
    reports: list[tuple[int, e.Input]] = []
    for seq, each in enumerate(passes, start=1):
        detected_ns = each.at_ns + round(rng.gauss(0.0, 20.0) * NS_PER_MS + rng.uniform(0.0, 33.0) * NS_PER_MS)
        stamp_ns = epoch_ns + round(detected_ns * rate)
        lap_ns, last_ns = (stamp_ns - last_ns if last_ns else None), stamp_ns
        delay_ms = rng.uniform(300.0, 5000.0) if rng.random() < LATE_REPORT else rng.uniform(30.0, 200.0)
        arrival_ns = each.at_ns + round((60.0 + delay_ms) * NS_PER_MS)
        if rng.random() >= rates.lost_report:
            decided_ns = epoch_ns + round((each.at_ns + 60 * NS_PER_MS) * rate)
            uncertainty_ns = 33 * NS_PER_MS
            report = e.CarReport(
                car,
                boot,
                seq,
                stamp_ns,
                boot,
                moment(arrival_ns),
                lap_ns,
                uncertainty_ns,
                decided_at_ns=decided_ns,
            )
            reports.append((arrival_ns, report))
    return reports
