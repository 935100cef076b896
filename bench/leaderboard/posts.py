"""Results posted through an abusive proxy, with `kill -9` of stations and leaderboard: each is applied once.

Not a figure of speed: the table says what was tried and what was lost, doubled or different (nothing may be).
"""

import contextlib
import dataclasses
import json
import pathlib
import tempfile

from rich.table import Table

from bench.report import OUT, console, machine
from tests import postgres
from tests.system.durability.post_abuse import PostTally, campaign


def main(quick: bool) -> None:
    """Run the campaign on SQLite and on PostgreSQL."""
    posts, kills = (800, 8) if quick else (20_000, 60)
    tallies = {"SQLite": _on_sqlite(posts, kills)}
    if (installed := postgres.programs()) is not None:
        tallies["PostgreSQL"] = _on_postgres(installed, posts, kills)
    table = Table(title=f"{posts} posts through an abusive proxy, {kills} kills")
    for heading in ("store", "posts", "requests", "abused", "killed", "lost", "twice", "different", "seconds"):
        table.add_column(heading)
    for name, tally in tallies.items():
        table.add_row(
            name,
            str(tally.posts),
            str(tally.requests),
            str(tally.abuses.total()),
            str(tally.kills.total()),
            str(tally.lost),
            str(tally.twice),
            str(tally.differing + tally.wrong_lines),
            f"{tally.seconds:.0f}",
        )
    console().print(table)
    document = {
        "bench": "posts",
        "machine": machine(),
        "tallies": {k: _document(v) for k, v in tallies.items()},
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "posts.json").write_text(json.dumps(document, indent=1) + "\n")
    assert all(tally.clean for tally in tallies.values()), tallies


def _document(tally: PostTally) -> dict[str, object]:
    """The tally for JSON; `asdict` would copy its counters as if their items were what they count."""
    plain = {field.name: getattr(tally, field.name) for field in dataclasses.fields(tally)}
    return plain | {"kills": dict(tally.kills), "abuses": dict(tally.abuses)}


def _on_sqlite(posts: int, kills: int) -> PostTally:
    with tempfile.TemporaryDirectory() as folder:
        return campaign(pathlib.Path(folder), 'path = "board.db"', posts, kills)


def _on_postgres(installed: pathlib.Path, posts: int, kills: int) -> PostTally:
    with contextlib.ExitStack() as held:
        folder = pathlib.Path(held.enter_context(tempfile.TemporaryDirectory()))
        cluster = held.enter_context(postgres.cluster(installed, ""))
        return campaign(folder, f'url = "{cluster.url}"', posts, kills)
