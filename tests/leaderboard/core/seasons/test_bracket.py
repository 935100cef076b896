"""Brackets: seeding, byes, third place, re-runs, double elimination."""

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.errors import Conflict
from leaderboard.core.seasons.bracket import (
    BracketSettings,
    HeatNow,
    HeatResult,
    check_bracket,
    check_rerun,
    check_result,
    heats_now,
    plan,
    podium,
    seed_order,
)
from shared.errors import Refused


def racers(many: int) -> list[str]:
    return [f"r{number}" for number in range(1, many + 1)]


def run(settings_: BracketSettings, seeds: list[str], upsets: Collection[int] = ()) -> list[HeatNow]:
    """Run every heat: the better seed wins, but in the heats of `upsets`."""
    results: dict[int, HeatResult] = {}
    for _ in range(200):
        heats = heats_now(settings_, seeds, results)
        ready = [heat for heat in heats if heat.state == "ready"]
        if not ready:
            return heats
        for heat in ready:
            assert heat.first
            assert heat.second
            first_wins = (seeds.index(heat.first) < seeds.index(heat.second)) != (heat.plan.number in upsets)
            result = HeatResult(heat.first if first_wins else heat.second)
            check_result(heats, heat.plan.number, result)
            results[heat.plan.number] = result
    raise AssertionError("the bracket does not end")


def test_the_best_seeds_meet_as_late_as_can_be() -> None:
    assert seed_order(8) == [1, 8, 4, 5, 2, 7, 3, 6]
    assert sorted(seed_order(64)) == list(range(1, 65))
    assert all(seed_order(32)[at] + seed_order(32)[at + 1] == 33 for at in range(0, 32, 2))


@pytest.mark.parametrize(("size", "heats"), [(8, 8), (16, 16), (32, 32), (64, 64)])
def test_a_full_bracket_has_a_heat_less_than_racers_and_one_for_the_third_place(size: int, heats: int) -> None:
    assert len(plan(BracketSettings(size))) == heats
    assert len(plan(BracketSettings(size, third=False))) == heats - 1
    assert podium(run(BracketSettings(size), racers(size))) == ("r1", "r2", "r3")


def test_the_best_seeds_have_the_byes() -> None:
    heats = heats_now(BracketSettings(8), racers(5), {})
    assert [heat.winner for heat in heats[:4] if heat.state == "bye"] == ["r1", "r2", "r3"]
    assert [(heat.plan.number, heat.first, heat.second) for heat in heats if heat.state == "ready"] == [
        (2, "r4", "r5"),
        (6, "r2", "r3"),
    ]
    assert podium(run(BracketSettings(8), racers(3))) == ("r1", "r2", "r3")


@pytest.mark.parametrize(
    ("settings_", "many", "sentence"),
    [
        (BracketSettings(8, byes=False), 3, "A bracket of 3 with no byes is not possible: seed 8 racers, or allow"),
        (BracketSettings(8), 2, "seed at least 3"),
        (BracketSettings(8), 9, "9 racers are more than the 8 places"),
        (BracketSettings(12), 12, "choose 8, 16, 32, 64"),
        (BracketSettings(8, "triple"), 8, "choose single or double"),  # type: ignore[arg-type]
    ],
)
def test_impossible_brackets_are_refused(settings_: BracketSettings, many: int, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_bracket(settings_, many)


@pytest.mark.parametrize(
    ("number", "result", "error", "sentence"),
    [
        (1, HeatResult("r4"), Refused, "'r4' is not in heat 1: 'r1' runs against 'r8'"),
        (2, HeatResult("r4"), Conflict, "has a result already"),
        (5, HeatResult("r1"), Refused, "its racers are not known"),
        (9, HeatResult("r1"), Refused, "has heats 1 to 8"),
        (1, HeatResult("r8", 9000, 9500), Refused, "lower wins"),
        (1, HeatResult("r1", None, 9500), Refused, "lower wins"),
        (1, HeatResult("r1", -1), Refused, "not possible"),
    ],
)
def test_results_that_cannot_be_are_refused(number: int, result: HeatResult, error: Any, sentence: str) -> None:
    heats = heats_now(BracketSettings(8), racers(8), {2: HeatResult("r5")})
    with pytest.raises(error, match=sentence):
        check_result(heats, number, result)


def test_a_bye_is_not_run() -> None:
    with pytest.raises(Refused, match="is a bye"):
        check_result(heats_now(BracketSettings(8), racers(7), {}), 1, HeatResult("r1"))


def test_a_heat_is_run_again_unless_a_later_one_depends_on_it() -> None:
    results = {1: HeatResult("r8", 9100, 9000), 2: HeatResult("r4")}
    heats = heats_now(BracketSettings(8), racers(8), results)
    assert check_rerun(heats, 1).winner == "r8"
    with pytest.raises(Refused, match="has no result"):
        check_rerun(heats, 3)
    heats = heats_now(BracketSettings(8), racers(8), results | {5: HeatResult("r8")})
    with pytest.raises(Conflict, match="Heat 5, which follows heat 1, was run"):
        check_rerun(heats, 1)


def test_a_heat_also_feeds_what_follows_its_bye() -> None:
    """The loser of heat 2 has a bye and then runs in heat 10, though heat 5, which the winner goes to, is not run."""
    double, seeds = BracketSettings(8, "double"), racers(5)
    results = {2: HeatResult("r4"), 6: HeatResult("r2")}
    before = heats_now(double, seeds, results)
    assert (before[7].state, before[9].first, before[9].second) == ("bye", "r5", "r3")
    assert check_rerun(before, 2).winner == "r4"
    with pytest.raises(Conflict, match="Heat 10, which follows heat 2"):
        check_rerun(heats_now(double, seeds, results | {10: HeatResult("r3")}), 2)


def test_who_lost_once_can_still_win_a_double_elimination() -> None:
    double = BracketSettings(8, "double")
    assert podium(run(double, racers(8))) == ("r1", "r2", "r3")
    final = next(heat.plan.number for heat in heats_now(double, racers(8), {}) if heat.plan.part == "final")
    heats = run(double, racers(8), {final})
    assert heats[-1].state == "done"  # the first defeat of the one who led makes a second final
    assert podium(heats) == ("r1", "r2", "r3")
    assert podium(run(double, racers(8), {final, final + 1})) == ("r2", "r1", "r3")


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 32), st.sampled_from(["single", "double"]), st.sets(st.integers(1, 70)))
def test_every_bracket_ends_with_a_winner_and_nobody_loses_too_often(many: int, kind: Any, upsets: set[int]) -> None:
    size = next(size for size in (8, 16, 32) if size >= many)
    heats = run(BracketSettings(size, kind), racers(many), upsets)
    places = podium(heats)
    assert len(set(places)) == 3
    lost = [heat.loser for heat in heats if heat.state == "done" and heat.plan.part != "third"]
    allowed = 1 if kind == "single" else 2
    assert all(lost.count(racer) == allowed for racer in racers(many) if racer not in places[:1])
    assert lost.count(places[0]) < allowed
