"""Results posted through an abusive proxy, with `kill -9` of stations and leaderboard: each is applied once.

In turn on SQLite and on PostgreSQL, if that is installed. `./dev bench posts`.
"""

import contextlib
import functools
import pathlib
import tempfile

from bench.campaigns.campaign import Campaign, CampaignPart, PartOutcome
from bench.campaigns.runner import run_and_report
from tests import postgres
from tests.system.durability import post_abuse

SEED = 1
POSTS, AT_ONCE, KILLS = 100_000, 5_000, 15
QUICK = (1_600, 800, 8)


def main(quick: bool, *, resume: bool = False) -> None:
    run_and_report(campaign(quick), quick, resume=resume)


def campaign(quick: bool) -> Campaign:
    posts, at_once, kills = QUICK if quick else (POSTS, AT_ONCE, KILLS)
    stores = ("SQLite", "PostgreSQL") if postgres.programs() is not None else ("SQLite",)
    parts = []
    for number in range(posts // at_once):
        store = stores[number % len(stores)]
        run = functools.partial(abuse, store, at_once, kills, SEED * 1000 + number)
        parts.append(CampaignPart(f"{store} {number + 1}", run))
    return Campaign(
        "posts",
        "Posts through a proxy that drops, repeats, cuts and forges, with kill -9 of either side",
        SEED,
        "posts",
        posts,
        tuple(parts),
        zero=("posts lost", "posts applied twice", "posts held differently by the two sides", "wrong standings"),
        above_zero=("requests abused", "kills of the leaderboard", "kills of a station's sync"),
    )


def abuse(store: str, posts: int, kills: int, seed: int) -> PartOutcome:
    """One run on one store: posts of four stations."""
    with contextlib.ExitStack() as held:
        folder = pathlib.Path(held.enter_context(tempfile.TemporaryDirectory(prefix="rd-posts-")))
        line = 'path = "board.db"'
        if store == "PostgreSQL":
            installed = postgres.programs()
            assert installed is not None
            line = f'url = "{held.enter_context(postgres.cluster(installed, "")).url}"'
        tally = post_abuse.campaign(folder, line, posts, kills, seed)
    return PartOutcome(
        {
            "posts": tally.posts,
            f"posts on {store}": tally.posts,
            "requests": tally.requests,
            "requests abused": tally.abuses.total(),
            **{f"abused: {name}": count for name, count in tally.abuses.items()},
            "kills of the leaderboard": tally.kills["leaderboard"],
            "kills of a station's sync": tally.kills["station"],
            "posts lost": tally.lost,
            "posts applied twice": tally.twice,
            "posts held differently by the two sides": tally.differing,
            "wrong standings": tally.wrong_lines,
        },
        {"posts a second": [tally.posts / tally.seconds]},
    )
