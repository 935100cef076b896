"""The schedule of posts: tables of cases, and properties that hold for every history."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostOutcome, PostRejected
from shared.units import NS_PER_S
from station.sync.schedule import (
    BACKOFF_S,
    MAX_WAIT_S,
    SETTLED,
    LeaderboardBackoff,
    OutboxRow,
    Progress,
    answered,
    backoff_after,
    backoff_s,
    first_revisions,
    next_post,
    sent,
    wait_for,
)

POSTED = PostAccepted(10_000, 1, 1)


def row(seq: int, result_id: str = "r", revision: int = 0) -> OutboxRow:
    return OutboxRow(seq, result_id, revision, b"{}")


def test_nothing_to_post() -> None:
    assert next_post([], {}, LeaderboardBackoff()) is None
    assert next_post([row(1)], {"r.0": Progress("confirmed", 1)}, LeaderboardBackoff()) is None


def test_the_oldest_due_row_comes_first() -> None:
    turn = next_post([row(2, "b"), row(1, "a")], {}, LeaderboardBackoff())
    assert turn is not None
    assert turn.row.result_id == "a"


def test_a_waiting_row_lets_the_next_one_pass() -> None:
    turn = next_post([row(1, "a"), row(2, "b")], {"a.0": Progress("pending", 1, 50)}, LeaderboardBackoff())
    assert turn is not None
    assert (turn.row.result_id, turn.at_ns) == ("b", 0)


def test_a_board_that_is_away_holds_every_row_back() -> None:
    turn = next_post([row(1, "a"), row(2, "b")], {"a.0": Progress("pending", 1, 50)}, LeaderboardBackoff(1, 70))
    assert turn is not None
    assert (turn.row.result_id, turn.at_ns) == ("b", 70)  # which is due for longer


def test_old_rows_that_never_get_through_do_not_stop_a_new_one() -> None:
    """As when a firewall refuses the names in six results: each is due again whenever the backoff ends."""
    rows = [row(seq, f"r-{seq}") for seq in range(1, 8)]
    stuck = {f"r-{seq}.0": Progress("pending", 20, 10 * seq) for seq in range(1, 7)}
    turn = next_post(rows, stuck, LeaderboardBackoff(20, 100))
    assert turn is not None
    assert (turn.row.result_id, turn.at_ns) == ("r-7", 100)
    turn = next_post(rows[:-1], stuck, LeaderboardBackoff(20, 100))
    assert turn is not None
    assert turn.row.result_id == "r-1"  # of those, the one that is due for longest


@pytest.mark.parametrize("state", ["pending", "in-flight", "unknown"])
def test_a_correction_waits_for_what_it_corrects(state: str) -> None:
    rows = [row(1, revision=0), row(2, revision=1)]
    progress_by_id = {"r.0": Progress(state, 3, 10**12)}  # type: ignore[arg-type]
    assert [r.revision for r in first_revisions(rows, progress_by_id)] == [0]


@pytest.mark.parametrize("state", ["confirmed", "rejected"])
def test_a_settled_revision_lets_its_correction_go(state: str) -> None:
    rows = [row(1, revision=0), row(2, revision=1)]
    assert [r.revision for r in first_revisions(rows, {"r.0": Progress(state, 1)})] == [1]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (POSTED, "confirmed"),
        (PostRejected("no", 422), "rejected"),
        (PostDeferred("busy"), "pending"),
        (AnswerLost("reset"), "unknown"),
    ],
)
def test_each_answer_leads_to_one_state(answer: PostOutcome, state: str) -> None:
    after = answered(sent(Progress()), answer, 7, 100)
    assert after.state == state
    assert after.attempts == 1
    assert after.not_before_ns == (0 if state in SETTLED else 107)


def test_an_answer_of_any_kind_but_later_opens_the_board() -> None:
    assert backoff_after(LeaderboardBackoff(5, 900), POSTED, 0, 1000) == LeaderboardBackoff()
    assert backoff_after(LeaderboardBackoff(5, 900), PostRejected("no", 422), 0, 1000) == LeaderboardBackoff()
    assert backoff_after(LeaderboardBackoff(5, 900), PostDeferred("busy"), 30, 1000) == LeaderboardBackoff(6, 1030)


@given(st.integers(0, 10_000), st.integers())
def test_backoff_stays_under_its_step_and_the_cap(failures: int, seed: int) -> None:
    wait = backoff_s(failures, random.Random(seed))
    assert 0 <= wait <= BACKOFF_S[min(failures, len(BACKOFF_S) - 1)] <= 300


@given(
    st.one_of(st.none(), st.floats(-10, 1e9, allow_nan=False)), st.integers(0, 20), st.integers(0, 20), st.integers()
)
def test_what_the_leaderboard_asks_for_is_a_floor_with_a_cap(
    asked_s: float | None, attempts: int, failures: int, seed: int
) -> None:
    row_ns, board_ns = wait_for(
        PostDeferred("busy", asked_s), attempts, LeaderboardBackoff(failures), random.Random(seed)
    )
    floor_ns = round(min(max(asked_s or 0.0, 0.0), MAX_WAIT_S) * NS_PER_S)
    assert floor_ns <= row_ns <= max(floor_ns, 300 * NS_PER_S)
    assert floor_ns <= board_ns <= max(floor_ns, 300 * NS_PER_S)


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), unique=True, max_size=8).map(
    lambda pairs: [row(i + 1, name, revision) for i, (name, revision) in enumerate(pairs)]
)
ANSWERS = st.lists(
    st.sampled_from([POSTED, PostRejected("no", 422), PostDeferred("busy"), AnswerLost("reset")]), max_size=40
)


@given(ROWS, ANSWERS, st.integers())
def test_no_history_sends_an_older_revision_after_a_newer(
    rows: list[OutboxRow], answers: list[PostOutcome], seed: int
) -> None:
    rng = random.Random(seed)
    progress: dict[str, Progress] = {}
    board, now_ns, highest = LeaderboardBackoff(), 0, dict[str, int]()
    for answer in answers:
        turn = next_post(rows, progress, board)
        if turn is None:
            break
        now_ns = max(now_ns, turn.at_ns)
        key = turn.row.webhook_id
        assert progress.get(key, Progress()).state not in SETTLED
        assert turn.row.revision >= highest.get(turn.row.result_id, 0)
        highest[turn.row.result_id] = turn.row.revision
        before = sent(progress.get(key, Progress()))
        row_wait, board_wait = wait_for(answer, before.attempts, board, rng)
        board = backoff_after(board, answer, board_wait, now_ns)
        progress[key] = answered(before, answer, row_wait, now_ns)


@given(ROWS, st.integers(0, 6), st.integers())
def test_every_row_is_settled_once_the_leaderboard_is_back(rows: list[OutboxRow], outages: int, seed: int) -> None:
    rng = random.Random(seed)
    progress: dict[str, Progress] = {}
    board, now_ns, posts = LeaderboardBackoff(), 0, 0
    while (turn := next_post(rows, progress, board)) is not None:
        now_ns, posts = max(now_ns, turn.at_ns), posts + 1
        answer: PostOutcome = PostDeferred("away") if posts <= outages else POSTED
        before = sent(progress.get(turn.row.webhook_id, Progress()))
        row_wait, board_wait = wait_for(answer, before.attempts, board, rng)
        board = backoff_after(board, answer, board_wait, now_ns)
        progress[turn.row.webhook_id] = answered(before, answer, row_wait, now_ns)
    assert all(progress[r.webhook_id].state == "confirmed" for r in rows)
    assert posts <= len(rows) + outages
