"""The board on a real file: each result takes effect once, whatever is repeated, corrected or refused."""

import dataclasses
import json
import pathlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board, open_board_to_read
from leaderboard.core.errors import Conflict, UnknownRace
from leaderboard.stations.posting import PostReply
from shared.errors import Refused, StorageError
from shared.protocol.results import PostAccepted, Result, decode_accepted, encode_result
from shared.rules.ranking import RaceRules
from tests.leaderboard.by_hand import close_race, enter, move_close
from tests.leaderboard.sample_races import RULES, race, result

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def post(board: LeaderboardService, what: Result, at_utc_ns: int = 1) -> PostReply:
    return board.apply(what.webhook_id, encode_result(what), at_utc_ns)


def posted(board: LeaderboardService, what: Result) -> PostAccepted:
    answer = post(board, what)
    assert answer.status == 201, answer
    return decode_accepted(answer.body)


def order(board: LeaderboardService) -> list[str]:
    return [placed.racer for placed in board.standings("cup")]


def test_answers_tell_rank_racers_and_best(board: LeaderboardService) -> None:
    assert posted(board, result("a", "anna", (9000,) * 3)) == PostAccepted(9000, 1, 1, True)
    assert posted(board, result("b", "kenji", (8000,) * 3)) == PostAccepted(8000, 1, 2, True)
    assert posted(board, result("c", "anna", (9500,) * 3)) == PostAccepted(9500, 2, 2, False)
    assert posted(board, result("d", "anna", (7000,) * 3)) == PostAccepted(7000, 1, 2, True)


def test_a_repeat_gets_the_first_answer_and_has_no_effect(board: LeaderboardService) -> None:
    first = post(board, result("a", "anna"))
    post(board, result("b", "kenji", (8000,) * 3))
    assert post(board, result("a", "anna"), at_utc_ns=99) == PostReply(200, first.body)
    assert board.snapshot("cup").results == 2


def test_the_same_id_with_another_body_is_a_conflict(board: LeaderboardService) -> None:
    post(board, result("a", "anna"))
    answer = board.apply("a.1", encode_result(result("a", "tom")), 2)
    assert answer.status == 409
    assert "another body" in json.loads(answer.body)["error"]
    assert order(board) == ["anna"]


@pytest.mark.parametrize(
    ("webhook_id", "payload", "status", "sentence"),
    [
        ("a.1", b"{}", 422, "not valid"),
        ("a.1", b"", 422, "not JSON"),
        ("b.1", encode_result(result("a")), 422, "not the one of this result"),
        ("a.1", encode_result(result("a", race_id="none")), 404, "no race 'none'"),
        ("a.1", encode_result(result("a", score_ms=1)), 422, "the laps make 9100 ms"),
        ("a.1", encode_result(result("a", v=3)), 422, "upgrade the leaderboard"),
    ],
)
def test_what_is_refused_leaves_nothing(
    board: LeaderboardService, webhook_id: str, payload: bytes, status: int, sentence: str
) -> None:
    answer = board.apply(webhook_id, payload, 1)
    assert answer.status == status
    assert sentence in json.loads(answer.body)["error"]
    assert board.snapshot("cup").results == 0
    assert post(board, result("a")).status == 201, "a refused id may come again, corrected"


def test_a_higher_revision_replaces_and_a_late_lower_one_does_not(board: LeaderboardService) -> None:
    posted(board, result("a", "anna", (9000,) * 3))
    assert posted(board, result("a", "anna", (9900,) * 3, revision=3)) == PostAccepted(9900, 1, 1, True)
    assert posted(board, result("a", "anna", (8000,) * 3, revision=2)) == PostAccepted(8000, 1, 1, False)
    assert [placed.score_ms for placed in board.standings("cup")] == [9900]
    assert board.snapshot("cup").results == 3, "history is kept"


def test_a_correction_withdraws(board: LeaderboardService) -> None:
    posted(board, result("a", "anna"))
    posted(board, result("b", "anna", (9900,) * 3))
    assert posted(board, result("a", "anna", (9000,) * 2, revision=2)) == PostAccepted(None, 1, 1, False)
    assert posted(board, result("b", "anna", (9000,) * 2, revision=2)) == PostAccepted(None, None, 0, False)
    assert order(board) == []


