"""`raceday rank`: ranks a CSV of results by a method, as the published boards are ranked.

Input columns (any order, extra ones ignored): Racer or Alias, and AvgLapTime, BestLapTime or TotalLapTime as the
method names it, in milliseconds or as 1:02.345; how files differ is read by boardfile.py. A row whose LapCount is below
--consecutive-laps cannot hold the window, so it is not ranked; a blank LapCount says nothing and is taken at its score.
A published alias is an account: two that differ by case are two racers, and UserId tells them apart where it is given.
Output: rank, racer, score_ms.
"""

import argparse
import csv
import io
import json
import pathlib
import sys
import unicodedata
from collections.abc import Iterable

from raceday import boardfile
from raceday.boardfile import ACCOUNT, LAPS, RACER, BoardRow
from shared.ranking import METHODS, Method, Placed, RaceRules, Scored, check_rules, rank

COLUMN: dict[Method, str] = {"average": "AvgLapTime", "best_lap": "BestLapTime", "total_time": "TotalLapTime"}


def main(arguments: list[str]) -> int:
    """Prints the ranking; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    rules = check_rules(RaceRules(method=chosen.method, consecutive_laps=chosen.consecutive_laps))
    placed = rank_csv(boardfile.read_text(chosen.file), rules, str(chosen.file))
    sys.stdout.write(FORMATS[chosen.format](placed))
    return 0


def rank_csv(text: str, rules: RaceRules, source: str) -> list[Placed]:
    """The standing of a board's rows. A racer in several rows counts with the best. Raises BadInput."""
    column = COLUMN[rules.method]
    best: dict[str, Scored] = {}
    every = left_out = 0
    for row in boardfile.rows(text, column, source):
        every += 1
        if not _qualified(row, rules, source):
            left_out += 1
            continue
        scored = _scored(row, column, source)
        account = row.cells.get(ACCOUNT) or f"alias {scored.racer}"
        if account not in best or scored.score_ms < best[account].score_ms:
            best[account] = scored
    if left_out:
        sentence = f"{left_out} of {every} rows have fewer than {rules.consecutive_laps} laps and are not ranked."
        print(f"raceday rank: {sentence}", file=sys.stderr)
    return rank(best.values())


def _qualified(row: BoardRow, rules: RaceRules, source: str) -> bool:
    text = row.cells.get(LAPS, "")
    laps = boardfile.count(text) if text else rules.consecutive_laps
    if laps is None:
        raise row.wrong(source, f"{LAPS} is {text[:30]!r}, not a number of laps", LAPS)
    return laps >= rules.consecutive_laps


def _scored(row: BoardRow, column: str, source: str) -> Scored:
    racer = " ".join(unicodedata.normalize("NFC", row.cells[RACER]).split())
    if not racer:
        raise row.wrong(source, "the Racer is empty", RACER)
    text = row.cells[column]
    if boardfile.two_ways(text):
        raise row.wrong(source, f"{column} is {text[:30]!r}, which may be thousands or a fraction", column)
    score_ms = boardfile.milliseconds(text)
    if not score_ms:  # nought is how timers write that there is none
        raise row.wrong(source, f"{column} is {text[:30]!r}, not milliseconds or a time as 1:02.345", column)
    return Scored(racer, score_ms, row.line)


def _csv(placed: Iterable[Placed]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("rank", "racer", "score_ms"))
    writer.writerows((line.rank, line.racer, line.score_ms) for line in placed)
    return out.getvalue()


def _json(placed: Iterable[Placed]) -> str:
    rows = [{"rank": p.rank, "racer": p.racer, "score_ms": p.score_ms, "gap_ms": p.gap_ms} for p in placed]
    return json.dumps(rows) + "\n"


FORMATS = {"csv": _csv, "json": _json}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday rank", description="Rank a CSV of results by a method.")
    parser.add_argument("file", type=pathlib.Path, metavar="FILE.csv")
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--consecutive-laps", type=int, default=3, metavar="N", help="1 to 10 (default 3)")
    parser.add_argument("--format", choices=tuple(FORMATS), default="csv")
    return parser
