"""`raceday rank`: ranks a CSV of results by a method, as the published boards are ranked.

Input columns (any order, extra ones ignored): Racer, and AvgLapTime, BestLapTime or TotalLapTime as the
method names it, in milliseconds. A row whose LapCount is below --consecutive-laps cannot hold the window,
so it is not ranked; a blank LapCount says nothing and is taken at its score. Output: rank, racer, score_ms.
"""

import argparse
import csv
import io
import json
import pathlib
import sys
from collections.abc import Iterable, Mapping

from shared.errors import BadInput
from shared.ranking import METHODS, Method, Placed, RaceRules, Scored, best_of, check_rules, rank

COLUMN: dict[Method, str] = {"average": "AvgLapTime", "best_lap": "BestLapTime", "total_time": "TotalLapTime"}
MAX_BYTES = 256 * 1024 * 1024
MAX_SCORE_MS = 2**53


def main(arguments: list[str]) -> int:
    """Prints the ranking; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    rules = check_rules(RaceRules(method=chosen.method, consecutive_laps=chosen.consecutive_laps))
    placed = rank_csv(_read(chosen.file), rules, str(chosen.file))
    sys.stdout.write(FORMATS[chosen.format](placed))
    return 0


def rank_csv(text: str, rules: RaceRules, source: str) -> list[Placed]:
    """The standing of a board's rows. A racer in several rows counts with the best. Raises BadInput."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    column = COLUMN[rules.method]
    missing = [name for name in ("Racer", column) if name not in (reader.fieldnames or [])]
    if missing:
        raise BadInput(
            f"{source}: the column {missing[0]} is missing; ranking by {rules.method} needs Racer and {column}."
        )
    try:
        rows = list(enumerate(reader, 2))
    except csv.Error as error:
        raise BadInput(f"{source}: is not CSV: {error}.") from None
    qualified = [_scored(row, column, line, source) for line, row in rows if _qualified(row, rules)]
    if left_out := len(rows) - len(qualified):
        sentence = f"{left_out} of {len(rows)} rows have fewer than {rules.consecutive_laps} laps and are not ranked."
        print(f"raceday rank: {sentence}", file=sys.stderr)
    return rank(best_of(qualified))


def _qualified(row: Mapping[str, str | None], rules: RaceRules) -> bool:
    laps = (row.get("LapCount") or "").strip()
    return not (laps.isascii() and laps.isdigit()) or int(laps[:9]) >= rules.consecutive_laps


def _scored(row: Mapping[str, str | None], column: str, line: int, source: str) -> Scored:
    racer, text = (row["Racer"] or "").strip(), (row[column] or "").strip()
    score_ms = _milliseconds(text)
    if not racer or score_ms is None:
        what = f"{column} is {text[:30]!r}, not milliseconds" if racer else "the Racer is empty"
        raise BadInput(f"{source}, line {line}: {what}.")
    return Scored(racer, score_ms, line)


def _milliseconds(text: str) -> int | None:
    """Whole milliseconds; a fraction is truncated, as all published times are."""
    whole, _, fraction = text.partition(".")
    fits = whole.isascii() and whole.isdigit() and (not fraction or (fraction.isascii() and fraction.isdigit()))
    return int(whole) if fits and len(whole) < 17 and int(whole) <= MAX_SCORE_MS else None


def _read(path: pathlib.Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path}: is larger than {MAX_BYTES // 2**20} MiB, which no board is.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as a CSV in UTF-8 ({error}).") from None


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