def test_a_correction_reassigns_to_another_racer(board: LeaderboardService) -> None:
    posted(board, result("a", "anna", (9000,) * 3))
    posted(board, result("b", "anna", (9500,) * 3))
    assert posted(board, result("a", "kenji", (9000,) * 3, revision=2)) == PostAccepted(9000, 1, 2, True)
    assert [(p.racer, p.score_ms) for p in board.standings("cup")] == [("kenji", 9000), ("anna", 9500)]
    assert {row.placed.racer: row.moved for row in board.snapshot("cup").rows} == {"kenji": None, "anna": -1}


def test_a_correction_cannot_change_the_race(board: LeaderboardService) -> None:
    board.create_race(race("other"), 2)
    posted(board, result("a"))
    assert post(board, result("a", race_id="other", revision=2)).status == 422


def test_moves_are_those_of_the_last_change(board: LeaderboardService) -> None:
    for number, racer in enumerate(("anna", "kenji", "tom")):
        posted(board, result(racer, racer, (9000 + number,) * 3))
    posted(board, result("again", "tom", (8000,) * 3))
    assert [(row.placed.racer, row.moved) for row in board.snapshot("cup").rows] == [
        ("tom", 2),
        ("anna", -1),
        ("kenji", -1),
    ]
    posted(board, result("worse", "tom", (9900,) * 3))
    assert [row.moved for row in board.snapshot("cup").rows] == [0, 0, 0]
    assert [row.attempts for row in board.snapshot("cup").rows] == [3, 1, 1]


def test_attempts_beyond_the_rule_do_not_count_in_whatever_order_they_come(board: LeaderboardService) -> None:
    rules = dataclasses.replace(RULES, attempts_per_racer=2)
    board.create_race(race("two", rules=rules), 2)
    for end, time_ms in ((3, 8000), (1, 9000), (2, 9500)):
        posted(board, result(f"r{end}", times_ms=(time_ms,) * 3, race_id="two", finished_utc_ns=end))
    assert [placed.score_ms for placed in board.standings("two")] == [9000]


@pytest.mark.parametrize("discarded", [True, False], ids=["discarded", "voided"])
def test_a_discarded_run_frees_its_attempt_and_a_voided_one_does_not(
    board: LeaderboardService, discarded: bool
) -> None:
    board.create_race(race("one", rules=dataclasses.replace(RULES, attempts_per_racer=1)), 2)
    first = result("first", race_id="one", finished_utc_ns=1)
    posted(board, first)
    posted(board, dataclasses.replace(first, revision=2, score_ms=0, discarded=discarded))
    posted(board, result("again", times_ms=(8000,) * 3, race_id="one", finished_utc_ns=2))
    rows = [(row.placed.score_ms, row.attempts) for row in board.snapshot("one").rows]
    assert rows == ([(8000, 1)] if discarded else [])
    posted(board, dataclasses.replace(first, revision=3))  # submitted after all: the second attempt is one too many
    assert [(row.placed.score_ms, row.attempts) for row in board.snapshot("one").rows] == [(9100, 2)]


@pytest.mark.parametrize(
    "changes", [{"revision": 1, "score_ms": 0}, {"revision": 2}], ids=["the first", "with a score"]
)
def test_only_a_correction_to_nothing_discards(board: LeaderboardService, changes: dict[str, Any]) -> None:
    reply = post(board, dataclasses.replace(result(), discarded=True, **changes))
    assert reply.status == 422
    assert "`discarded`" in json.loads(reply.body)["error"]


def test_uncertainty_marks_a_tie(board: LeaderboardService) -> None:
    evidence = dataclasses.replace(result().evidence, uncertainty_ns=600_000)
    for racer, time_ms in (("anna", 9000), ("kenji", 9001), ("tom", 9003)):
        posted(board, result(racer, racer, (time_ms,) * 3, evidence=evidence))
    assert [placed.tied for placed in board.standings("cup")] == [True, True, False]


