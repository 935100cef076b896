"""`raceday rank`: ranks a CSV of results by a scoring method, as published leaderboards are ranked.

Input columns (any order, others are ignored): Racer or Alias, and AvgLapTime, BestLapTime or TotalLapTime depending on
the method, in milliseconds or as 1:02.345; board_file.py accepts the formats of many programs. A row whose LapCount is
below --consecutive-laps is not ranked. A row with a blank LapCount is ranked by its score, except by a total where
other rows have a LapCount, since a total of fewer laps is smaller; a warning reports both cases.
A row that summarises others (Total, Average, Track record) is refused unless it has a UserId.
All spellings of a name are one racer unless UserId distinguishes them; a row without UserId belongs to the only account
of that name.
Output: rank, racer, score_ms.
"""

import argparse
import csv
import io
import json
import pathlib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from raceday.board_summary_rows import summaries
from shared.boards import board_file
from shared.boards.board_file import ACCOUNT, LAPS, RACER, BoardRow
from shared.boards.board_text import mended, read_text
from shared.boards.spreadsheet_cells import neutralised
from shared.errors import Refused
from shared.rules.person_names import name_key, person_name
from shared.rules.ranking import METHODS, Method, Placed, RaceRules, Scored, check_rules, rank

COLUMN: dict[Method, str] = {"average": "AvgLapTime", "best_lap": "BestLapTime", "total_time": "TotalLapTime"}
SHORTEST_MS = 1000  # a smaller number without colon is in seconds or a mistake: no lap is that short
MAX_LETTERS = 256  # letters of a published alias
MAX_LINES = 6  # line numbers that one sentence lists


def main(arguments: list[str]) -> int:
    """Prints the ranking; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    rules = check_rules(RaceRules(method=chosen.method, consecutive_laps=chosen.consecutive_laps))
    text, encoding = read_text(chosen.file)
    placed = rank_csv(text, rules, str(chosen.file))
    if encoding:
        _warn(f"{chosen.file} was read as {encoding}: look at the names, or save it as CSV in UTF-8.")
    sys.stdout.write(FORMATS[chosen.format](placed))
    return 0


def rank_csv(text: str, rules: RaceRules, source: str) -> list[Placed]:
    """The ranking of a board; of a racer's rows the best counts. `source` is named in errors. Raises BadInput."""
    column = COLUMN[rules.method]
    every = list(board_file.rows(text, column, source))
    qualified = _qualified(every, rules, source)
    _refuse_summaries(every, qualified, column, source)
    known = _accounts(every)
    best: dict[str, Scored] = {}
    for row in qualified:
        scored = _scored(row, column, source)
        account = _account(row, known, source)
        if account not in best or scored.score_ms < best[account].score_ms:
            best[account] = scored
    _warn_about_laps(every, rules, source)
    return rank(best.values())


def _warn(sentence: str) -> None:
    print(f"raceday rank: {sentence}", file=sys.stderr)


def _accounts(every: Iterable[BoardRow]) -> dict[str, set[str]]:
    """The accounts (UserId) of each name; all spellings of a name are one key."""
    known: dict[str, set[str]] = {}
    for row in every:
        if account := row.cells.get(ACCOUNT):
            known.setdefault(name_key(_one_line(row.cells[RACER])), set()).add(account)
    return known


def _account(row: BoardRow, known: Mapping[str, set[str]], source: str) -> str:
    """The account of a row: its UserId, else that of the only account of this name, else the name. Raises BadInput."""
    if account := row.cells.get(ACCOUNT):
        return f"account {account}"
    key = name_key(_one_line(row.cells[RACER]))
    accounts = sorted(known.get(key, ()))
    if len(accounts) > 1:
        what = f"the row has no {ACCOUNT}, and {len(accounts)} accounts are called {row.cells[RACER][:40]!r}"
        raise row.wrong(source, f"{what}: say which one it is", ACCOUNT)
    return f"account {accounts[0]}" if accounts else f"name {key}"


def _qualified(every: Sequence[BoardRow], rules: RaceRules, source: str) -> list[BoardRow]:
    """The rows with enough laps, as far as they have a LapCount."""
    counted = any(row.cells.get(LAPS) for row in every)
    laps_if_blank = 0 if counted and rules.method == "total_time" else rules.consecutive_laps
    laps = ((row, _laps(row, source)) for row in every)
    return [row for row, count in laps if (laps_if_blank if count is None else count) >= rules.consecutive_laps]


