"""`kill -9` of any process of a loaded hall, at any moment, and what must hold of all its files at the end.

Nothing that the station acknowledged is lost and nothing invented; every result of its journal took effect at the
leaderboard once; what sync holds as answered is what the leaderboard answered. Called by `./dev bench kills`.
"""

import contextlib
import json
import pathlib
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import apsw
import sqlalchemy as sa

from leaderboard.build import open_board_to_read
from leaderboard.store.tables import RECEIPTS, RESULTS
from station.sync.attempts import read_records
from tests.system.durability import kills
from tests.system.durability.forked import ProcessForker
from tests.system.durability.hall import VICTIMS, Hall, Victim, wait_until

WEIGHTS: dict[Victim, int] = {"station": 30, "sync": 30, "leaderboard": 20, "broker": 20}
IN_THE_START = 0.15  # so many are killed before they serve
UNDER_LOAD = 4  # each fourth is killed once another lap and another report were acknowledged, on any machine
MOST_S = 0.25  # between two kills, at most this and what a start takes
DRAIN_S = 120.0


@dataclass(slots=True)
class HallTally:
    """What came of the kills of one hall. `station`: what kills.py counts of its journal."""

    killed: Counter[str] = field(default_factory=Counter)
    station: kills.Tally = field(default_factory=kills.Tally)
    results: int = 0
    results_lost: int = 0
    results_twice: int = 0
    answers_differ: int = 0
    first_failure: str = ""

    @property
    def clean(self) -> bool:
        return self.station.clean and not (self.results_lost or self.results_twice or self.answers_differ)


def kill_in_hall(folder: pathlib.Path, forker: ProcessForker, count: int, seed: int, lap_s: float = 0.02) -> HallTally:
    """Kills `count` processes of a hall one after the other, and compares its files."""
    tally, chance = HallTally(), random.Random(seed)
    hall, never = Hall(folder, forker, seed, lap_s), threading.Event()
    try:
        for number, victim in enumerate(_drawn(chance, count)):
            if number % UNDER_LOAD == 0:
                hall.await_load()
            elif chance.random() > IN_THE_START:
                hall.await_ready(victim)
            never.wait(chance.uniform(0.0, MOST_S))
            hall.kill(victim)
            tally.killed[victim] += 1
        for name in VICTIMS:
            hall.await_ready(name)
        hall.stop_load()
        wait_until(lambda: _all_posted(hall), f"results that were never posted: {_waiting(hall)}", DRAIN_S)
    finally:
        hall.close()
    tally.station.kills = tally.killed["station"]
    kills.judge(hall.journal, hall.gate, hall.replies, hall.car_boot, tally.station)
    _judge_results(hall, tally)
    return tally


def _drawn(chance: random.Random, count: int) -> Sequence[Victim]:
    return chance.choices(VICTIMS, [WEIGHTS[name] for name in VICTIMS], k=count)


def _all_posted(hall: Hall) -> bool:
    return not _waiting(hall)


def _waiting(hall: Hall) -> set[str]:
    """The results of the journal that sync holds no answer of, for good."""
    return set(_due(hall)) - {key for key, record in _answers(hall).items() if record["settled"]}


def _due(hall: Hall) -> Counter[str]:
    """By webhook id: how often the journal's outbox has it."""
    with _reading(hall.journal) as db:
        return Counter(f"{row[0]}.{row[1]}" for row in db.execute("SELECT result_id, revision FROM outbox"))


def _answers(hall: Hall) -> dict[str, dict[str, object]]:
    if not hall.posted.exists():
        return {}
    with _reading(hall.posted) as db:
        records = read_records(db, hall.posted)
    return {
        record.webhook_id: {
            "settled": record.state in ("confirmed", "rejected"),
            "state": record.state,
            "score_ms": getattr(record.answer, "score_ms", None),
            "reason": getattr(record.answer, "reason", ""),
        }
        for record in records
    }


@contextlib.contextmanager
def _reading(path: pathlib.Path) -> Iterator[apsw.Connection]:
    """A database that another process may be writing."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(5000)
    try:
        yield db
    finally:
        db.close()


def _judge_results(hall: Hall, tally: HallTally) -> None:
    due, answers = _due(hall), _answers(hall)
    board = open_board_to_read(hall.board)
    try:
        with board.store.read() as db:
            stored = Counter(f"{row.result_id}.{row.revision}" for row in db.execute(sa.select(RESULTS)))
            receipts = {row.webhook_id: json.loads(bytes(row.answer)) for row in db.execute(sa.select(RECEIPTS))}
    finally:
        board.close()
    tally.results = len(due)
    tally.results_lost = len(due.keys() - stored.keys())
    tally.results_twice = sum(count > 1 for count in stored.values()) + len(stored.keys() - due.keys())
    for key, answer in answers.items():
        there = receipts.get(key)
        same = there is not None and answer["state"] == "confirmed" and there.get("score_ms") == answer["score_ms"]
        tally.answers_differ += not same
        if not same and not tally.first_failure:
            tally.first_failure = f"sync holds {answer} of {key}, the leaderboard {there}"
