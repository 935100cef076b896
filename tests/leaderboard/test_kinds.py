"""A race that takes physical and virtual results: a table for each kind, or one for both."""

from typing import Any

import pytest

from leaderboard.board import LeaderboardService
from leaderboard.stations.posting import PostReply
from shared.errors import Refused
from shared.protocol.results import PostAccepted, decode_accepted, encode_result
from tests.leaderboard.sample_races import race, result


def post(board: LeaderboardService, result_id: str, racer: str, lap_ms: int, kind: str, **changes: Any) -> PostReply:
    one = result(result_id, racer, (lap_ms,) * 3, kind=kind, race_id="mixed", **changes)
    return board.apply(one.webhook_id, encode_result(one), 5)


def accepted(reply: PostReply) -> PostAccepted:
    assert reply.status == 201, reply.body
    return decode_accepted(reply.body)


def test_ranks_are_within_a_kind_and_a_racer_may_stand_in_both(board: LeaderboardService) -> None:
    board.create_race(race("mixed", venue="any"), 1)
    assert accepted(post(board, "a", "anna", 9000, "physical")) == PostAccepted(9000, 1, 1)
    assert accepted(post(board, "b", "ben", 8000, "virtual")) == PostAccepted(8000, 1, 1)
    assert accepted(post(board, "c", "anna", 8500, "virtual")) == PostAccepted(8500, 2, 2)
    assert accepted(post(board, "d", "cleo", 8800, "physical")) == PostAccepted(8800, 1, 2)
    physical, virtual = board.snapshot("mixed"), board.snapshot("mixed", table="virtual")
    assert [(row.placed.racer, row.moved) for row in physical.rows] == [("cleo", None), ("anna", -1)]
    assert [(row.placed.racer, row.moved) for row in virtual.rows] == [("ben", 0), ("anna", 0)]
    assert {row.result.kind for row in virtual.rows} == {"virtual"}
    assert (physical.table, physical.racers, virtual.racers) == ("physical", 2, 2)
    [head] = [each for each in board.races() if each.race.race_id == "mixed"]
    assert (head.racers, head.leader) == (3, "cleo")  # anna, who stands in both, is one racer
    assert post(board, "a", "anna", 9000, "virtual", revision=2).status == 422  # a correction keeps its kind
    with pytest.raises(Refused, match="has no table 'any'; it has physical and virtual"):
        board.snapshot("mixed", table="any")


def test_one_table_ranks_both_kinds_together(board: LeaderboardService) -> None:
    board.create_race(race("mixed", venue="any", one_table=True), 1)
    post(board, "a", "anna", 9000, "physical")
    assert accepted(post(board, "b", "ben", 8000, "virtual")) == PostAccepted(8000, 1, 2)
    assert accepted(post(board, "c", "anna", 7500, "virtual")) == PostAccepted(7500, 1, 2)
    rows = board.snapshot("mixed").rows
    assert [(row.placed.racer, row.result.kind, row.attempts) for row in rows] == [
        ("anna", "virtual", 2),
        ("ben", "virtual", 1),
    ]
    with pytest.raises(Refused, match="has no table 'physical'; it has any"):
        board.snapshot("mixed", table="physical")


def test_the_venue_still_decides_which_kinds_enter(board: LeaderboardService) -> None:
    board.create_race(race("mixed"), 1)
    assert post(board, "a", "anna", 9000, "physical").status == 201
    refused = post(board, "b", "ben", 9000, "virtual")
    assert (refused.status, b"is virtual, race 'mixed' is physical" in refused.body) == (422, True)