def _uncounted(every: Sequence[BoardRow]) -> list[BoardRow]:
    """The rows without LapCount, if others have one."""
    blank = [row for row in every if not row.cells.get(LAPS)]
    return blank if len(blank) < len(every) else []


def _warn_about_laps(every: Sequence[BoardRow], rules: RaceRules, source: str) -> None:
    """Warns of rows that are not ranked, and of rows whose number of laps is unknown."""
    needed = rules.consecutive_laps
    laps = [_laps(row, source) for row in every]
    if few := sum(count is not None and count < needed for count in laps):
        _warn(f"{few} of {len(every)} rows have fewer than {needed} laps and are not ranked.")
    if every and set(laps) == {None}:
        _warn(f"the board has no {LAPS}: no row is left out for fewer than {needed} laps.")
    if blank := _uncounted(every):
        total = "not ranked, since a total of fewer laps is the smaller: write how many there are."
        other = f"ranked all the same, so look whether it is {needed} laps or more."
        where = f"{LAPS} is blank in {_lines(blank)} (column {blank[0].columns[LAPS]}), where others have one"
        _warn(f"{where}: {total if rules.method == 'total_time' else other}")


def _laps(row: BoardRow, source: str) -> int | None:
    """The number of laps; None if the row has none. Raises BadInput."""
    text = row.cells.get(LAPS, "")
    laps = board_file.count(text)
    if text and laps is None:
        raise row.wrong(source, f"{LAPS} is {text[:30]!r}, not a number of laps", LAPS)
    return laps


def _lines(rows: Sequence[BoardRow]) -> str:
    """The line numbers of rows, as part of a sentence."""
    shown = [str(row.line) for row in rows[:MAX_LINES]]
    if len(rows) > MAX_LINES:
        shown.append(f"{len(rows) - MAX_LINES} more")
    return f"line {shown[0]}" if len(rows) == 1 else f"lines {', '.join(shown[:-1])} and {shown[-1]}"


def _refuse_summaries(every: Sequence[BoardRow], ranked: Sequence[BoardRow], column: str, source: str) -> None:
    lines = {row.line for row in ranked}
    for row in summaries(every, column):
        if row.line in lines:
            looks = f"the Racer is {row.cells[RACER][:40]!r}, which looks like a row that summarises others"
            out = f"leave it out, or give it a {ACCOUNT} (in a column of that name) if a racer is called so"
            raise row.wrong(source, f"{looks}: {out}", RACER)


def _scored(row: BoardRow, column: str, source: str) -> Scored:
    racer = _racer(row, source)
    text = row.cells[column]
    if board_file.two_ways(text):
        raise row.wrong(source, f"{column} is {text[:30]!r}, which may be thousands or a fraction", column)
    score_ms = board_file.milliseconds(text)
    if not score_ms:  # timers write 0 for no time
        raise row.wrong(source, f"{column} is {text[:30]!r}, not milliseconds or a time as 1:02.345", column)
    if score_ms < SHORTEST_MS and ":" not in text:
        meant = "shorter than any lap: times are in milliseconds or as 0:09.812"
        raise row.wrong(source, f"{column} is {text[:30]!r}, {meant}", column)
    return Scored(racer, score_ms, row.line)


def _racer(row: BoardRow, source: str) -> str:
    text = row.cells[RACER]
    if not text:
        raise row.wrong(source, "the Racer is empty", RACER)
    if was := mended(text):
        meant = f"which was {was[:40]!r} before its UTF-8 was read as something else"
        raise row.wrong(source, f"the Racer is {text[:40]!r}, {meant}: save the board as CSV in UTF-8", RACER)
    try:
        return person_name(_one_line(text), MAX_LETTERS)
    except Refused as error:
        sentence = str(error).rstrip(".")
        raise row.wrong(source, sentence[:1].lower() + sentence[1:], RACER) from None


def _one_line(name: str) -> str:
    """The name without line breaks, which a cell of a spreadsheet may have."""
    return re.sub(r"[\t\n\r ]+", " ", name)


def _csv(placed: Iterable[Placed]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("rank", "racer", "score_ms"))
    writer.writerows((line.rank, neutralised(line.racer), line.score_ms) for line in placed)
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
