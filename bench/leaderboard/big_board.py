"""A board of many racers, filled straight into its tables: what so many posts would have left, in a minute."""

import hashlib
import itertools
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.core.rank import BestAttempt
from leaderboard.core.search import folded
from leaderboard.store.ranking import ranks
from leaderboard.store.tables import LINES, RACERS, RACES, RESULTS
from shared.protocol.results import encode_result
from shared.rules.person_names import name_key
from tests.leaderboard.sample_races import race, result

RACE_ID = "cup"
_BATCH = 5000
_BEGAN_UTC_NS = 1_700_000_000 * 10**9
_FIRST = ("Anna", "Émile", "Kenji", "Marisol", "Ole", "Priya", "Tom", "Zoë")
_LAST = ("Berg", "de la Cruz", "Holm", "Ivanova", "Nakamura", "Okafor", "Smith", "Ørsted")


def name_of(number: int) -> str:
    """The name of the racer of this number."""
    return f"{_FIRST[number % 8]} {_LAST[number // 8 % 8]} {number}"


def score_of(number: int) -> int:
    """A score in ms as laps of a track are: most near one another, a long tail of slow ones."""
    return 8_000 + int(random.Random(number).lognormvariate(8.3, 0.6))


def filled(folder: pathlib.Path, racers: int) -> LeaderboardService:
    """An open board whose race has so many ranked racers."""
    board = open_board(folder / f"board-{racers}.db")
    board.create_race(race(RACE_ID), 1)
    rows = _rows(racers)
    # A transaction each: the log is written back in between, as it would be.
    while batch := list(itertools.islice(rows, _BATCH)):
        with board.store.write() as db:
            for table, place in ((RESULTS, 0), (LINES, 1), (RACERS, 2)):
                db.execute(sa.insert(table), [each[place] for each in batch])
    with board.store.write() as db:
        db.execute(sa.update(RACES).values(results=racers))
        ranks.rebuild(db, RACE_ID, "physical")
    return board


def line_of(number: int) -> BestAttempt:
    """The line of this racer as `filled` left it."""
    return BestAttempt(name_of(number), score_of(number), _BEGAN_UTC_NS + number, number + 1, number + 1, 1)


def _rows(racers: int) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    template = encode_result(result("RESULT-ID", "RACER-NAME", (9_999,) * 3, race_id=RACE_ID)).decode()
    for number in range(racers):
        line = line_of(number)
        ms = str(line.score_ms)
        payload = template.replace("RESULT-ID", f"r-{number}").replace("RACER-NAME", line.racer)
        payload = payload.replace("9999000000", f"{ms}000000").replace("9999", ms)
        stored = {
            "seq": line.seq,
            "result_id": f"r-{number}",
            "revision": 1,
            "race_id": RACE_ID,
            "racer": line.racer,
            "score_ms": line.score_ms,
            "finished_utc_ns": line.set_utc_ns,
            "uncertainty_ns": 40_000,
            "accepted_utc_ns": line.set_utc_ns,
            "payload": payload.encode(),
        }
        columns = ("racer", "kind", "score_ms", "set_utc_ns", "order", "seq", "attempts")
        shown = {name: getattr(line, name) for name in columns} | {"race_id": RACE_ID, "folded": folded(line.racer)}
        key = hashlib.sha256(name_key(line.racer).encode()).hexdigest()
        yield stored, shown, {"race_id": RACE_ID, "key_sha256": key, "racer": line.racer}
