"""`python -m bench.figures_line [--write]`: the line of figures and its table, from the campaigns' records.

The line stands in README's section on reliability, the table in docs/figures.md, each between two marks; `--write` puts
them there, and nothing of it is written by hand. A campaign that was not run, not finished, quick or not clean is not
in the line: it is named behind it, and the exit code is 1.
"""

import argparse
import json
import pathlib
import sys
from dataclasses import dataclass
from typing import Any

from bench.campaigns.record import ROOT, file_of
from shared.errors import BadInput, RacedayError

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
        document = _fuzz_as_campaign(document) if "rows" in document else document
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


def _fuzz_as_campaign(document: dict[str, Any]) -> dict[str, Any]:
    """The file of `./dev bench fuzz`, which has a row for each target, in the form of a campaign's record."""
    rows, cpu_s = document["rows"], float(document["cpu_s"])
    escapes = sum(bool(row["escapes"]) for row in rows)
    return {
        "finished": True,
        "clean": not escapes,
        "quick": cpu_s < 1.0,
        "trials": "inputs",
        "counts": {"inputs": sum(int(row["inputs"]) for row in rows), "targets that an input escaped from": escapes},
        "ran_s": cpu_s * len(rows),
        "load": {"mean": float(document["machine"]["load"][0])},
        "commits": [],
        "sittings": 1,
    }


def line(all_figures: list[CampaignFigures], sabotage: tuple[int, int] | None) -> str:
    """The line; `sabotage`: bugs caught and planted, None if that was not tried."""
    figures = [each for each in all_figures if not each.trouble]
    gaps = ", ".join(f"{each.name} ({each.trouble})" for each in all_figures if each.trouble)
    not_tried = f". Not among these: {gaps}" if gaps else ""
    if not figures:
        return f"No whole campaign is on file{not_tried}."
    done = [f"{each.trials:,} {WORDS[each.name]}" for each in figures if each.trials]
    if steps := sum(each.count("clock steps") for each in figures):
        done.append(f"{steps:,} clock steps")
    promises = [
        f"{sum(each.count(name) for each in figures for name in names)} {what}" for what, names in (LOST, DOUBLED)
    ]
    caught = "sabotage not tried" if sabotage is None else f"sabotage {sabotage[0]}/{sabotage[1]} caught"
    return f"{', '.join(done)}: {', '.join(promises)}; {caught}{not_tried}."


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
    """Bugs caught and planted, as `./dev bench sabotage` wrote them."""
    document = _read("sabotage") or {}
    caught, planted = document.get("caught"), document.get("planted")
    return (caught, planted) if isinstance(caught, int) and isinstance(planted, int) and planted else None


BEGIN, END = "<!-- figures of the campaigns: written by `python -m bench.figures_line --write` -->", "<!-- end -->"


def between_marks(document: str, what: str) -> str:
    """The document with `what` between its marks. Raises BadInput if it has none."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInput(f"The page has no place for the figures: put the line {BEGIN} and a line {END} there.")
    return f"{before}{begin}\n{what}\n{end}{after}"


def _write(pages: dict[pathlib.Path, str]) -> None:
    for path, what in pages.items():
        path.write_text(between_marks(path.read_text(), what))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.figures_line", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put both into README.md and docs/figures.md")
    figures, sabotage = [figures_of(name, _read(name)) for name in WORDS], _sabotage()
    print(line(figures, sabotage), table(figures), sep="\n\n")
    if parser.parse_args().write:
        try:
            _write({ROOT / "README.md": line(figures, sabotage), ROOT / "docs" / "figures.md": table(figures)})
        except RacedayError as error:
            print(error, file=sys.stderr)
            return 2
    return 1 if any(each.trouble for each in figures) or sabotage is None or sabotage[0] != sabotage[1] else 0


if __name__ == "__main__":
    sys.exit(main())
