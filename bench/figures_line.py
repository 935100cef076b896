"""`python -m bench.figures_line`: the line of figures and its table, from the records of the campaigns in run/bench/.

The line stands in README's reliability section, the table in docs/figures.md. Nothing is written by hand: a campaign
that was not run, not finished, quick or not clean is named, and the exit code is 1.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

from bench.campaigns.record import file_of

# By campaign: what one trial is called in the line.
WORDS = {
    "race-hours": "race-hours simulated",
    "kills": "kills",
    "power-cuts": "power cuts",
    "partitions": "partitions and broker kills",
    "posts": "posts",
    "raw-answers": "raw answers",
    "faults": "faults of a driving car",
    "fuzz": "fuzz inputs",
}
# Promises of the line: all counts of these names, over all campaigns.
LOST = (
    "acknowledged crossings lost",
    ("acknowledged and lost", "edges lost", "reported laps lost", "posts lost", "results lost", "invariants broken"),
)
DOUBLED = ("duplicate results", ("posts applied twice", "results applied twice"))


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """What the line needs of one campaign; `trouble`: why its figures may not be published, or empty."""

    name: str
    trials: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    ran_s: float = 0.0
    load: float = 0.0
    commits: tuple[str, ...] = ()
    sittings: int = 0
    trouble: str = ""

    def count(self, name: str) -> int:
        return dict(self.counts).get(name, 0)


def figures_of(name: str, document: dict[str, Any] | None) -> CampaignFigures:
    """The figures in a campaign's record; None: there is no record."""
    if document is None:
        return CampaignFigures(name, trouble="not run")
    try:
        trouble = (
            "not finished"
            if not document["finished"]
            else "not clean"
            if not document["clean"]
            else "a quick run"
            if document["quick"]
            else ""
        )
        counts = {str(key): int(value) for key, value in document["counts"].items()}
        return CampaignFigures(
            name,
            counts.get(document["trials"], 0),
            tuple(counts.items()),
            float(document["ran_s"]),
            float(document["load"].get("mean", 0.0)),
            tuple(document["commits"]),
            int(document["sittings"]),
            trouble,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return CampaignFigures(name, trouble="not the record of a campaign")


def line(figures: list[CampaignFigures], sabotage: tuple[int, int] | None) -> str:
    """The line; `sabotage`: bugs caught and planted, None if that was not tried."""
    done = [f"{each.trials:,} {WORDS[each.name]}" for each in figures if each.trials]
    if steps := sum(each.count("clock steps") for each in figures):
        done.append(f"{steps:,} clock steps")
    promises = [
        f"{sum(each.count(name) for each in figures for name in names)} {what}" for what, names in (LOST, DOUBLED)
    ]
    caught = "sabotage not tried" if sabotage is None else f"sabotage {sabotage[0]}/{sabotage[1]} caught"
    return f"{', '.join(done)}: {', '.join(promises)}; {caught}"


def table(figures: list[CampaignFigures]) -> str:
    """Markdown: a row for each campaign."""
    rows = ["| campaign | trials | ran for | sittings | mean load | commit | |", "|---|---|---|---|---|---|---|"]
    for each in figures:
        ran = f"{each.ran_s / 60:.0f} min" if each.ran_s < 7200 else f"{each.ran_s / 3600:.1f} h"
        result = each.trouble or "clean"
        cells = (
            f"`{each.name}`",
            f"{each.trials:,} {WORDS[each.name]}",
            ran,
            str(each.sittings),
            f"{each.load:.1f}",
            ", ".join(each.commits),
            result,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _read(name: str) -> dict[str, Any] | None:
    try:
        document = json.loads(file_of(name).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _sabotage() -> tuple[int, int] | None:
    counts = (_read("sabotage") or {}).get("counts", {})
    planted = counts.get("bugs planted", 0)
    return (counts.get("bugs caught", 0), planted) if planted else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.figures_line", description=__doc__)
    parser.parse_args()
    figures = [figures_of(name, _read(name)) for name in WORDS]
    sabotage = _sabotage()
    print(line(figures, sabotage))
    print()
    print(table(figures))
    troubles = [f"{each.name}: {each.trouble}" for each in figures if each.trouble]
    if sabotage is None or sabotage[0] != sabotage[1]:
        troubles.append("sabotage: not all bugs were caught" if sabotage else "sabotage: not run")
    if troubles:
        print(f"not to be published: {'; '.join(troubles)}", file=sys.stderr)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
