"""2,000 submissions of 40 racers, one of whom sends half, with `kill -9` of leaderboard, farms and their children.

Not a figure of speed: the table says what was tried, what became of it, and how long the others waited for their
score, alone and beside the one who sends half. That none is lost, doubled or without a sentence is asserted. Then the
small campaigns: one drives the demo's model for real, one on a Ray cluster of which a node is killed over and over.
"""

import contextlib
import dataclasses
import json
import pathlib
import tempfile

from rich.table import Table

from bench.report import OUT, console, machine
from tests import postgres
from tests.system.durability.farm_kills import CampaignSize, SubmissionTally, submission_campaign

_FULL = CampaignSize()
_QUICK = CampaignSize(submissions=80, racers=8, quiet=12, kills=2)
_REAL = CampaignSize(submissions=40, racers=8, quiet=4, kills=3, farms=2, slots=1, every_s=2.0, drive="children")
REAL_CAMPAIGNS = {"real drives": _REAL, "Ray": dataclasses.replace(_REAL, farms=1, drive="ray")}
FLOOD_MAX = 2.0  # times what the others waited alone


def main(quick: bool) -> None:
    """Run the campaigns; on PostgreSQL as well if it is installed."""
    size, tallies = _QUICK if quick else _FULL, {}
    tallies["SQLite"] = on_sqlite(size)
    if (installed := postgres.programs()) is not None:
        tallies["PostgreSQL"] = _on_postgres(installed, size)
    if not quick:
        tallies |= {name: on_sqlite(size) for name, size in REAL_CAMPAIGNS.items()}
    report(tallies, "submissions")
    assert all(tallies[name].flood_ratio <= FLOOD_MAX for name in ("SQLite", "PostgreSQL") if name in tallies), tallies


def report(tallies: dict[str, SubmissionTally], name: str) -> None:
    """Print the table, and write run/bench/NAME.json."""
    table = Table(title="submissions while leaderboard, farms, children and nodes are killed")
    for heading in ("campaign", "sent", "became", "killed", "interrupted", "others wait p95 s", "x", "seconds"):
        table.add_column(heading)
    for campaign, tally in tallies.items():
        alone, beside = tally.others_p95_s
        words = [str(tally.submissions), _counts(tally.states), _counts(tally.kills), str(tally.interrupted)]
        table.add_row(campaign, *words, f"{alone:.2f} {beside:.2f}", f"{tally.flood_ratio:.2f}", f"{tally.seconds:.0f}")
    console().print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    documents = {campaign: _document(tally) for campaign, tally in tallies.items()}
    document = {"bench": name, "machine": machine(), "tallies": documents}
    (OUT / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counted.items()))


def _document(tally: SubmissionTally) -> dict[str, object]:
    """The tally for JSON; `asdict` would copy its counters as if their items were what they count."""
    plain = {field.name: getattr(tally, field.name) for field in dataclasses.fields(tally)}
    return plain | {"states": dict(tally.states), "kills": dict(tally.kills), "flood_ratio": tally.flood_ratio}


def _tell(line: str) -> None:
    console().print(line)


def on_sqlite(size: CampaignSize) -> SubmissionTally:
    """A campaign over SQLite."""
    with tempfile.TemporaryDirectory(prefix="rd-") as folder:
        return _run(pathlib.Path(folder), 'path = "board.db"', size)


def _on_postgres(installed: pathlib.Path, size: CampaignSize) -> SubmissionTally:
    with contextlib.ExitStack() as held:
        folder = pathlib.Path(held.enter_context(tempfile.TemporaryDirectory(prefix="rd-")))
        cluster = held.enter_context(postgres.cluster(installed, ""))
        return _run(folder, f'url = "{cluster.url}"', size)


def _run(folder: pathlib.Path, store: str, size: CampaignSize) -> SubmissionTally:
    with submission_campaign(folder, store, size, tell=_tell) as campaign:
        return campaign.run()
