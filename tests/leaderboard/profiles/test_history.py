"""The history of a place, beside a naive standing made anew after each result."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.board import LeaderboardService
from leaderboard.core.errors import UnknownRacer
from leaderboard.core.history import AcceptedRevision, place_history
from leaderboard.core.rank import Attempt, line_of, newest
from leaderboard.pages.public.history_view import history_view
from leaderboard.profiles.history import PlaceHistories
from leaderboard.store.tables import ENTRIES
from shared.protocol.results import encode_result
from tests.leaderboard.sample_races import result

STATES = ("ranked", "ranked", "ranked", "disqualified", "refused")
REVISION = st.tuples(
    st.integers(0, 7), st.integers(1, 3), st.sampled_from("abcd"), st.one_of(st.none(), st.integers(1, 5)),
    st.integers(1, 4), st.sampled_from(STATES),
)  # fmt: skip


def naive_rank(revisions: list[AcceptedRevision], racer: str) -> tuple[int | None, int | None]:
    attempts = [
        Attempt(e.seq, e.seq, e.result_id, e.revision, e.racer, e.score_ms, e.set_utc_ns, state=e.state)
        for e in revisions
    ]
    now = newest(attempts)
    lines = [line_of([a for a in now if a.racer == each]) for each in {a.racer for a in now}]
    order = sorted((line for line in lines if line is not None), key=lambda line: line.rank_key)
    return next(((place, line.score_ms) for place, line in enumerate(order, 1) if line.racer == racer), (None, None))


@settings(max_examples=150)
@given(st.lists(REVISION, max_size=20))
def test_it_is_the_standing_after_each_result(drawn: list[tuple[int, int, str, int | None, int, str]]) -> None:
    seen: set[tuple[int, int]] = set()
    revisions = []
    for seq, (number, revision, racer, score_ms, set_ns, state) in enumerate(drawn, 1):
        if (number, revision) not in seen:
            seen.add((number, revision))
            revisions.append(
                AcceptedRevision(seq, f"r{number}", revision, racer, score_ms, set_ns, seq * 10, state)  # type: ignore[arg-type]
            )
    final = {each.result_id: each.state for each in sorted(revisions, key=lambda each: each.revision)}
    counting = [dataclasses.replace(e, state="ranked") for e in revisions if final[e.result_id] == "ranked"]
    expected, before = [], (None, None)
    for until in range(1, len(counting) + 1):
        now = naive_rank(counting[:until], "a")
        if now != before:
            expected.append((counting[until - 1].accepted_utc_ns, *now))
            before = now  # type: ignore[assignment]
    steps = place_history(revisions[::-1], "a")
    assert [(step.at_utc_ns, step.rank, step.score_ms) for step in steps] == expected


def test_only_the_last_steps_are_told() -> None:
    many = [AcceptedRevision(n, f"r{n}", 1, "a", 1000 - n, n, n) for n in range(1, 9)]
    assert [step.score_ms for step in place_history(many, "a", limit=3)] == [994, 993, 992]


def test_the_last_step_is_the_place_in_the_standing(board: LeaderboardService) -> None:
    for number, (racer, ms) in enumerate(
        (("anna", 9000), ("tom", 8900), ("kenji", 8800), ("ANNA", 8700), ("tom", 8600))
    ):
        one = result(f"r{number}", racer, (ms,) * 3)
        board.apply(one.webhook_id, encode_result(one), 10**18 + number * 10**9)
    histories = PlaceHistories(board.store)
    told = histories.of("cup", "Anna")
    assert [(step.rank, step.racers, step.own) for step in told.steps] == [
        (1, 1, True), (2, 2, False), (3, 3, False), (1, 3, True), (2, 3, False),
    ]  # fmt: skip
    view = history_view(told, 2 * 10**18)
    assert view is not None
    assert (view.best, view.worst, view.rows[0].rank, len(view.rows)) == (1, 3, "2", 5)
    assert view.line.startswith("M8 8H")
    assert view.marks.count("M") == 2
    with board.store.write() as db:
        db.execute(ENTRIES.insert().values(race_id="cup", racer="tom", name="tom", entered_utc_ns=1, state="removed"))
    assert [step.rank for step in histories.of("cup", "anna").steps] == [1, 2, 1]
    with pytest.raises(UnknownRacer):
        histories.of("cup", "Tom")  # removed: nothing of him is told
    assert not PlaceHistories(board.store, max_revisions=4).of("cup", "anna").is_known
