"""A LIVE run by the time that it is told: laps, sectors, resets, multipliers, two in one world; in a child too."""

import dataclasses
import math
import os
import signal
from pathlib import Path

import pytest

from shared.conditions import Conditions, DrivenRules
from shared.errors import BadInput
from shared.rules.head_to_head import Reason
from shared.rules.ranking import score_run
from simulator.batch import compiled
from simulator.driving.policy import find_model
from simulator.virtual_races.entrant import Chosen, Picture, RacingModel
from simulator.virtual_races.evaluation import evaluate_heats
from simulator.virtual_races.live.child import IsolatedLiveRun, LiveJob
from simulator.virtual_races.live.live_run import MAX_RESETS, LiveRun, live_conditions
from simulator.virtual_races.live.sector_times import SHOWN_NS, SectorTimes
from simulator.virtual_races.warm_up import warm_up
from tests.simulator.virtual_races.test_evaluation import Blind
from vehicle.models.run_isolated import ChildFailed

S = 1_000_000_000
RULES = DrivenRules(consecutive_laps=1, off_track_penalty_ns=2 * S)
CONDITIONS = Conditions(rules=RULES, profile="physical")
HEAT = dataclasses.replace(CONDITIONS, race_type="head_to_head", laps=1)
DEMO = find_model("demo").parent


def test_sectors_are_told_while_they_are_driven_and_the_last_one_for_a_moment_longer() -> None:
    sectors = SectorTimes()
    sectors.pass_gate(1, S)  # before the first lap: it began behind this gate
    assert sectors.told_ms(2 * S) == (None, None, None)
    sectors.pass_line(2 * S)
    sectors.pass_gate(1, 5 * S)
    sectors.pass_gate(1, 6 * S)  # again, put back before it
    assert sectors.told_ms(6 * S) == (3000, None, None)
    sectors.pass_gate(2, 9 * S)
    sectors.pass_line(14 * S)
    assert sectors.told_ms(14 * S) == (3000, 4000, 5000)
    assert sectors.told_ms(14 * S + SHOWN_NS) == (None, None, None)


@pytest.fixture(scope="module")
def demo() -> RacingModel:
    return RacingModel(DEMO, "physical")


