"""Race days on virtual time with seeded faults, checked against the invariants of `raceday race simulate`.

A part is one seed: fifty hours, as `raceday race simulate --seed S --hours 50` drives them, and its first meeting
once more, which must give the same journal. `./dev bench race-hours --seeds 1..40`, then `--resume --seeds 41..80`.
"""

import functools
import os
from collections.abc import Collection

from bench.campaigns.campaign import Campaign, CampaignPart, PartOutcome
from bench.campaigns.runner import run_and_report
from shared.errors import BadInput
from simulator.races.hosts.tally import COUNTS, MeetingTally
from simulator.races.physical.fault_table import BY_NAME
from simulator.races.simulation import MEETING_H, SimulatedMeeting, Simulation, run_part, simulate

HOURS, HOURS_A_SEED = 10_000, 50
QUICK = (8, 4)
ALL = frozenset(BY_NAME)


def main(quick: bool, *, resume: bool = False, seeds: str = "") -> None:
    """`seeds`: "A..B", the parts of this sitting; all if it is empty."""
    made = campaign(quick)
    run_and_report(made, quick, resume=resume, only=_only(seeds, len(made.parts)))


def campaign(quick: bool) -> Campaign:
    hours, at_once = QUICK if quick else (HOURS, HOURS_A_SEED)
    parts = [
        CampaignPart(_name(seed), functools.partial(drive, seed, at_once)) for seed in range(1, hours // at_once + 1)
    ]
    return Campaign(
        "race-hours",
        f"Simulated race days with {len(ALL)} kinds of faults",
        1,
        "race-hours",
        hours,
        tuple(parts),
        zero=("invariants broken", "meetings that were not the same again"),
        above_zero=("laps", "results", "faults injected", "meetings driven again"),
    )


def drive(seed: int, hours: int) -> PartOutcome:
    """The hours of one seed, and its first meeting again."""
    report = simulate(Simulation(seed, hours, ALL, jobs=min(2, os.cpu_count() or 1)))
    again = run_part(SimulatedMeeting(f"{seed}/0", min(MEETING_H, hours), ALL, None))
    tally = report.tally
    return PartOutcome(
        {
            "race-hours": hours,
            **{name: getattr(tally, name) for name in COUNTS},
            "faults injected": tally.faults.total(),
            **{f"fault: {name}": count for name, count in tally.faults.items()},
            "clock steps": _clock_steps(tally),
            "invariants checked": sum(invariant.checked for invariant in tally.invariants.values()),
            "invariants broken": sum(invariant.failures for invariant in tally.invariants.values()),
            "meetings driven again": 1,
            "meetings that were not the same again": again.heads != tally.heads[: len(again.heads)],
        },
        broken=tuple(sentence for invariant in tally.invariants.values() for sentence in invariant.broken),
    )


def _clock_steps(tally: MeetingTally) -> int:
    """Steps of a clock, and starts with a wrong one (each is set right later: a step)."""
    return tally.faults["clock_step"] + tally.faults["untrusted_clock"]


def _name(seed: int) -> str:
    return f"seed {seed}"


def _only(seeds: str, most: int) -> Collection[str] | None:
    if not seeds:
        return None
    first, dots, last = seeds.partition("..")
    if not dots or not first.isdecimal() or not last.isdecimal() or not 1 <= int(first) <= int(last) <= most:
        raise BadInput(f"--seeds is {seeds!r}: write it as 1..40, within 1 and {most}.")
    return {_name(seed) for seed in range(int(first), int(last) + 1)}
