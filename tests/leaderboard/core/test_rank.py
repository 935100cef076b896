"""The pure rules: windows, acceptance, which attempt counts, and a standing against a model of twenty lines."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.api.schemas import utc_ns
from leaderboard.core import acceptance, rank
from leaderboard.core.attempts import AttemptQuota, settle
from leaderboard.core.rank import Attempt, BestAttempt
from leaderboard.scored_laps import utc_text
from shared.errors import BadInput, Refused
from shared.rules.ranking import RunLap
from tests.leaderboard.core.plain_standing import standing
from tests.leaderboard.sample_races import laps, race, result

HOUR_NS = 3600 * 10**9
DAY = timedelta(hours=23, minutes=59)


@pytest.mark.parametrize(
    ("opens", "closes", "closed", "now", "state"),
    [
        (None, None, None, 5, "open"),
        (10, None, None, 9, "published"),
        (10, None, None, 10, "open"),
        (10, 20, None, 20, "closed"),
        (10, 20, 15, 15, "closed"),
        (None, 20, 30, 25, "closed"),
    ],
)
def test_state_of_a_race(opens: int | None, closes: int | None, closed: int | None, now: int, state: str) -> None:
    one = race(opens_utc_ns=opens, closes_utc_ns=closes, closed_utc_ns=closed)
    assert one.state(now) == state


def test_late_post_of_a_run_within_the_window_is_accepted() -> None:
    one = race(opens_utc_ns=100, closes_utc_ns=200)
    assert acceptance.accept(one, result(finished_utc_ns=199), entered=False, known=False).state == "ranked"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"finished_utc_ns": 99}, "before race 'cup' opened"),
        ({"finished_utc_ns": 200}, "after race 'cup' closed"),
        ({"finished_utc_ns": -1}, "nanoseconds since 1970"),
        ({"finished_utc_ns": 2**63}, "nanoseconds since 1970"),
        ({"kind": "virtual"}, "is virtual, race 'cup' is physical"),
        ({"revision": 0}, "count from 1"),
        ({"racer": ""}, "`racer` is empty"),
        ({"racer": " \u3000"}, "can be seen"),
        ({"racer": "an\u200bna"}, "U\\+200B ZERO WIDTH SPACE"),
        ({"racer": "an\x00na"}, "U\\+0000 NULL"),
        ({"racer": "an\u202ena"}, "U\\+202E RIGHT-TO-LEFT OVERRIDE"),
        ({"racer": "a" * 201}, "1 to 200 characters"),
        ({"car": "car\n1"}, "invisible"),
        ({"score_ms": 9101}, "the laps make 9100 ms"),
        ({"laps": laps([9000, 9000]), "score_ms": 9000}, "does not qualify"),
        ({"laps": (RunLap(2, 9_000_000_000, 1), RunLap(2, 9_000_000_000, 2))}, "out of order"),
        ({"laps": (RunLap(0, 9_000_000_000, 1),)}, "out of order"),
        ({"laps": (RunLap(1, 0, 1),)}, "time that is out of range"),
        ({"laps": (RunLap(1, 10**15, 1),)}, "time that is out of range"),
        ({"laps": (RunLap(1, 9_000_000_000, 2**63),)}, "time that is out of range"),
        ({"laps": (RunLap(1, 9_000_000_000, 1, off_tracks=-1),)}, "count that is out of range"),
        ({"laps": (RunLap(1, 9_000_000_000, 1, penalty_ns=-1),)}, "count that is out of range"),
    ],
)
def test_refusals_say_why(changes: dict[str, Any], sentence: str) -> None:
    one = race(opens_utc_ns=100, closes_utc_ns=200)
    posted = result(**({"finished_utc_ns": 150} | changes))

    def accept() -> None:
        acceptance.check_result(posted)
        acceptance.accept(one, posted, entered=False, known=False)

    with pytest.raises(Refused, match=sentence):
        accept()


def test_a_void_lap_over_a_restart_may_be_without_time() -> None:
    run = (RunLap(1, 0, 5, valid=False), *(RunLap(n, 9_000_000_000, n * 10**10) for n in (2, 3, 4)))
    verdict = acceptance.accept(race(), result(laps=run), entered=False, known=False)
    assert (verdict.state, verdict.score_ms) == ("ranked", 9000)


def test_only_registered_racers_where_the_race_says_so() -> None:
    one = race(entry="registered")
    with pytest.raises(Refused, match="not entered"):
        acceptance.accept(one, result(), entered=False, known=False)
    assert acceptance.accept(one, result(), entered=True, known=False).state == "ranked"


def test_a_correction_may_withdraw_and_may_come_after_the_close() -> None:
    closed = race(closes_utc_ns=100)
    withdrawn = result(times_ms=(9000, 9000), revision=2, finished_utc_ns=150)
    assert acceptance.accept(closed, withdrawn, entered=False, known=True).state == "withdrawn"
    abandoned = result(score_ms=0, revision=2, finished_utc_ns=150)
    assert acceptance.accept(closed, abandoned, entered=False, known=True).state == "withdrawn"
    with pytest.raises(Refused, match="closed"):
        acceptance.accept(closed, withdrawn, entered=False, known=False)


def test_equal_scores_rank_by_the_end_of_the_run_then_by_acceptance() -> None:
    lines = [
        BestAttempt("late", 9000, 20, 1, 1, 1),
        BestAttempt("second", 9000, 10, 3, 3, 1),
        BestAttempt("first", 9000, 10, 2, 2, 1),
    ]
    assert [placed.racer for placed in standing(lines)] == ["first", "second", "late"]


ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        seq=st.just(0),
        order=st.just(0),
        result_id=st.sampled_from("abcdef"),
        revision=st.integers(1, 3),
        racer=st.sampled_from(["anna", "kenji", "tom"]),
        score_ms=st.none() | st.integers(9000, 9003),
        finished_utc_ns=st.integers(0, 3),
        discarded=st.booleans(),
    ),
    max_size=12,
)


def model(attempts: list[Attempt], max_attempts: int | None) -> list[tuple[str, int]]:
    """The same standing, computed in the plainest way."""
    newest: dict[str, Attempt] = {}
    first_order: dict[str, int] = {}
    for attempt in attempts:
        first_order.setdefault(attempt.result_id, attempt.order)
        if attempt.result_id not in newest or attempt.revision > newest[attempt.result_id].revision:
            newest[attempt.result_id] = attempt
    by_end = sorted(newest.values(), key=lambda a: (a.finished_utc_ns, first_order[a.result_id]))
    best: dict[str, tuple[int, int, int]] = {}
    used: dict[str, int] = {}
    for attempt in (attempt for attempt in by_end if not attempt.discarded):
        used[attempt.racer] = used.get(attempt.racer, 0) + 1
        if attempt.score_ms is None or (max_attempts is not None and used[attempt.racer] > max_attempts):
            continue
        key = (attempt.score_ms, attempt.finished_utc_ns, first_order[attempt.result_id])
        best[attempt.racer] = min(best.get(attempt.racer, key), key)
    return [(racer, key[0]) for racer, key in sorted(best.items(), key=lambda item: item[1])]


@settings(deadline=None)
@given(ATTEMPTS, st.none() | st.integers(1, 3))
def test_standing_is_that_of_the_model(drawn: list[Attempt], max_attempts: int | None) -> None:
    unique = {(a.result_id, a.revision): a for a in drawn}.values()
    attempts = [
        Attempt(n, n, *(a.result_id, a.revision, a.racer, a.score_ms, a.finished_utc_ns, a.discarded))
        for n, a in enumerate(unique)
    ]
    quota = AttemptQuota(max_attempts)
    newest = rank.newest(attempts)
    racers = {a.racer for a in newest}
    lines = [rank.line_of(settle([a for a in newest if a.racer == racer], quota)) for racer in racers]
    placed = standing(line for line in lines if line is not None)
    assert [(p.racer, p.score_ms) for p in placed] == model(attempts, max_attempts)
    assert [p.rank for p in placed] == list(range(1, len(placed) + 1))
    assert all(p.gap_ms == p.score_ms - placed[0].score_ms for p in placed)


@given(st.datetimes(timezones=st.timezones() | st.builds(timezone, st.timedeltas(-DAY, DAY))))
def test_a_time_is_kept_as_it_was_said_or_refused(at: datetime) -> None:
    try:
        at_ns = utc_ns(at.isoformat())
    except BadInput:
        assert not 1971 <= at.year <= 2261
        return
    assert 0 < at_ns < 2**63
    assert utc_text(at_ns) == at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
