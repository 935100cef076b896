"""One racer for all spellings of a name: in posts, in entries and in the database of an older leaderboard."""

import dataclasses
import json
import pathlib

import pytest
import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.core.errors import Conflict
from leaderboard.store import database as opening
from shared.protocol.results import decode_accepted, encode_result
from tests.leaderboard.by_hand import enter, entry
from tests.leaderboard.sample_races import RULES, race, result

NFC, NFD = "Jos\u00e9", "Jose\u0301"
RACE = race(rules=dataclasses.replace(RULES, attempts_per_racer=2))


@pytest.fixture
def board(tmp_path: pathlib.Path) -> LeaderboardService:
    made = open_board(tmp_path / "board.db")
    made.create_race(RACE, 1)
    return made


def post(board: LeaderboardService, result_id: str, racer: str, ms: int, revision: int = 1) -> bytes:
    one = result(
        result_id, racer, (ms,) * 3, rules=RACE.rules, revision=revision, finished_utc_ns=1000 + len(result_id)
    )
    answer = board.apply(one.webhook_id, encode_result(one), 5)
    assert answer.status == 201, answer.body
    return answer.body


def places(board: LeaderboardService) -> list[tuple[str, int, int]]:
    return [(row.placed.racer, row.placed.score_ms, row.attempts) for row in board.snapshot("cup").rows]


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (NFC, NFD),
        (NFD, NFC),
        ("Ann", "ANN"),
        ("ann lee", "Ann\u3000Lee"),
        ("\u0645\u06cc\u200c\u0644\u0627\u062f", "\u0645\u06cc\u0644\u0627\u062f"),
        ("Ada \U0001f469\u200d\U0001f4bb", "ada \U0001f469\u200d\U0001f4bb"),
    ],
)
def test_all_spellings_have_one_place_and_one_count_of_attempts(
    board: LeaderboardService, first: str, other: str
) -> None:
    post(board, "a", first, 9000)
    posted = decode_accepted(post(board, "bb", other, 8000))
    assert (posted.rank, posted.racers, posted.best) == (1, 1, True)
    post(board, "ccc", first, 7000)  # the third of two attempts
    [(shown, score_ms, attempts)] = places(board)
    assert (score_ms, attempts) == (8000, 3)
    assert shown == (NFC if first == NFD else first)  # normal form C of what came first
    post(board, "bb", other.upper(), 8500, revision=2)
    assert places(board) == [(shown, 8500, 3)]
    board.close()


def test_an_entered_racer_may_be_spelled_otherwise(board: LeaderboardService) -> None:
    board.create_race(race("closed", entry="registered"), 1)
    assert enter(board, "closed", NFD, " Jos\u00e9\u00a0Luis ", 2) is True
    assert enter(board, "closed", "JOS\u00c9", "Jos\u00e9\u3000Luis", 2) is False
    with pytest.raises(Conflict, match="entered as 'Jos\u00e9 Luis'"):
        enter(board, "closed", "jose\u0301", "Jos\u00e9 Carlos", 2)
    assert [enter(board, "closed", racer, racer, 2) for racer in ("Ann", "ann", "ANN")] == [True, False, False]
    assert entry(board, "closed", "jos\u00e9") == (NFC, "Jos\u00e9 Luis")
    one = result("a", "JOSE\u0301", race_id="closed")
    assert board.apply("a.1", encode_result(one), 3).status == 201
    assert [(row.placed.racer, row.name) for row in board.snapshot("closed").rows] == [(NFC, "Jos\u00e9 Luis")]
    assert board.apply("b.1", encode_result(result("b", "Jose", race_id="closed")), 3).status == 422
    board.close()


def test_the_sentence_of_a_refused_name_names_the_character(board: LeaderboardService) -> None:
    one = result("a", "Ann\u202e")
    answer = board.apply("a.1", encode_result(one), 3)
    assert answer.status == 422
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in json.loads(answer.body)["error"]
    board.close()


def old_database(path: pathlib.Path) -> None:
    """Make a database of schema 0001, in which each spelling is a racer of its own."""
    store = opening.Store(engine := sa.create_engine(f"sqlite:///{path}"), engine)
    with store.write() as db:
        opening.migrate(db, "0001")
        rules = json.dumps(dataclasses.asdict(RACE.rules))
        db.exec_driver_sql(
            "INSERT INTO races VALUES ('cup','Cup','league','physical','Oval',?,'open',NULL,NULL,NULL,1,7,'{}')",
            (rules,),
        )
        db.exec_driver_sql("INSERT INTO entries VALUES ('cup','anna','Anna Holm',1), ('cup','Anna','Anna H.',2)")
        posts = [("a", 1, "Anna", 9000), ("b", 1, "anna", 8000), ("c", 1, NFD, 8600), ("d", 1, NFC, 8500)]
        posts += [("e", 1, "tom", 8200), ("f", 1, "ANNA", 7000), ("g", 1, "Tom K", 8100), ("g", 2, "tom", 8100)]
        for seq, (result_id, number, racer, ms) in enumerate(posts, 1):
            one = result(result_id, racer, (ms,) * 3, rules=RACE.rules, revision=number, finished_utc_ns=100 + seq)
            values = (seq, result_id, number, "cup", racer, ms, one.finished_utc_ns, 0, 1000 + seq, encode_result(one))
            db.exec_driver_sql("INSERT INTO results VALUES (?,?,?,?,?,?,?,?,?,?)", values)
            if racer != "Tom K":
                db.exec_driver_sql(
                    'INSERT OR REPLACE INTO lines VALUES ("cup",?,?,?,?,?,1)', (racer, ms, 100 + seq, seq, seq)
                )
    store.close()


def test_an_older_database_gets_one_racer_each(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "board.db"
    old_database(path)
    before = _payloads(path)
    board = open_board(path)
    # anna: three attempts, of which two count; Jose: two; tom has one spelling and keeps his row.
    assert places(board) == [("anna", 8000, 3), ("tom", 8100, 1), (NFD, 8500, 2)]
    assert [row.name for row in board.snapshot("cup").rows] == ["Anna Holm", "tom", NFD]
    assert _payloads(path) == before  # the posts themselves are unchanged
    post(board, "hhhh", "ANNA", 7500)
    assert places(board)[0] == ("anna", 8000, 4)
    board.close()
    open_board(path).close()


def _payloads(path: pathlib.Path) -> list[tuple[object, ...]]:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as db:
        rows = [tuple(row) for row in db.exec_driver_sql("SELECT seq, result_id, revision, payload FROM results")]
    engine.dispose()
    return rows
