"""Faults of a driving car's processes: time to neutral, twenty trials of each kind, against its stated limit.

The real processes on the mock's motors. Needs a quiet machine: the limits are of time. `./dev bench faults`.
"""

import functools

from bench.campaigns.campaign import Campaign, CampaignPart, PartOutcome
from bench.campaigns.runner import run_and_report
from tests.system.vehicle.car_faults import FAULTS, MARGIN_MS, FaultTrial, in_memory, trials

TRIALS, QUICK = 20, 2


def main(quick: bool, *, resume: bool = False) -> None:
    run_and_report(campaign(quick), quick, resume=resume)


def campaign(quick: bool) -> Campaign:
    count = QUICK if quick else TRIALS
    parts = [CampaignPart(fault.name, functools.partial(_trials, fault, count)) for fault in FAULTS]
    return Campaign(
        "faults",
        f"Faults of a driving car: ms from the fault to neutral; {MARGIN_MS} ms beyond the stated limit are allowed",
        0,
        "trials",
        count * len(parts),
        tuple(parts),
        zero=("later than the limit and its margin",),
        above_zero=("kinds of faults",),
    )


def _trials(fault: FaultTrial, count: int) -> PartOutcome:
    with in_memory() as folder:
        outcomes = list(trials(fault, folder, count))
    late = [outcome for outcome in outcomes if outcome.beyond_ms > MARGIN_MS]
    return PartOutcome(
        {"trials": len(outcomes), "kinds of faults": 1, "later than the limit and its margin": len(late)},
        {
            f"ms to neutral, limit {fault.limit_ms:.0f}: {fault.name}": [each.neutral_ms for each in outcomes],
            "ms beyond the limit, all kinds": [each.beyond_ms for each in outcomes],
        },
        tuple(f"{each.fault}: neutral after {each.neutral_ms:.0f} ms, limit {each.limit_ms:.0f}" for each in late),
    )
