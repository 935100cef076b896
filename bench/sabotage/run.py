"""Plants each bug of the table in a copy of the product, and runs the campaign that must notice it.

A campaign that fails without a bug would notice nothing: so each runs on the untouched copy first, and must hold.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from rich.table import Table

from bench.report import OUT, console, machine
from bench.sabotage.planted_bugs import BUGS, CAMPAIGNS, PlantedBug

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 900
LEFT_OUT = {".git", ".venv", "run", "dist"}  # at the top; what is compiled is left out everywhere


@dataclass(frozen=True, slots=True)
class SabotageOutcome:
    """What became of one bug, or of a campaign without one (`bug` ""). `said`: the line that shows it."""

    bug: str
    campaign: str
    is_right: bool
    said: str
    took_s: float


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/sabotage.json; fails unless every bug was caught. `quick`: four bugs."""
    out, began = console(), time.monotonic()
    bugs = BUGS[::6] if quick else BUGS
    outcomes = []
    for outcome in campaign(bugs):
        outcomes.append(outcome)
        verdict = "right" if outcome.is_right else "NOT RIGHT"
        out.print(f"{verdict:9} {outcome.campaign:10} {outcome.bug or 'no bug'}", highlight=False)
    table = Table(title=f"sabotage: {time.monotonic() - began:.0f} s", title_justify="left")
    for column in ("planted bug", "campaign", "caught", "by what it said"):
        table.add_column(column)
    for each in outcomes:
        if each.bug:
            table.add_row(each.bug, each.campaign, "yes" if each.is_right else "NO", each.said)
    out.print(table)
    caught = sum(each.is_right for each in outcomes if each.bug)
    hold = [each.is_right for each in outcomes if not each.bug]
    out.print(f"{caught} of {len(bugs)} caught; {sum(hold)} of {len(hold)} campaigns hold without a bug")
    document = {"planted": len(bugs), "caught": caught, "took_s": round(time.monotonic() - began, 1)} | machine()
    document["outcomes"] = [asdict(each) for each in outcomes]
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "sabotage.json").write_text(json.dumps(document, indent=1) + "\n")
    assert all(each.is_right for each in outcomes), [each for each in outcomes if not each.is_right]


def campaign(bugs: Sequence[PlantedBug]) -> Iterator[SabotageOutcome]:
    """Runs each campaign without a bug, then each bug in its campaign."""
    with tempfile.TemporaryDirectory(prefix="raceday-sabotage-") as name:
        pathlib.Path(name).chmod(0o755)  # under root some campaigns give their rights up
        copy = pathlib.Path(name) / "raceday"
        shutil.copytree(PROJECT, copy, ignore=_left_out, symlinks=True)
        for campaign_name in dict.fromkeys(bug.campaign for bug in bugs):
            began = time.monotonic()
            code, output = run(copy, campaign_name)
            yield SabotageOutcome("", campaign_name, code == 0, last_line(output), time.monotonic() - began)
        for bug in bugs:
            began = time.monotonic()
            with planted(copy, bug):
                code, output = run(copy, bug.campaign)
            said = sentence(output, bug.says)
            yield SabotageOutcome(bug.what, bug.campaign, code == 1 and bool(said), said, time.monotonic() - began)


def _left_out(folder: str, names: list[str]) -> set[str]:
    here = LEFT_OUT if pathlib.Path(folder) == PROJECT else set()
    return {name for name in names if name in here or name.endswith(("__pycache__", "_cache", ".metal"))}


@contextmanager
def planted(copy: pathlib.Path, bug: PlantedBug) -> Iterator[None]:
    """While it lasts, the copy has the bug."""
    file = copy / bug.file
    whole = file.read_text()
    file.write_text(with_bug(whole, bug))
    try:
        yield
    finally:
        file.write_text(whole)


def with_bug(text: str, bug: PlantedBug) -> str:
    """The file with the bug. Raises ValueError unless the lines to exchange are there exactly once."""
    if text.count(bug.before) != 1:
        raise ValueError(
            f"{bug.file}: {bug.what!r} cannot be planted: its lines are there {text.count(bug.before)} times."
        )
    return text.replace(bug.before, bug.after)


def run(copy: pathlib.Path, campaign_name: str) -> tuple[int, str]:
    """The exit code (1: it found something wrong; 124: it did not end) and the output of a campaign in the copy."""
    # Programs that it starts import the copy too. No compiled file may outlive a change within the same second.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *CAMPAIGNS[campaign_name]]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        return 124, str(late.stdout or "")
    return done.returncode, done.stdout + done.stderr


def sentence(output: str, says: str) -> str:
    """The first line of a failure that says what the bug should make it say, "" if there is none."""
    failed = output[output.find("FAILURES") :] if "FAILURES" in output else output
    return next((line.strip()[:160] for line in failed.splitlines() if re.search(says, line)), "")


def last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip()[:160] if lines else ""
