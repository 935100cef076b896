"""Attempts on a board: runs without a score, quotas, changed rules; and that the order of arrival never matters."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.store import attempt_rows
from shared.protocol.results import PostAccepted, Result, decode_accepted, encode_result
from shared.rules.ranking import score_run
from tests.leaderboard.sample_races import RULES, race, result


def posted(board: LeaderboardService, one: Result) -> PostAccepted:
    reply = board.apply(one.webhook_id, encode_result(one), 5)
    assert reply.status == 201, reply.body
    return decode_accepted(reply.body)


def stands(board: LeaderboardService, race_id: str = "cup") -> list[tuple[str, str, str]]:
    """The attempts as they stand: id, state, reason."""
    with board._store.read() as db:
        rows = attempt_rows.attempts(db, race_id)
    return sorted((row.result.result_id, row.state, row.reason) for row in rows)


def unqualified(result_id: str, **changes: Any) -> Result:
    values: dict[str, Any] = {"times_ms": (9000, 9000), "qualified": False, "v": 2}
    return result(result_id, **(values | changes))


def test_a_run_without_a_score_is_kept_and_counted_and_never_ranked(board: LeaderboardService) -> None:
    assert posted(board, unqualified("a")) == PostAccepted(None, None, 0, False)
    assert board.snapshot("cup").rows == ()
    assert posted(board, result("b", finished_utc_ns=7)) == PostAccepted(9100, 1, 1)
    assert [row.attempts for row in board.snapshot("cup").rows] == [2]
    assert stands(board) == [("a", "unqualified", "2 of 3 laps in a row"), ("b", "ranked", "")]
    # A ruling gives the run its lap back, and another takes it away again: the newest revision counts.
    assert posted(board, result("a", times_ms=(8000,) * 3, revision=2)).rank == 1
    assert posted(board, unqualified("a", revision=3, v=1)) == PostAccepted(None, 1, 1, False)
    assert stands(board)[0] == ("a", "unqualified", "2 of 3 laps in a row")


def test_attempts_without_a_score_use_up_the_quota(board: LeaderboardService) -> None:
    board.create_race(race("two", rules=dataclasses.replace(RULES, attempts_per_racer=2)), 1)
    posted(board, unqualified("a", race_id="two", finished_utc_ns=10))
    posted(board, result("b", race_id="two", finished_utc_ns=30))
    late = result("c", times_ms=(8000,) * 3, race_id="two", finished_utc_ns=40)
    # It is settled for the station, which is told the score; the racer sees why it does not count.
    assert posted(board, late) == PostAccepted(8000, 1, 1, False)
    beyond = "beyond the 2 attempts of this race"
    assert stands(board, "two") == [
        ("a", "unqualified", "2 of 3 laps in a row"),
        ("b", "ranked", ""),
        ("c", "refused", beyond),
    ]
    posted(board, unqualified("d", race_id="two", finished_utc_ns=20))  # driven before b, posted after it
    assert stands(board, "two")[1] == ("b", "refused", beyond)
    assert board.snapshot("two").rows == ()


def test_a_quota_of_the_day_in_the_race_s_zone(board: LeaderboardService) -> None:
    board.create_race(race("daily", attempts_per_day=1, zone="Asia/Tokyo"), 1)
    hour_ns = 3600 * 10**9
    posted(board, result("a", race_id="daily", finished_utc_ns=14 * hour_ns))  # 23:00 in Tokyo
    posted(board, result("b", race_id="daily", finished_utc_ns=int(14.5 * hour_ns)))
    posted(board, result("c", race_id="daily", finished_utc_ns=16 * hour_ns))  # 01:00
    assert [(state, reason) for _, state, reason in stands(board, "daily")] == [
        ("ranked", ""),
        ("refused", "beyond the 1 attempt of 1970-01-01"),
        ("ranked", ""),
    ]


def test_other_rules_move_attempts_between_ranked_and_unqualified(board: LeaderboardService) -> None:
    posted(board, unqualified("a"))
    posted(board, result("b", racer="ben"))
    posted(board, result("c", racer="cleo"))
    posted(board, result("c", racer="cleo", revision=2, score_ms=0))
    two = dataclasses.replace(RULES, consecutive_laps=2)
    board.change_rules("cup", two, 1)
    assert [(p.racer, p.score_ms) for p in board.standings("cup")] == [("anna", 9000), ("ben", 9050)]
    assert [state for _, state, _ in stands(board)] == ["ranked", "ranked", "withdrawn"]
    board.change_rules("cup", dataclasses.replace(RULES, consecutive_laps=4), 1)
    assert board.standings("cup") == []
    assert stands(board)[1] == ("b", "unqualified", "3 of 4 laps in a row")
    board.change_rules("cup", RULES, 1)
    assert stands(board) == [
        ("a", "unqualified", "2 of 3 laps in a row"),
        ("b", "ranked", ""),
        ("c", "withdrawn", "withdrawn by a correction"),
    ]


REVISIONS = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.integers(1, 3),
        st.sampled_from(["anna", "ben"]),
        st.sampled_from([(9000, 9001, 9002), (8000, 8000, 8000), (9000, 9000), ()]),
        st.sampled_from(["", "disqualified", "discarded", "withdrawn"]),
    ),
    max_size=9,
    unique_by=lambda drawn: drawn[:2],
)


def _result(race_id: str, drawn: tuple[str, int, str, tuple[int, ...], str]) -> Result:
    name, revision, racer, times_ms, ruled = drawn
    made = result(f"{race_id}-{name}", racer, times_ms, race_id=race_id, revision=revision)
    # All revisions of a result are of one time, as a run has one end; no two runs end together.
    made = dataclasses.replace(made, finished_utc_ns="abcde".index(name) * 20 * 3600 * 10**9)
    if ruled == "disqualified":
        return dataclasses.replace(made, qualified=False, disqualified=True, score_ms=0)
    if revision > 1 and ruled:
        return dataclasses.replace(made, score_ms=0, discarded=ruled == "discarded")
    qualified = score_run(made.laps, RULES) is not None
    return dataclasses.replace(made, qualified=qualified, v=1 if qualified else 2)


@settings(deadline=None, max_examples=25)
@given(drawn=REVISIONS, limits=st.tuples(st.none() | st.integers(1, 2), st.none() | st.just(1)), data=st.data())
def test_the_order_of_arrival_never_matters(
    shared_board: LeaderboardService,
    drawn: list[tuple[str, int, str, tuple[int, ...], str]],
    limits: tuple[int | None, int | None],
    data: st.DataObject,
) -> None:
    orders = [drawn, data.draw(st.permutations(drawn))]
    seen = []
    for order in orders:
        race_id = f"r{len(shared_board.races())}"
        rules = dataclasses.replace(RULES, attempts_per_racer=limits[0])
        shared_board.create_race(race(race_id, rules=rules, attempts_per_day=limits[1]), 1)
        for each in order:
            posted(shared_board, _result(race_id, each))
        places = [(line.racer, line.score_ms) for line in shared_board.standings(race_id)]
        seen.append((places, [(each[0][-1], *each[1:]) for each in stands(shared_board, race_id)]))
        ranked = {state for _, state, _ in seen[-1][1]}
        assert bool(places) == ("ranked" in ranked)
    assert seen[0] == seen[1]


@pytest.fixture(scope="module")
def shared_board(tmp_path_factory: pytest.TempPathFactory) -> Any:
    opened = open_board(tmp_path_factory.mktemp("attempts") / "board.db")
    yield opened
    opened.close()