def test_a_live_run_is_driven_to_its_time_with_laps_sectors_and_the_multiplier(demo: RacingModel) -> None:
    run = LiveRun(CONDITIONS, 1, (demo,), 60_000)
    early = run.advance(S // 20, (100,))
    assert (early.run_ms, early.over, early.ahead_m) == (0, False, None)
    assert (early.cars[0].lap, early.cars[0].lap_ms, early.cars[0].sectors) == (1, None, (None, None, None))
    pictures = [run.advance(tick * S // 5, (100,)) for tick in range(1, 90)]
    assert [each.run_ms for each in pictures[:3]] == [200, 400, 600]
    shown = [car for each in pictures for car in each.cars]
    assert shown[-1].lap == 2
    assert shown[-1].last_lap_ms == shown[-1].best_lap_ms
    finished = next(each for each in shown if None not in each.sectors)
    assert sum(each or 0 for each in finished.sectors) == pytest.approx(finished.last_lap_ms, abs=3)
    assert sorted({each.track_share for each in shown})[-1] > 0.9
    driven = run.finish()
    assert driven.verdict is None
    assert [lap.lap_ns // 1_000_000 for lap in driven.runs[0].laps] == [shown[-1].last_lap_ms]
    assert score_run(driven.runs[0].laps, RULES.race_rules()) is not None
    slow, fast = (LiveRun(CONDITIONS, 1, (Blind(0.0, 2.0),), 60_000) for _ in range(2))
    speeds = [slow.advance(S // 2, (50,)).cars[0].speed_mps, fast.advance(S // 2, (150,)).cars[0].speed_mps]
    assert speeds[1] > 1.5 * speeds[0] > 0
    slow.advance(S + S // 10, (120,))  # it may change at any time
    wishes = [each.finish().runs[0].trace.frames.speed_mm_s for each in (slow, fast)]
    assert [wished[0] for wished in wishes] == [1000, 3000]
    assert wishes[0][-1] == 2400


def test_resets_are_counted_and_their_penalties_served_and_the_time_ends_the_run() -> None:
    run = LiveRun(CONDITIONS, 1, (Blind(30.0, 2.0),), 12_000)
    pictures = [run.advance(tick * S // 5, (100,)) for tick in range(1, 70)]
    shown = [car for each in pictures for car in each.cars]
    assert pictures[-1].over
    assert (pictures[-1].run_ms, shown[-1].lap_ms, shown[-1].through) == (12_000, None, False)
    assert 2 <= shown[-1].resets <= 6  # each takes two seconds
    first = next(at for at, each in enumerate(shown) if each.resets)
    assert {each.speed_mps for each in shown[first : first + 9]} == {0.0}
    (driven,) = run.finish().runs
    assert (driven.end, driven.resets) == ("time", shown[-1].resets)


@pytest.mark.parametrize(
    ("laps", "max_laps", "alone", "of_two"), [(3, None, 50, 3), (3, 2, 2, 2), (1, 2, 2, 1), (3, 60, 50, 3)]
)
def test_alone_the_rules_end_a_run_and_two_drive_the_laps_of_the_race(
    laps: int, max_laps: int | None, alone: int, of_two: int
) -> None:
    conditions = dataclasses.replace(CONDITIONS, laps=laps, rules=dataclasses.replace(RULES, max_laps=max_laps))
    assert live_conditions(conditions, 60_000).laps == alone
    assert live_conditions(conditions, 60_000, 2).laps == of_two


def test_two_drive_live_as_they_are_evaluated_and_the_audience_sees_where_each_is(
    demo: RacingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = Blind(30.0, 1.0)  # turns off the road again and again
    conditions = dataclasses.replace(HEAT, resets=MAX_RESETS, run_limit_ms=20_000)
    (heat,) = evaluate_heats(conditions, (1,), (demo, off))
    monkeypatch.setattr(compiled, "_called", set())
    warm_up((HEAT,))
    loaded = set(compiled._called)
    run = LiveRun(HEAT, 1, (demo, off), 20_000)
    pictures = [run.advance(tick * S // 5, (100, 100)) for tick in range(101)]
    driven = run.finish()
    assert (driven.runs, driven.verdict) == (heat.runs, heat.verdict)
    assert loaded == compiled._called  # nothing else was loaded while they drove
    assert (heat.verdict.winner, heat.verdict.reason, heat.verdict.by_s) == (0, Reason.FIRST_TO_FINISH, None)
    assert pictures[0].ahead_m == pytest.approx(1.0, abs=0.05)  # the first starts in front

    length_m = heat.runs[0].trace.length_mm / 1000
    goes = next(at for at, each in enumerate(pictures) if each.cars[0].through)
    for tick in range(0, goes, 10):  # frame 3 of 15 is a fifth of a second
        along_m = [each.trace.frames.along_mm[3 * tick] / 1000 for each in heat.runs]
        beyond_m = (pictures[tick].ahead_m or 0.0) - (along_m[0] - along_m[1])
        assert math.remainder(beyond_m, length_m) == pytest.approx(0.0, abs=1.01)  # put back at most
    assert not any(each.over for each in pictures[:-1])
    assert pictures[-1].over
    through = {each.cars[0] for each in pictures[goes:]}
    assert len({(each.track_share, each.speed_mps, each.lap_ms) for each in through}) == 1
    (last_mm, gone) = heat.runs[0].trace.frames.along_mm[-1], through.pop()
    assert (gone.track_share, gone.lap, gone.lap_ms) == (pytest.approx(last_mm / 1000 / length_m, abs=1e-4), 1, None)
    others = [each.cars[1] for each in pictures[goes:]]
    assert {0.0} < {each.speed_mps for each in others}  # stands for its penalties, and drives on
    assert (others[-1].through, others[-1].resets) == (False, heat.runs[1].resets)
    reached_m = pictures[-1].ahead_m
    assert reached_m is not None
    assert math.remainder(reached_m + others[-1].track_share * length_m, length_m) == pytest.approx(0.0, abs=0.01)


def test_each_of_two_has_a_multiplier_and_once_both_are_through_it_is_over(demo: RacingModel) -> None:
    run, tick = LiveRun(HEAT, 1, (demo, demo), 60_000), 0
    picture = run.advance(0, (100, 80))
    while not picture.over and tick < 300:
        tick += 1
        picture = run.advance(tick * S // 5, (100, 80))
    assert ([car.through for car in picture.cars], picture.ahead_m) == ([True, True], 0.0)
    assert picture.run_ms < 60_000
    driven = run.finish()
    assert [each.end for each in driven.runs] == ["laps", "laps"]
    assert driven.verdict is not None
    assert (driven.verdict.winner, driven.verdict.reason) == (0, Reason.FIRST_TO_FINISH)
    assert (driven.verdict.by_s or 0.0) > 1.0
    wished = [max(each.trace.frames.speed_mm_s) for each in driven.runs]
    assert wished[1] == pytest.approx(0.8 * wished[0], abs=1)


@pytest.mark.parametrize(("first_mps", "second_mps", "winner"), [(1.0, 1.0, 0), (0.2, 2.0, 1)])
def test_a_heat_that_an_official_ends_goes_to_who_is_farther(first_mps: float, second_mps: float, winner: int) -> None:
    run = LiveRun(HEAT, 1, (Blind(0.0, first_mps), Blind(4.5, second_mps)), 60_000)
    ahead_m = run.advance(S + S // 5, (100, 100)).ahead_m
    driven = run.finish()
    assert [(each.end, each.resets) for each in driven.runs] == [("time", 0)] * 2
    assert ahead_m is not None
    assert (ahead_m < 0) == (winner == 1)
    assert driven.verdict is not None
    assert (driven.verdict.winner, driven.verdict.reason) == (winner, Reason.FARTHER)
    assert driven.verdict.by_m == pytest.approx(abs(ahead_m), abs=0.05)  # the judge takes both starts as told


class Mute(Blind):
    """Has no answer."""

    def choose(self, picture: Picture) -> Chosen:
        raise BadInput("The model answered no number.")


@pytest.mark.parametrize("side", [0, 1])
def test_it_is_known_whose_model_has_no_answer(side: int) -> None:
    models: list[Blind] = [Blind(0.0, 1.0), Blind(0.0, 1.0)]
    asked: list[int | None] = []
    run = LiveRun(HEAT, 1, (models[0], models[1]), 60_000, asked.append)
    run.advance(S // 10, (100, 100))
    assert asked == [0, None, 1, None]
    models[side] = Mute(0.0, 1.0)
    asked.clear()
    with pytest.raises(BadInput, match="no number"):
        LiveRun(HEAT, 1, (models[0], models[1]), 60_000, asked.append).advance(S // 10, (100, 100))
    assert asked[-1] == side


@pytest.mark.parametrize(("rival", "percents"), [("", (100,)), (str(DEMO), (100, 80))])
def test_strangers_models_drive_in_a_child_as_they_do_here(
    demo: RacingModel, rival: str, percents: tuple[int, ...]
) -> None:
    here = LiveRun(HEAT, 3, (demo,) * len(percents), 60_000)
    child = IsolatedLiveRun(LiveJob(str(DEMO), HEAT, 3, 60_000, rival=rival, racers=("leo", "kenji")))
    for run_ns, percent in ((S, 100), (2 * S, 90), (3 * S, 150)):
        assert child.advance(run_ns, (percent, *percents[1:])) == here.advance(run_ns, (percent, *percents[1:]))
    report, driven = child.finish(), here.finish()
    assert [each.read_trace() for each in report.runs] == [each.trace for each in driven.runs]
    assert report.verdict == driven.verdict
    assert report.cost_s > 0


@pytest.mark.parametrize(
    ("models", "racers", "words"),
    [(("none",), (), "none.tar.gz"), (("", "none"), ("leo", "kenji"), "The model of kenji: ")],
)
def test_a_child_that_is_refused_says_whose_model_it_is(
    tmp_path: Path, models: tuple[str, ...], racers: tuple[str, ...], words: str
) -> None:
    (tmp_path / "none.tar.gz").write_bytes(b"no archive at all")
    paths = [str(tmp_path / "none.tar.gz") if each else str(DEMO) for each in models]
    with pytest.raises(BadInput, match=words) as refused:
        IsolatedLiveRun(LiveJob(paths[0], HEAT, 3, 60_000, rival="".join(paths[1:]), racers=racers))
    assert not isinstance(refused.value, ChildFailed)


def test_a_child_that_hangs_or_is_killed_says_so_with_whose_model_it_asked_and_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = IsolatedLiveRun(LiveJob(str(DEMO), HEAT, 3, 60_000, rival=str(DEMO), racers=("leo", "kenji")))
    os.pwrite(child._mark.fileno(), b"\1", 0)  # as the child does before it asks the second
    child._child.send_signal(signal.SIGSTOP)
    with monkeypatch.context() as impatient:
        impatient.setattr("simulator.virtual_races.live.child.ANSWER_S", 0.01)
        with pytest.raises(ChildFailed, match=r"The model of kenji: .* took longer"):
            child.advance(S, (100, 100))
    child._child.kill()
    with pytest.raises(ChildFailed, match=r"The model of kenji: .* ended by SIGKILL"):
        child.advance(S, (100, 100))
    child.close()
