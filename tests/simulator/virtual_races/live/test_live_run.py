"""A LIVE run by the time that it is told: laps, sectors, resets, the multiplier; in a child too, and how it fails."""

import dataclasses
from pathlib import Path

import pytest

from shared.conditions import Conditions, DrivenRules
from shared.errors import BadInput
from shared.rules.ranking import score_run
from simulator.driving.policy import find_model
from simulator.virtual_races.entrant import RacingModel
from simulator.virtual_races.live.child import IsolatedLiveRun, LiveJob
from simulator.virtual_races.live.live_run import LiveRun, live_conditions
from simulator.virtual_races.live.sector_times import SHOWN_NS, SectorTimes
from tests.simulator.virtual_races.test_evaluation import Blind
from vehicle.models.run_isolated import ChildFailed

S = 1_000_000_000
RULES = DrivenRules(consecutive_laps=1, off_track_penalty_ns=2 * S)
CONDITIONS = Conditions(rules=RULES, profile="physical")
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


def test_a_live_run_is_driven_to_its_time_with_laps_sectors_and_the_multiplier() -> None:
    model = RacingModel(DEMO, "physical")
    run = LiveRun(CONDITIONS, 1, model, 60_000)
    early = run.advance(S // 20, 100)
    assert (early.run_ms, early.lap, early.lap_ms, early.sectors) == (0, 1, None, (None, None, None))
    pictures = [run.advance(tick * S // 5, 100) for tick in range(1, 90)]
    assert [each.run_ms for each in pictures[:3]] == [200, 400, 600]
    assert pictures[-1].lap == 2
    assert pictures[-1].last_lap_ms == pictures[-1].best_lap_ms
    finished = next(each for each in pictures if None not in each.sectors)
    assert sum(each or 0 for each in finished.sectors) == pytest.approx(finished.last_lap_ms, abs=3)
    assert sorted({each.track_share for each in pictures})[-1] > 0.9
    driven = run.finish()
    assert [lap.lap_ns // 1_000_000 for lap in driven.laps] == [pictures[-1].last_lap_ms]
    assert score_run(driven.laps, RULES.race_rules()) is not None
    slow, fast = (LiveRun(CONDITIONS, 1, Blind(0.0, 2.0), 60_000) for _ in range(2))
    speeds = [slow.advance(S // 2, 50).speed_mps, fast.advance(S // 2, 150).speed_mps]
    assert speeds[1] > 1.5 * speeds[0] > 0
    slow.advance(S + S // 10, 120)  # it may change at any time
    wishes = [each.finish().trace.frames.speed_mm_s for each in (slow, fast)]
    assert [wished[0] for wished in wishes] == [1000, 3000]
    assert wishes[0][-1] == 2400


def test_resets_are_counted_and_their_penalties_served_and_the_time_ends_the_run() -> None:
    run = LiveRun(CONDITIONS, 1, Blind(30.0, 2.0), 12_000)
    pictures = [run.advance(tick * S // 5, 100) for tick in range(1, 70)]
    assert pictures[-1].over
    assert (pictures[-1].run_ms, pictures[-1].lap_ms) == (12_000, None)
    assert 2 <= pictures[-1].resets <= 6  # each takes two seconds
    first = next(at for at, each in enumerate(pictures) if each.resets)
    assert {each.speed_mps for each in pictures[first : first + 9]} == {0.0}
    driven = run.finish()
    assert (driven.end, driven.resets) == ("time", pictures[-1].resets)
    rules = dataclasses.replace(RULES, max_laps=2)
    assert live_conditions(dataclasses.replace(CONDITIONS, rules=rules), 60_000).laps == 2


def test_a_strangers_model_drives_in_a_child_as_it_does_here() -> None:
    here = LiveRun(CONDITIONS, 3, RacingModel(DEMO, "physical"), 60_000)
    child = IsolatedLiveRun(LiveJob(str(DEMO), CONDITIONS, 3, 60_000))
    for run_ns, percent in ((S, 100), (2 * S, 80), (3 * S, 150)):
        assert child.advance(run_ns, percent) == here.advance(run_ns, percent)
    report = child.finish()
    assert report.run.read_trace() == here.finish().trace
    assert report.cost_s > 0


def test_a_child_that_is_refused_or_killed_says_so_and_is_gone(tmp_path: Path) -> None:
    (tmp_path / "none.tar.gz").write_bytes(b"no archive at all")
    with pytest.raises(BadInput) as refused:
        IsolatedLiveRun(LiveJob(str(tmp_path / "none.tar.gz"), CONDITIONS, 3, 60_000))
    assert not isinstance(refused.value, ChildFailed)
    child = IsolatedLiveRun(LiveJob(str(DEMO), CONDITIONS, 3, 60_000))
    child._child.kill()
    with pytest.raises(ChildFailed, match="ended by SIGKILL"):
        child.advance(S, 100)
    child.close()
