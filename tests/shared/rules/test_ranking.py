"""Ranking: tables for every method and rule, and comparison with a brute-force model."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.rules.ranking import RaceRules, RunLap, Scored, best_of, check_rules, rank, rules_from, score_run

S = 1_000_000_000


def laps(*seconds: float, **marks: dict[int, object]) -> list[RunLap]:
    made = []
    for number, s in enumerate(seconds, 1):
        extra = {name: values[number] for name, values in marks.items() if number in values}
        made.append(RunLap(number, round(s * S), number * 20 * S, **extra))  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(
    ("rules", "run", "score"),
    [
        (RaceRules(), laps(10, 11, 12), (11_000, 1, 3)),
        (RaceRules(), laps(10, 11), None),
        (RaceRules(), laps(30, 10, 11, 12), (11_000, 2, 4)),
        (RaceRules(), laps(10, 10, 9, valid={2: False}), None),
        (RaceRules(), laps(10, 11, 1.5, 12, 13), None),  # below the minimum lap
        (RaceRules(max_laps=3), laps(30, 10, 11, 12), (17_000, 1, 3)),
        (RaceRules(consecutive_laps=1), laps(12, 10, 11), (10_000, 2, 2)),
        (RaceRules(method="best_lap", consecutive_laps=1), laps(12, 10, 11), (10_000, 2, 2)),
        (RaceRules(method="best_lap"), laps(12, 10, 11), (10_000, 2, 2)),
        (RaceRules(method="best_lap"), laps(12, 10), None),
        (RaceRules(method="total_time"), laps(12, 10, 11), (33_000, 1, 3)),
        (RaceRules(off_track_penalty_s=3), laps(10, 10, 10, off_tracks={2: 2}), (12_000, 1, 3)),
        (RaceRules(collision_penalty_s=5), laps(10, 10, 10, collisions={1: 1}), (11_666, 1, 3)),
        (RaceRules(max_resets_per_lap=1), laps(10, 10, 10, resets={2: 2}), None),
        (RaceRules(max_resets_per_lap=2), laps(10, 10, 10, resets={2: 2}), (10_000, 1, 3)),
        (RaceRules(), laps(10, 10, 10, penalty_ns={3: 3 * S}), (11_000, 1, 3)),
    ],
)
def test_a_run_scores_by_its_rules(rules: RaceRules, run: list[RunLap], score: tuple[int, int, int] | None) -> None:
    got = score_run(run, rules)
    assert (got and (got.score_ms, got.first_lap, got.last_lap)) == score


def test_the_sum_is_truncated_once_and_at_the_end() -> None:
    third = 10_000_999_999
    run = [RunLap(n, third, n) for n in (1, 2, 3)]
    total = score_run(run, RaceRules(method="total_time"))
    assert total is not None
    assert total.score_ms == 30_002


def test_a_missing_lap_number_breaks_the_row() -> None:
    run = [RunLap(n, 10 * S, n) for n in (1, 2, 4)]
    assert score_run(run, RaceRules()) is None


def test_of_equal_windows_the_earlier_set_the_score() -> None:
    got = score_run(laps(10, 10, 10, 10, 10), RaceRules())
    assert got is not None
    assert (got.first_lap, got.set_ns) == (1, 60 * S)


_LAPS = st.lists(
    st.tuples(st.integers(1, 20_000_000_000), st.booleans(), st.integers(0, 3), st.integers(0, 2)), max_size=12
).map(lambda rows: [RunLap(n, t, n, o, 0, r, 0, v) for n, (t, v, o, r) in enumerate(rows, 1)])


@given(_LAPS, st.integers(1, 5), st.sampled_from(["average", "total_time", "best_lap"]))
def test_the_score_is_the_best_of_all_windows(run: list[RunLap], size: int, method: str) -> None:
    rules = RaceRules(method=method, consecutive_laps=size, off_track_penalty_s=2, max_resets_per_lap=1)  # type: ignore[arg-type]
    candidates = []
    for start in range(len(run)):
        part = run[start : start + size]
        if len(part) == size and all(lap.valid and lap.resets <= 1 and lap.lap_ns >= 2 * S for lap in part):
            times = [lap.lap_ns + lap.off_tracks * 2 * S for lap in part]
            value = {"average": sum(times) // size, "total_time": sum(times), "best_lap": min(times)}[method]
            candidates.append(value // 1_000_000)
    got = score_run(run, rules)
    assert (got.score_ms if got else None) == (min(candidates) if candidates else None)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 50), st.integers(0, 9))), st.integers(0, 3))
def test_a_standing_is_a_total_order(rows: list[tuple[str, int, int]], margin: int) -> None:
    best = best_of(Scored(*row) for row in rows)
    placed = rank(best, margin)
    assert [p.rank for p in placed] == list(range(1, len({r[0] for r in rows}) + 1))
    for ahead, behind in itertools.pairwise(placed):
        assert behind.score_ms - ahead.score_ms == behind.interval_ms >= 0
        assert (behind.interval_ms <= margin) <= (ahead.tied and behind.tied)
    assert placed == rank(reversed(best), margin)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), st.integers(0, 6_000_000)), max_size=12))
def test_tied_are_those_that_their_uncertainties_cannot_tell_apart(rows: list[tuple[int, int, int]]) -> None:
    """Compared with a check of every pair; the order is that of the scores, whoever is tied."""
    scored = [Scored(f"r{number}", *row) for number, row in enumerate(rows)]
    placed = rank(scored)
    assert [p.score_ms for p in placed] == sorted(row[0] for row in rows)
    for line in placed:
        others = [p for p in placed if p is not line]
        close = [abs(o.score_ms - line.score_ms) * 1_000_000 <= o.uncertainty_ns + line.uncertainty_ns for o in others]
        assert line.tied == any(close)


def test_one_lap_counted_by_hand_ties_nobody_else() -> None:
    us = 1_000
    lines = [
        ("gate-1", 9_000, 4 * us),
        ("gate-2", 9_020, 4 * us),
        ("gate-3", 9_500, 4 * us),
        ("hand", 9_550, 100_000 * us),
    ]
    placed = rank([Scored(racer, score_ms, 0, uncertainty_ns) for racer, score_ms, uncertainty_ns in lines])
    assert [p.racer for p in placed if p.tied] == ["gate-3", "hand"]


def test_equal_scores_rank_by_who_set_them_first() -> None:
    placed = rank([Scored("late", 100, 9), Scored("early", 100, 3), Scored("slow", 200, 1)])
    assert [(p.racer, p.gap_ms, p.tied) for p in placed] == [
        ("early", 0, True),
        ("late", 0, True),
        ("slow", 100, False),
    ]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"consecutive_laps": 0}, "`consecutive_laps` is 0; allowed is 1 to 10"),
        ({"consecutive_laps": 11}, "allowed is 1 to 10"),
        ({"method": "fastest"}, "allowed are average, best_lap, total_time"),
        ({"max_laps": 2}, "no run could qualify"),
        ({"laps": 3}, "unknown rule `laps`"),
        ({"min_lap_s": 0.0}, "`min_lap_s`"),
    ],
)
def test_a_wrong_rule_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        rules_from(values)


def test_rules_as_real_leagues_used_them_are_allowed() -> None:
    for method, consecutive, laps in (("total_time", 3, 3), ("best_lap", 1, 15), ("average", 1, 5), ("average", 3, 5)):
        check_rules(RaceRules(method, consecutive, laps))  # type: ignore[arg-type]