def test_races_and_entries_are_made_once(board: LeaderboardService) -> None:
    assert board.create_race(race(), 2) is False
    with pytest.raises(Conflict, match="Another race has the id 'cup'"):
        board.create_race(race(name="Other"), 2)
    with pytest.raises(Refused, match="cannot name a race"):
        board.create_race(race("A Cup"), 2)
    with pytest.raises(Refused, match="close before it opens"):
        board.create_race(race("w", opens_utc_ns=2, closes_utc_ns=2), 2)
    assert enter(board, "cup", "anna", "Anna Holm", 2) is True
    assert enter(board, "cup", "anna", "Anna Holm", 3) is False
    with pytest.raises(Conflict, match="name cannot be changed"):
        enter(board, "cup", "anna", "Other", 3)
    with pytest.raises(UnknownRace):
        enter(board, "none", "anna", "Anna", 3)
    posted(board, result("a", "anna"))
    assert board.snapshot("cup").rows[0].name == "Anna Holm"


def test_closing_by_hand_and_opening_again(board: LeaderboardService) -> None:
    assert close_race(board, "cup", True, 1_600_000_000_000_000_000).closed_utc_ns is not None
    assert post(board, result("a")).status == 422
    close_race(board, "cup", False, 1_600_000_000_000_000_001)
    assert post(board, result("a")).status == 201
    with pytest.raises(UnknownRace):
        close_race(board, "none", True, 2)


@pytest.mark.parametrize("by_hand", [False, True])
def test_the_day_runs_late_and_the_close_is_moved(board: LeaderboardService, by_hand: bool) -> None:
    """A race was to close at 17:00 and goes on: a refused run of 17:02 counts when it is posted again."""
    five, minute = 1_800_000_000 * 10**9, 60 * 10**9
    board.create_race(race("late", closes_utc_ns=five), 1)
    early = result("early", "ann", race_id="late", finished_utc_ns=five - minute)
    run = result("late-1", "ben", race_id="late", finished_utc_ns=five + 2 * minute)
    assert post(board, early).status == 201
    assert post(board, run).status == 422
    if by_hand:
        assert close_race(board, "late", False, five + 3 * minute).state(five + 3 * minute) == "open"
    else:
        assert move_close(board, "late", five + 60 * minute).closes_utc_ns == five + 60 * minute
    assert post(board, run).status == 201
    assert post(board, run).status == 200, "once in effect"
    assert [line.racer for line in board.standings("late")] == ["ann", "ben"]
    after = result("late-2", "cem", race_id="late", finished_utc_ns=five + 61 * minute)
    assert post(board, after).status == (201 if by_hand else 422)


def test_a_close_that_is_moved_forward_keeps_what_was_accepted(board: LeaderboardService) -> None:
    at = result("a").finished_utc_ns
    assert post(board, result("a")).status == 201
    assert move_close(board, "cup", at - 1).state(at) == "closed"
    assert [line.racer for line in board.standings("cup")] == [result("a").racer]
    assert post(board, result("b")).status == 422
    assert move_close(board, "cup", None).closes_utc_ns is None
    assert post(board, result("b")).status == 201
    with pytest.raises(UnknownRace):
        move_close(board, "none", 2)


def test_a_close_lies_after_the_opening_and_is_no_reason_for_a_second_race(board: LeaderboardService) -> None:
    minute = 60 * 10**9
    board.create_race(race("w", opens_utc_ns=2 * minute, closes_utc_ns=9 * minute), 1)
    with pytest.raises(Refused, match="close before it opens"):
        move_close(board, "w", 2 * minute)
    move_close(board, "w", 20 * minute)
    with pytest.raises(Conflict, match="closes at another time"):
        board.create_race(race("w", opens_utc_ns=2 * minute, closes_utc_ns=9 * minute), 1)
    assert board.create_race(race("w", opens_utc_ns=2 * minute, closes_utc_ns=20 * minute), 1) is False


def test_watchers_hear_of_changes_only(board: LeaderboardService) -> None:
    changed_races: list[str] = []
    board.watch(changed_races.append)
    post(board, result("a"))
    post(board, result("a"))
    board.apply("x.1", b"", 1)
    enter(board, "cup", "anna", "Anna", 2)
    assert changed_races == ["cup", "cup"]


def test_posts_at_once_have_one_effect_and_one_answer(board: LeaderboardService) -> None:
    together = threading.Barrier(8)

    def send(number: int) -> PostReply:
        together.wait(timeout=60)
        return post(board, result("same", "anna"), at_utc_ns=number)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({answer.body for answer in answers}) == 1
    assert board.snapshot("cup").results == 1


