"""Partitions between cars, broker and station, and kills of the broker: no reported lap is lost, all catch up.

Two halls at once, since most of the time is spent waiting. `./dev bench partitions`.
"""

import functools
import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from bench.campaigns.campaign import Campaign, CampaignPart, PartOutcome, totals_of
from bench.campaigns.runner import run_and_report
from simulator.races.simulation import scratch
from tests.system.durability.forked import ProcessForker
from tests.system.durability.partitions import PartitionTally, partition

SEED = 1
HALLS = 2
# Faults that are wanted; parts; rounds of each hall in a part. A round has five on average.
PLAN, QUICK = (1_500, 14, 12), (10, 1, 2)


def main(quick: bool, *, resume: bool = False) -> None:
    run_and_report(campaign(quick), quick, resume=resume)


def campaign(quick: bool) -> Campaign:
    planned, parts, rounds = QUICK if quick else PLAN
    return Campaign(
        "partitions",
        "Partitions of cars, broker and station, and kill -9 of the broker with its store kept or wiped",
        SEED,
        "partitions and broker kills",
        planned,
        tuple(
            CampaignPart(f"halls {number + 1}", functools.partial(halls, rounds, SEED * 1000 + HALLS * number))
            for number in range(parts)
        ),
        zero=("reported laps lost", "reported laps twice in the journal", "invented"),
        above_zero=("reported laps", "fault: broker killed, store wiped"),
    )


def halls(rounds: int, seed: int) -> PartOutcome:
    """The sum of several halls, of as many seeds."""
    with ThreadPoolExecutor(HALLS) as threads:
        totals = totals_of(threads.map(functools.partial(_hall, rounds), range(seed, seed + HALLS)))
    return PartOutcome(totals.counts, totals.times, tuple(totals.broken))


def _hall(rounds: int, seed: int) -> PartOutcome:
    with tempfile.TemporaryDirectory(prefix="rd-p-", dir=scratch()) as name, closing(ProcessForker()) as forker:
        return _outcome(partition(pathlib.Path(name), forker, rounds, seed), seed)


def _outcome(tally: PartitionTally, seed: int) -> PartOutcome:
    return PartOutcome(
        {
            "partitions and broker kills": tally.faults.total(),
            **{f"fault: {name}": count for name, count in tally.faults.items()},
            "reported laps": tally.reported,
            "reported laps lost": tally.lost,
            "reported laps twice in the journal": tally.doubled,
            "invented": tally.invented,
        },
        {"s from whole until a car has caught up": tally.catch_up_s},
        () if tally.clean else (f"hall of seed {seed}: {tally.first_failure}",),
    )
