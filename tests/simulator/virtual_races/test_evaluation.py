"""A model driven by conditions and seed: the same run every time, ended by laps, resets or time, with its trace."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from shared.conditions import BotSet, BoxPlace, BoxSet, Conditions, DrivenRules
from shared.errors import BadInput
from shared.rules.head_to_head import Reason
from shared.rules.ranking import score_run
from shared.traces.encoding import decode, encode, trace_sha256
from shared.traces.field_files import metrics_json
from shared.traces.trace import STATUSES
from simulator.driving.policy import find_model
from simulator.virtual_races.entrant import CarCommands, Chosen, Picture, RacingModel
from simulator.virtual_races.evaluation import VirtualRun, evaluate_heats, evaluate_run, evaluate_runs
from vehicle.core.actions import ActionRange, ActionSpace

ONE_LAP = Conditions(laps=1, rules=DrivenRules(consecutive_laps=1), profile="physical", latency_ms=40)
SPACE = ActionSpace("continuous", angle_deg=ActionRange(-30.0, 30.0), speed_mps=ActionRange(0.5, 4.0))


class Blind:
    """Asks for the same every time, whatever it sees; writes down how the pictures look."""

    def __init__(self, angle_deg: float, speed_mps: float) -> None:
        self._chosen: Chosen = (-1, angle_deg, speed_mps)
        self._commands = CarCommands(SPACE, None)
        self.levels: list[int] = []

    def choose(self, picture: Picture) -> Chosen:
        assert picture.shape == (120, 160)
        self.levels.append(int(picture.mean()))
        return self._chosen

    def command(self, chosen: Chosen) -> tuple[float, float]:
        return self._commands.command(chosen)


class Standing(Blind):
    """Never moves."""

    def command(self, chosen: Chosen) -> tuple[float, float]:
        return 0.0, 0.0


@pytest.fixture(scope="module")
def model() -> RacingModel:
    return RacingModel(find_model("demo"), "physical")


@pytest.fixture(scope="module")
def driven(model: RacingModel) -> tuple[VirtualRun, ...]:
    return evaluate_runs(ONE_LAP, (1, 2, 3), model)


def test_the_demo_model_drives_laps_and_leaves_a_small_trace(driven: Sequence[VirtualRun]) -> None:
    for run in driven:
        assert (run.end, run.progress_ppm, len(run.laps)) == ("laps", 0, 1)
        assert run.resets == run.laps[0].resets <= 3
        assert run.trace.laps_ns == tuple(lap.lap_ns for lap in run.laps)
        assert len(encode(run.trace)) < 10_000
        assert decode(encode(run.trace)) == run.trace
        assert score_run(run.laps, ONE_LAP.rules.race_rules()) is not None
        assert len(run.trace.frames) == run.frames + 1
        steps_mm = np.hypot(*(np.diff(c) / 10 for c in (run.trace.frames.x_tenths_mm, run.trace.frames.y_tenths_mm)))
        assert sorted(steps_mm)[-1 - run.resets] < 4000 / 15
    assert len({trace_sha256(run.trace) for run in driven}) == 3


def test_a_run_is_the_same_alone_in_any_order_and_again(model: RacingModel, driven: Sequence[VirtualRun]) -> None:
    assert evaluate_runs(ONE_LAP, (3, 2), model) == (driven[2], driven[1])


def test_a_car_that_leaves_the_road_is_put_back_until_its_resets_are_used_up() -> None:
    conditions = replace(ONE_LAP, resets=2, rules=DrivenRules(consecutive_laps=1, off_track_penalty_ns=2_000_000_000))
    run = evaluate_run(conditions, 5, Blind(30.0, 2.0))
    assert (run.end, run.resets, run.laps) == ("resets", 2, ())
    kinds = [event.kind for event in run.trace.events if event.kind != "line"]
    assert kinds == ["off_track", "put_back", "off_track", "put_back", "off_track"]
    marked = [n for n, status in enumerate(run.trace.frames.status) if STATUSES[status] == "off_track"]
    assert len(marked) == 3
    assert [run.trace.frames.wheels[n] for n in marked] == [0, 0, 0]
    for before, after in pairwise(run.trace.frames.along_mm[marked[0] : marked[0] + 2]):
        assert before - after == pytest.approx(1000, abs=400)
    (trial,) = json.loads(metrics_json(run.trace))["metrics"]
    assert (trial["off_track_count"], trial["reset_count"], trial["trial"]) == (3, 3, 0)
    assert trial["completion_percentage"] < 100


def test_a_car_that_stands_is_put_back_and_time_ends_a_run() -> None:
    still = Standing(0.0, 0.0)
    run = evaluate_run(replace(ONE_LAP, run_limit_ms=10_000), 5, still)
    assert run.end == "time"
    assert run.driven_ns == 10_000_000_000
    assert {event.kind for event in run.trace.events} == {"immobilized", "put_back", "time_up"}
    assert run.resets == 9
    assert max(still.levels) > min(still.levels) >= 20


def test_the_direction_decides_which_way_the_lap_goes(model: RacingModel, driven: Sequence[VirtualRun]) -> None:
    other = evaluate_run(replace(ONE_LAP, direction="clockwise"), 1, model)
    assert (other.end, len(other.laps)) == ("laps", 1)
    assert area_m2(driven[0]) > 10
    assert area_m2(other) < -10
    assert other.trace.direction == "clockwise"


def area_m2(run: VirtualRun) -> float:
    """The area within the driven line, negative if it was driven clockwise."""
    x, y = (np.array(column) / 10_000 for column in (run.trace.frames.x_tenths_mm, run.trace.frames.y_tenths_mm))
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def test_a_car_that_hits_a_box_has_crashed_and_the_trace_tells_where_the_box_stands(model: RacingModel) -> None:
    places = (BoxPlace(1, 150_000), BoxPlace(-1, 150_000 + 40_000))
    rules = DrivenRules(consecutive_laps=1, collision_penalty_ns=5_000_000_000)
    boxes = replace(ONE_LAP, race_type="object_avoidance", objects=BoxSet(2, places), resets=1, rules=rules)
    run = evaluate_run(boxes, 5, model)
    assert len(run.trace.boxes) == 2
    assert (run.trace.boxes[0].length_mm, run.trace.boxes[0].width_mm) == (400, 300)
    first = next(event for event in run.trace.events if event.kind != "line")
    assert (first.kind, first.value_ns, run.end) == ("crashed", 5_000_000_000, "resets")
    frame = next(n for n, status in enumerate(run.trace.frames.status) if STATUSES[status] == "crashed")
    x, y = (column[frame] / 10 for column in (run.trace.frames.x_tenths_mm, run.trace.frames.y_tenths_mm))
    gaps_mm = [np.hypot(box.x_tenths_mm / 10 - x, box.y_tenths_mm / 10 - y) for box in run.trace.boxes]
    assert min(gaps_mm) < 500
    assert decode(encode(run.trace)) == run.trace
    drawn = replace(boxes, objects=BoxSet(2))
    assert evaluate_run(drawn, 5, Blind(0.0, 1.0)).trace.boxes != evaluate_run(drawn, 6, Blind(0.0, 1.0)).trace.boxes


REFUSED = [
    (replace(ONE_LAP, track="/etc/passwd.npy"), "has no track '/etc/passwd.npy': name one that ships with Raceday"),
    (replace(ONE_LAP, look="moon"), "has no track 'moon': name one that ships with Raceday"),
]


@pytest.mark.parametrize(("conditions", "words"), REFUSED)
def test_conditions_that_this_world_cannot_make_get_one_sentence(conditions: Conditions, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        evaluate_run(conditions, 1, Blind(0.0, 1.0))


COMMANDS = [
    (None, (0.0, 2.0), (0.0, 0.5)),
    (None, (30.0, 9.0), (1.0, 1.0)),
    (None, (-90.0, 0.0), (-1.0, 0.025)),
    (0.5, (15.0, 4.0), (0.5, 0.5)),
    (1.0, (0.0, 2.0), (0.0, 0.8)),
    (0.5, (0.0, 6.0), (0.0, 0.75)),  # beyond the top speed, by the multiplier of a LIVE race
]


@pytest.mark.parametrize(("throttle", "asked", "command"), COMMANDS)
def test_a_simulated_car_takes_degrees_and_speed_a_physical_one_shares(
    throttle: float | None, asked: tuple[float, float], command: tuple[float, float]
) -> None:
    assert CarCommands(SPACE, throttle).command((-1, *asked)) == pytest.approx(command)


def test_boxes_of_the_conditions_are_in_the_way_and_a_crash_counts(model: RacingModel) -> None:
    boxes = BoxSet(2, (BoxPlace(1, 120_000), BoxPlace(-1, 120_000)))  # side by side: nobody gets through
    rules = DrivenRules(consecutive_laps=1, collision_penalty_ns=5_000_000_000)
    conditions = replace(ONE_LAP, race_type="object_avoidance", objects=boxes, resets=2, rules=rules)
    run, again = evaluate_runs(conditions, (1, 1), model)
    assert run == again
    faults = [event for event in run.trace.events if event.kind not in ("line", "put_back")]
    assert (faults[0].kind, faults[0].value_ns) == ("crashed", 5_000_000_000)
    assert (run.end, run.resets, run.laps) == ("resets", 2, ())


def test_bots_drive_in_the_world_and_one_that_runs_into_a_car_waits() -> None:
    bots = BotSet(count=6, speed_mm_s=2000)
    conditions = replace(ONE_LAP, race_type="head_to_bot", bots=bots, run_limit_ms=15_000, resets=15)
    stands = evaluate_run(conditions, 5, Standing(0.0, 1.0))
    assert {event.kind for event in stands.trace.events} & {"crashed", "immobilized"} == {"immobilized"}
    drives = evaluate_run(replace(conditions, bots=replace(bots, speed_mm_s=200)), 5, Blind(0.0, 2.0))
    assert "crashed" in {event.kind for event in drives.trace.events}


def test_two_models_drive_in_one_world_and_take_turns_at_starting_in_front(model: RacingModel) -> None:
    conditions = replace(ONE_LAP, race_type="head_to_head", run_limit_ms=20_000)
    off = Blind(30.0, 1.0)  # turns off the road again and again
    heats = evaluate_heats(conditions, (1, 2), (model, off))
    assert heats[1] == evaluate_heats(conditions, (9, 2), (model, off))[1]  # whatever else is driven
    assert [heat.in_front for heat in heats] == [0, 1]
    for heat in heats:
        assert (heat.verdict.winner, heat.verdict.reason) == (0, Reason.FIRST_TO_FINISH)
        own, other = heat.runs
        assert (own.end, len(own.laps), other.laps) == ("laps", 1, ())
        for run, seen in ((own, other), (other, own)):
            (car,) = run.trace.others
            shared = min(len(run.trace.frames), len(seen.trace.frames))
            assert car.x_tenths_mm[:shared] == seen.trace.frames.x_tenths_mm[:shared]
            assert decode(encode(run.trace)) == run.trace
            assert run.trace.penalties_served
    starts = [heat.runs[0].trace.frames.along_mm[0] - heat.runs[1].trace.frames.along_mm[0] for heat in heats]
    assert [round(each, -2) for each in starts] == [1000, -1000]
    alone = evaluate_run(conditions, 1, model)  # without an opponent it is driven alone
    assert (alone.end, alone.trace.others, alone.trace.penalties_served) == ("laps", (), False)