def test_what_was_answered_is_there_after_opening_again(tmp_path: pathlib.Path) -> None:
    first = open_board(tmp_path / "again.db")
    first.create_race(race(), 1)
    answer = post(first, result("a"))
    first.close()
    second = open_board(tmp_path / "again.db")
    assert post(second, result("a")) == PostReply(200, answer.body)
    reading = open_board_to_read(tmp_path / "again.db")
    assert [head.race.race_id for head in reading.races()] == ["cup"]
    with pytest.raises(StorageError, match="readonly"):
        enter(reading, "cup", "x", "x", 1)
    reading.close()
    second.close()


def test_a_full_disk_refuses_and_loses_nothing(board: LeaderboardService) -> None:
    post(board, result("before"))
    with board._store.write() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    accepted: list[PostReply] = []

    def fill() -> None:
        accepted.extend(post(board, result(f"r{number}", "x" * 190)) for number in range(400))

    with pytest.raises(StorageError, match="full"):
        fill()
    assert {answer.status for answer in accepted} <= {201}
    assert board.snapshot("cup").results == len(accepted) + 1
    with board._store.write() as db:
        db.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert post(board, result("after")).status == 201


RESULTS = st.lists(
    st.builds(
        result,
        result_id=st.sampled_from(["a", "b", "c", "d"]),
        revision=st.integers(1, 3),
        racer=st.sampled_from(["anna", "kenji", "tom"]),
        times_ms=st.lists(st.integers(9000, 9002), min_size=2, max_size=5),
        finished_utc_ns=st.integers(1, 3),
    ),
    max_size=8,
    unique_by=lambda r: (r.result_id, r.revision),
)
COUNTER = iter(range(10**6))


@pytest.mark.slow
@EXAMPLES
@given(RESULTS, st.randoms(use_true_random=False))
def test_the_order_of_the_post_does_not_matter(
    board: LeaderboardService, drawn: list[Result], shuffle: random.Random
) -> None:
    """Same results, any order, any repeats: same standing (ties of the very same nanosecond aside)."""
    rules = RaceRules(off_track_penalty_s=1.0, attempts_per_racer=2)
    ends = {name: end for end, name in enumerate(sorted({r.result_id for r in drawn}), 1)}
    distinct = [dataclasses.replace(r, finished_utc_ns=ends[r.result_id]) for r in drawn]
    # Only what is accepted in any order: a first revision that does not qualify is refused in all.
    standings = []
    for _ in range(2):
        race_id, prefix = f"race-{next(COUNTER)}", f"p{next(COUNTER)}"
        board.create_race(race(race_id, rules=rules), 1)
        for one in [*distinct, *distinct[:2]]:
            post(board, dataclasses.replace(one, race_id=race_id, result_id=f"{prefix}-{one.result_id}"))
        standings.append([(p.racer, p.score_ms, p.rank) for p in board.standings(race_id)])
        snapshot = board.snapshot(race_id)
        assert [row.placed.racer for row in snapshot.rows] == [placed[0] for placed in standings[-1]]
        shuffle.shuffle(distinct)
    assert standings[0] == standings[1]


TEXTS = st.text(max_size=20)
NUMBERS = st.integers() | st.floats() | st.booleans()
JSON = st.recursive(
    st.none() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([field.name for field in dataclasses.fields(Result)] + ["extra"])


@EXAMPLES
@given(st.dictionaries(FIELDS, JSON, min_size=1, max_size=3))
def test_hostile_fields_are_refused_in_a_sentence(board: LeaderboardService, changes: dict[str, object]) -> None:
    body = json.dumps(json.loads(encode_result(result("h"))) | changes).encode()
    webhook_id = f"{changes.get('result_id', 'h')}.{changes.get('revision', 1)}"
    answer = board.apply(webhook_id, body, 1)
    assert answer.status in (200, 201, 404, 409, 422)
    if answer.status > 201:
        assert json.loads(answer.body)["error"]


@EXAMPLES
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_hostile_bodies_are_refused_in_a_sentence(board: LeaderboardService, body: bytes) -> None:
    answer = board.apply("h.1", body, 1)
    assert answer.status == 422
    assert json.loads(answer.body)["error"]
