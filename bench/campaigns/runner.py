"""Runs a campaign part by part: prints how far it is, writes its record after each part, and goes on with `--resume`.

A part that raises is a broken promise like any other: it is recorded, and the next part is run, so that a campaign
that is left alone for hours comes to its end. Called by the modules beside this one.
"""

import os
import time
import traceback
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bench.campaigns.campaign import (
    Campaign,
    CampaignPart,
    CampaignTotals,
    PartOutcome,
    failures,
    spread_of,
    totals_of,
)
from bench.campaigns.record import CampaignRecord, DonePart, commit, file_of, read_record
from bench.report import console
from shared.errors import RacedayError

Tell = Callable[[str], None]


class CampaignNotClean(RacedayError):
    """The campaign found something, or was not able to find anything."""


def run_and_report(
    campaign: Campaign, quick: bool, *, resume: bool = False, only: Collection[str] | None = None
) -> None:
    """Runs what is left, prints the table, writes run/bench/NAME.json. `only`: names of parts, the others stay left.

    Raises BadInput if there is nothing to resume that fits, CampaignNotClean if a promise was broken.
    """
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    record = (read_record(campaign, quick) if resume else None) or _new_record(campaign, quick)
    run(campaign, record, only, lambda line: progress.print(line, markup=False))
    totals = totals_of(part.outcome for part in record.done)
    left = len(record.left_of(campaign))
    console().print(_table(campaign, record, totals))
    if left:
        console().print(f"{left} of {len(campaign.parts)} parts are left: `./dev bench {campaign.name} --resume`")
    why = totals.broken if left else failures(campaign, totals)
    if why:
        raise CampaignNotClean(f"{campaign.name} is not clean: {'; '.join(why)} ({file_of(campaign.name)})")


def run(campaign: Campaign, record: CampaignRecord, only: Collection[str] | None, tell: Tell) -> None:
    """Runs the parts that are left, and saves the record after each."""
    left = set(record.left_of(campaign))
    due = [part for part in campaign.parts if part.name in left and (only is None or part.name in only)]
    for number, part in enumerate(due, 1):
        record.done.append(_run_part(part))
        record.save(campaign)
        tell(_line(campaign, record, part, due[number:], number))


def outcome_of(campaign: Campaign) -> CampaignTotals:
    """Runs all parts without a file: for whoever only wants to know whether a planted bug is found."""
    return totals_of(_run_part(part).outcome for part in campaign.parts)


def _new_record(campaign: Campaign, quick: bool) -> CampaignRecord:
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    return CampaignRecord(campaign.name, campaign.seed, quick, campaign.planned, begun)


def _run_part(part: CampaignPart) -> DonePart:
    began_s = time.monotonic()
    try:
        outcome = part.run()
    except Exception as error:  # whatever it is, it is what the campaign found
        traceback.print_exc()
        outcome = PartOutcome({}, broken=(f"{part.name}: {type(error).__name__}: {error}",))
    return DonePart(
        part.name,
        dict(outcome.counts),
        {name: list(values) for name, values in outcome.times.items()},
        outcome.broken,
        round(time.monotonic() - began_s, 2),
        round(os.getloadavg()[0], 2),
        commit(),
    )


def _line(
    campaign: Campaign, record: CampaignRecord, part: CampaignPart, left: list[CampaignPart], in_this_sitting: int
) -> str:
    done = sum(each.counts.get(campaign.trials, 0) for each in record.done)
    last = record.done[-in_this_sitting:]
    left_s = len(left) * sum(each.ran_s for each in last) / len(last)
    broken = sum(len(each.broken) for each in record.done)
    words = f"{broken} BROKEN" if broken else "all well"
    return (
        f"{time.strftime('%H:%M:%S')} {campaign.name}, {part.name}: "
        f"{done:,} of {campaign.planned:,} {campaign.trials}, "
        f"{record.ran_s / 60:.1f} min, about {left_s / 60:.0f} left, load {record.done[-1].load:.1f}, {words}"
    )


def _table(campaign: Campaign, record: CampaignRecord, totals: CampaignTotals) -> Table:
    loads = [part.load for part in record.done]
    load = f"load {sum(loads) / len(loads):.1f}" if loads else "nothing run"
    table = Table(title=f"{campaign.title}; {record.ran_s:.0f} s, {load}, seed {campaign.seed}", title_justify="left")
    for column in ("what", "how many", "wanted"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, count in sorted(totals.counts.items(), key=lambda item: (item[0] in campaign.zero, item[0])):
        wanted = "0" if name in campaign.zero else "> 0" if name in campaign.above_zero else ""
        table.add_row(name, f"{count:,}", wanted)
    for name, values in totals.times.items():
        if values:
            spread = spread_of(values)
            figures = f"{spread.p50:.3g}, {spread.p99:.3g}, {spread.longest:.3g}"
            table.add_row(f"{name}: p50, p99, longest", figures, "")
    return table
