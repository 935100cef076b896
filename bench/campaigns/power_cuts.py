"""Power cuts of every store that acknowledges something: the journal, what sync posted, the car's laps, the board.

The disk is an SQLite VFS that keeps what was synced, and of the rest what chance leaves. The same with less syncing
must lose something in each store, which shows that the check can fail. `./dev bench power-cuts`.
"""

import functools
import pathlib
import tempfile
from collections import deque
from collections.abc import Iterator

from bench.campaigns.campaign import Campaign, CampaignPart, PartOutcome
from bench.campaigns.runner import run_and_report
from simulator.races.simulation import scratch
from tests.system.durability import power_cuts, store_cuts

SEED = 1
# By store: cuts in all, cuts in one part, parts with less syncing.
SIZES = {"journal": (10_000, 250, 4), "sync": (2_000, 500, 1), "outbox": (2_000, 500, 2), "board": (1_000, 100, 1)}
QUICK = {"journal": (200, 100, 1), "sync": (100, 100, 1), "outbox": (400, 400, 1), "board": (20, 20, 1)}


def main(quick: bool, *, resume: bool = False) -> None:
    run_and_report(campaign(quick), quick, resume=resume)


def campaign(quick: bool) -> Campaign:
    """All stores, synced as they are and less."""
    sizes = QUICK if quick else SIZES
    parts = []
    for store, (cuts, at_once, weakened) in sizes.items():
        for number in range(cuts // at_once):
            run = functools.partial(cut, store, at_once, SEED * 1000 + number, weakened=False)
            parts.append(CampaignPart(f"{store} {number + 1}", run))
        for number in range(weakened):
            run = functools.partial(cut, store, at_once, SEED * 1000 + number, weakened=True)
            parts.append(CampaignPart(f"{store}, synced less {number + 1}", run))
    return Campaign(
        "power-cuts",
        "Power cuts of the journal, of what sync posted, of a car's laps and of the leaderboard",
        SEED,
        "power cuts",
        sum(cuts for cuts, _, _ in sizes.values()),
        tuple(parts),
        zero=("acknowledged and lost", "invented", "contradicting itself", "unreadable"),
        above_zero=("acknowledged", "kept though not acknowledged", *(_lost_name(store) for store in sizes)),
    )


def cut(store: str, cuts: int, seed: int, *, weakened: bool) -> PartOutcome:
    """So many cuts of one store; `weakened`: it syncs less than it does, and then only what it lost is counted."""
    with tempfile.TemporaryDirectory(prefix="rd-cuts-", dir=scratch()) as name:
        tally = deque(_trials(store, pathlib.Path(name), cuts, seed, weakened=weakened), maxlen=1).pop()
    if weakened:
        return PartOutcome({_lost_name(store): tally.lost, "power cuts with less syncing": tally.cuts})
    return PartOutcome(
        {
            "power cuts": tally.cuts,
            f"power cuts of the {store}": tally.cuts,
            "acknowledged": tally.acknowledged,
            "kept though not acknowledged": tally.not_acknowledged_but_kept,
            "acknowledged and lost": tally.lost,
            "invented": tally.invented,
            "contradicting itself": tally.disagreeing,
            "unreadable": tally.unreadable,
        },
        broken=() if tally.clean else (f"{store}, seed {seed}: {tally.first_failure}",),
    )


def _trials(store: str, folder: pathlib.Path, cuts: int, seed: int, *, weakened: bool) -> Iterator[power_cuts.Tally]:
    if store == "journal":
        return power_cuts.campaign(folder, cuts, seed, "normal" if weakened else "")
    return store_cuts.campaign(store, folder, cuts, seed, weakened=weakened)


def _lost_name(store: str) -> str:
    return f"lost by the {store} when it synced less"
