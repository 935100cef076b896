"""`kill -9` of every process of a hall and of its cars, under load and at any moment. `./dev bench kills`.

Four of five kills hit station, sync, leaderboard and broker of a hall in which laps, reports and results flow; the
others hit guard, pilot, comms and fail-safe process of cars that drive.
"""

import functools
import pathlib
import tempfile
from contextlib import closing

from bench.campaigns.campaign import Campaign, CampaignPart, PartOutcome
from bench.campaigns.runner import run_and_report
from simulator.races.simulation import scratch
from tests.system.durability.car_kills import kill_cars
from tests.system.durability.forked import ProcessForker
from tests.system.durability.hall_kills import kill_in_hall
from tests.system.vehicle.car_faults import in_memory

SEED = 1
KILLS_A_CAR = 4
# Of each kind: parts, and kills in a part.
HALL, CARS = (50, 160), (50, 40)
QUICK_HALL, QUICK_CARS = (1, 30), (1, 8)


def main(quick: bool, *, resume: bool = False) -> None:
    run_and_report(campaign(quick), quick, resume=resume)


def campaign(quick: bool) -> Campaign:
    """Halls and cars in turn."""
    (halls, in_hall), (cars, of_cars) = (QUICK_HALL, QUICK_CARS) if quick else (HALL, CARS)
    parts = []
    for number in range(max(halls, cars)):
        if number < halls:
            run = functools.partial(hall, in_hall, SEED * 1000 + number)
            parts.append(CampaignPart(f"hall {number + 1}", run))
        if number < cars:
            parts.append(CampaignPart(f"cars {number + 1}", functools.partial(car, of_cars // KILLS_A_CAR)))
    return Campaign(
        "kills",
        "kill -9 of station, sync, leaderboard, broker, and of a driving car's guard, pilot, comms, fail-safe process",
        SEED,
        "kills",
        halls * in_hall + cars * of_cars,
        tuple(parts),
        zero=(
            "acknowledged and lost",
            "edges lost",
            "invented",
            "journal and outbox differ",
            "unreadable",
            "results lost",
            "results applied twice",
            "answers held differently",
            "cars that drove on",
        ),
        above_zero=("acknowledged laps", "acknowledged lap reports", "acknowledged runs", "results"),
    )


def hall(count: int, seed: int) -> PartOutcome:
    with (
        tempfile.TemporaryDirectory(prefix="rd-k-", dir=scratch()) as name,
        closing(ProcessForker()) as forker,
    ):
        tally = kill_in_hall(pathlib.Path(name), forker, count, seed)
    station = tally.station
    why = station.first_failure or tally.first_failure or "the leaderboard's results are not those of the journal"
    return PartOutcome(
        {
            "kills": tally.killed.total(),
            **{f"kills: {name}": times for name, times in tally.killed.items()},
            "crossings": station.crossings,
            "acknowledged laps": station.acknowledged_laps,
            "acknowledged lap reports": station.acknowledged_reports,
            "acknowledged runs": station.acknowledged_runs,
            "results": tally.results,
            "acknowledged and lost": station.lost,
            "edges lost": station.lost_edges,
            "invented": station.invented,
            "journal and outbox differ": station.disagreeing,
            "unreadable": station.unreadable,
            "results lost": tally.results_lost,
            "results applied twice": tally.results_twice,
            "answers held differently": tally.answers_differ,
        },
        broken=() if tally.clean else (f"hall of seed {seed}: {why}",),
    )


def car(cars: int) -> PartOutcome:
    with in_memory() as folder:
        tally = kill_cars(folder, cars)
    return PartOutcome(
        {
            "kills": tally.killed.total(),
            **{f"kills: {name}": times for name, times in tally.killed.items()},
            "cars that drove on": tally.drove_on,
        },
        {f"ms to neutral: {name} killed": values for name, values in tally.neutral_ms.items()},
        tuple(tally.broken),
    )
