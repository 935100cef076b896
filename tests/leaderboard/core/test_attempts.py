"""How attempts stand: quotas by race and by day, what was given back, rulings, and why a run made no score."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core import acceptance
from leaderboard.core.attempts import (
    AttemptQuota,
    AttemptsLeft,
    check_submission,
    day_of,
    left,
    quota_of,
    settle,
    why_unqualified,
)
from leaderboard.core.rank import Attempt, line_of
from shared.errors import Refused
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules, RunLap
from tests.leaderboard.sample_races import laps, race, result

HOUR_NS = 3600 * 10**9


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def attempt(number: int, at_ns: int, score_ms: int | None = 9000, **changes: object) -> Attempt:
    one = Attempt(number, number, f"r{number}", 1, "anna", score_ms, at_ns)
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def states(attempts: Sequence[Attempt], quota: AttemptQuota) -> list[tuple[str, str, str]]:
    return [(each.result_id, each.state, each.reason) for each in settle(attempts, quota)]


def test_the_race_s_quota_counts_by_the_end_of_the_run_and_not_by_arrival() -> None:
    late = attempt(1, 30)
    assert states([late, attempt(2, 10), attempt(3, 20)], AttemptQuota(2)) == [
        ("r2", "ranked", ""),
        ("r3", "ranked", ""),
        ("r1", "refused", "beyond the 2 attempts of this race"),
    ]


def test_what_uses_up_an_attempt_and_what_does_not() -> None:
    unqualified = attempt(1, 10, None, verdict="unqualified", verdict_reason="2 of 3 laps in a row")
    taken_out = attempt(2, 20, None, discarded=True)
    withdrawn = attempt(3, 30, None)
    ruled_out = attempt(4, 40, disqualified_for="wrong car")
    last = attempt(5, 50)
    assert states([unqualified, taken_out, withdrawn, ruled_out, last], AttemptQuota(3)) == [
        ("r1", "unqualified", "2 of 3 laps in a row"),
        ("r2", "withdrawn", "taken out by the officials at the track"),
        ("r3", "withdrawn", ""),
        ("r4", "disqualified", "wrong car"),
        ("r5", "refused", "beyond the 3 attempts of this race"),
    ]


def test_a_day_is_one_of_the_race_s_zone() -> None:
    # 23:30 and 00:30 in Auckland (UTC+13 in January) are one day in London and two there.
    evening, night = ns("2026-01-10T10:30:00"), ns("2026-01-10T11:30:00")
    assert [day_of(at, "Pacific/Auckland") for at in (evening, night)] == ["2026-01-10", "2026-01-11"]
    runs = [attempt(1, evening), attempt(2, night)]
    reason = "beyond the 1 attempt of 2026-01-10"
    assert states(runs, AttemptQuota(per_day=1, zone="Europe/London"))[1] == ("r2", "refused", reason)
    assert states(runs, AttemptQuota(per_day=1, zone="Pacific/Auckland"))[1] == ("r2", "ranked", "")


def test_a_run_beyond_its_day_does_not_use_up_the_race() -> None:
    day = 24 * HOUR_NS
    runs = [attempt(1, 0), attempt(2, HOUR_NS), attempt(3, day), attempt(4, 2 * day)]
    quota = AttemptQuota(per_racer=2, per_day=1)
    assert [state for _, state, _ in states(runs, quota)] == ["ranked", "refused", "ranked", "refused"]
    back = dataclasses.replace(quota, given_back={"1970-01-01": 1})
    assert [state for _, state, _ in states(runs, back)] == ["ranked", "ranked", "ranked", "refused"]


def test_what_is_left() -> None:
    quota = AttemptQuota(per_racer=3, per_day=2)
    assert left([], quota, 0) == AttemptsLeft(3, 2)
    runs = [attempt(1, 0), attempt(2, 1), attempt(3, 2), attempt(4, 3, None, discarded=True)]
    assert left(runs, quota, HOUR_NS) == AttemptsLeft(1, 0)
    assert left(runs, quota, 24 * HOUR_NS) == AttemptsLeft(1, 2)
    assert left(runs, AttemptQuota(), 0) == AttemptsLeft(None, None)


@pytest.mark.parametrize(
    ("remaining", "in_work", "sentence"),
    [
        (AttemptsLeft(None, None), 1, "1 submission of yours is in work"),
        (AttemptsLeft(0, None), 0, "no attempts left in this race\\."),
        (AttemptsLeft(5, 0), 0, "no attempts left in this race today"),
    ],
)
def test_a_submission_without_room_is_refused(remaining: AttemptsLeft, in_work: int, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_submission(race(in_work_per_racer=1), remaining, in_work)
    with pytest.raises(Refused, match="no attempts left"):  # what is in work will be an attempt too
        check_submission(race(), AttemptsLeft(2, None), 2)
    check_submission(race(), AttemptsLeft(2, 1), 0)


@pytest.mark.parametrize(
    ("times_ms", "rules", "why"),
    [
        ((), RaceRules(), "no lap"),
        ((9000, 9000), RaceRules(), "2 of 3 laps in a row"),
        ((9000, 900, 9000), RaceRules(), "1 of 3 laps in a row"),
        ((900,), RaceRules(), "no lap that counts"),
        ((900,), RaceRules(consecutive_laps=1), "no lap that counts"),
        ((9000, 9000, 900, 9000, 9000), RaceRules(max_laps=4), "2 of 3 laps in a row"),
    ],
)
def test_why_a_run_made_no_score(times_ms: Sequence[int], rules: RaceRules, why: str) -> None:
    assert why_unqualified(laps(times_ms), rules) == why


VOID = (RunLap(1, 9_000_000_000, 1), RunLap(2, 9_000_000_000, 2, valid=False), RunLap(3, 9_000_000_000, 3))


@pytest.mark.parametrize(
    ("posted", "known", "stands"),
    [
        (result(times_ms=(9000, 9000), qualified=False, v=2), False, ("unqualified", "2 of 3 laps in a row")),
        (result(laps=VOID, qualified=False, v=2), False, ("unqualified", "1 of 3 laps in a row")),
        (result(score_ms=0, qualified=False, disqualified=True), False, ("disqualified", "disqualified at the track")),
        (result(score_ms=0, revision=2), True, ("withdrawn", "withdrawn by a correction")),
        (result(score_ms=0, revision=2, qualified=False), True, ("withdrawn", "withdrawn by a correction")),
        (result(times_ms=(9000,), revision=2, qualified=False), True, ("unqualified", "1 of 3 laps in a row")),
        (result(), False, ("ranked", "")),
    ],
)
def test_how_a_post_stands_by_itself(posted: Result, known: bool, stands: tuple[str, str]) -> None:
    acceptance.check_result(posted)
    verdict = acceptance.accept(race(), posted, entered=False, known=known)
    assert (verdict.state, str(verdict.reason)) == stands
    assert (verdict.score_ms is None) == (verdict.state != "ranked")


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        (result(score_ms=0, qualified=False), "posted as not qualified, its laps make 9100 ms"),
        (result(qualified=False), "its `score_ms` is 9100: it must be 0"),
        (result(score_ms=0, disqualified=True), "send `qualified` false with it"),
    ],
)
def test_what_contradicts_itself_is_refused(posted: Result, sentence: str) -> None:
    def accept() -> None:
        acceptance.check_result(posted)
        acceptance.accept(race(), posted, entered=False, known=False)

    with pytest.raises(Refused, match=sentence):
        accept()


@pytest.mark.parametrize(
    ("named", "sentence"), [("", "names no conditions"), ("cd" * 32, r"driven in another world \(cdcdcdcdcdcd\)")]
)
def test_a_virtual_result_needs_the_conditions_of_the_race(named: str, sentence: str) -> None:
    mixed = race(venue="any", conditions_sha256="ab" * 32)

    def accept(kind: str, conditions: str) -> str:
        posted = result(kind=kind)
        evidence = dataclasses.replace(posted.evidence, conditions_sha256=conditions)
        posted = dataclasses.replace(posted, evidence=evidence)
        return acceptance.accept(mixed, posted, entered=False, known=False).state

    with pytest.raises(Refused, match=f"{sentence}.*race 'cup' is driven in the virtual world abababababab"):
        accept("virtual", named)
    assert accept("virtual", "ab" * 32) == accept("physical", named) == "ranked"


RUNS = st.lists(
    st.tuples(
        st.integers(0, 3 * 24),  # hours
        st.sampled_from(["ranked", "unqualified", "withdrawn"]),
        st.booleans(),  # taken out
        st.booleans(),  # disqualified
    ),
    max_size=7,
)


@settings(deadline=None, max_examples=60)
@given(RUNS, st.none() | st.integers(1, 3), st.none() | st.integers(1, 2), st.integers(0, 2), st.randoms())
def test_the_order_of_arrival_never_matters(
    drawn: list[tuple[int, str, bool, bool]], per_racer: int | None, per_day: int | None, back: int, rng: object
) -> None:
    runs = [
        attempt(
            number,
            hours * HOUR_NS + number,
            9000 + number if verdict == "ranked" else None,
            verdict=verdict,
            discarded=out,
            disqualified_for="why" if ruled else None,
        )
        for number, (hours, verdict, out, ruled) in enumerate(drawn)
    ]
    quota = quota_of(
        race(rules=RaceRules(attempts_per_racer=per_racer), attempts_per_day=per_day, zone="Europe/Berlin"),
        {"1970-01-02": back},
    )
    settled = settle(runs, quota)
    shuffled = list(runs)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(shuffled, quota) == settled
    assert settle(settled, quota) == settled, "working it out again changes nothing"
    counting = [each for each in settled if not each.discarded and each.state != "refused"]
    assert per_racer is None or len(counting) <= per_racer + back
    line = line_of(settled)
    best = [each.score_ms or 0 for each in settled if each.state == "ranked"]
    assert (line.score_ms if line else None) == min(best, default=None)
