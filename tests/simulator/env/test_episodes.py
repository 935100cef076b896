"""Episodes: what ends one, what cuts one off, what a racer's reward function is given on the way."""

import pathlib
from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import pytest

import simulator.env  # noqa: F401  registers the environments
from shared.errors import BadInput
from simulator.env.vector import RaceVectorEnv
from simulator.train.expert import ExpertDriver
from simulator.world.geometry import Pose
from tests.simulator.env import reward_files

Drivers = dict[str, ExpertDriver]
SMALL: dict[str, Any] = {"size": (16, 12), "randomise": 0}
LEFT, STAND, DRIVE = range(3)
STAND_OR_DRIVE = {
    "action_space": [
        {"steering_angle": 30.0, "speed": 2.0},
        {"steering_angle": 0.0, "speed": 0.0},
        {"steering_angle": 0.0, "speed": 0.3},
    ]
}


def vector(num_envs: int, **options: Any) -> RaceVectorEnv:
    made = gymnasium.make_vec("Raceday/TimeTrial-v0", num_envs=num_envs, **{**SMALL, **options})
    assert isinstance(made, RaceVectorEnv)
    return made


class Recorder:
    """A reward function that keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []

    def __call__(self, parameters: dict[str, Any]) -> float:
        self.given.append(parameters)
        return 1.0


def expert_actions(envs: RaceVectorEnv, drivers: Drivers) -> np.ndarray:
    """What the expert does in each row: (N, 2), steering and speed in [-1, 1]."""
    worlds = envs.worlds
    actions = []
    for row, spec in enumerate(worlds.specs):
        if spec.track.name not in drivers:
            drivers[spec.track.name] = ExpertDriver(spec.track)
        actions.append((drivers[spec.track.name].command(Pose(*worlds.pose[row]), int(worlds.segment[row]))[0], -0.4))
    return np.array(actions, np.float32)


def test_laps_are_cut_off_where_they_began_and_timed_from_line_to_line() -> None:
    recorder, drivers = Recorder(), Drivers()
    envs = vector(1, reward=recorder, laps=2)
    envs.reset(seed=3)
    lap_s, laps = [], []
    for _ in range(900):
        _, _, terminated, truncated, info = envs.step(expert_actions(envs, drivers))
        lap_s += [float(each) for each in info["lap_s"] if each > 0.0]
        laps.append(int(info["laps"][0]))
        if terminated[0] or truncated[0]:
            break
    assert (bool(terminated[0]), bool(truncated[0]), bool(info["lap_complete"][0])) == (False, True, True)
    assert sorted(set(laps)) == [0, 1, 2]
    assert len(lap_s) == 1  # the second one ends 1.75 m before the line
    assert lap_s[0] == pytest.approx(laps.count(0) / 15, rel=0.05)
    given, ends = recorder.given, [laps.index(1), len(laps) - 1]
    assert [step for step, each in enumerate(given) if each["progress"] == 100.0] == ends
    assert given[ends[0] + 1]["progress"] < 2.0
    for lap in (given[: ends[0] + 1], given[ends[0] + 1 :]):
        assert all(after["progress"] > before["progress"] - 0.5 for before, after in pairwise(lap))
    assert [each["steps"] for each in given] == list(range(1, len(given) + 1))
    assert given[14]["sim_time"] == pytest.approx(1.0)
    assert given[5]["speed"] == pytest.approx(0.5 + 0.3 * 3.5)  # of the action, not of the wheels
    assert all(each["all_wheels_on_track"] for each in given)


def test_leaving_the_road_standing_and_driving_backwards_end_for_good() -> None:
    recorder = Recorder()
    envs = vector(3, reward=recorder, autoreset_mode="Disabled", max_episode_steps=100, actions=STAND_OR_DRIVE)
    envs.reset(seed=3)
    envs.worlds.put_at(2.5, 0.0, np.pi, [2])
    driving = np.array([LEFT, STAND, DRIVE])
    steps: dict[int, tuple[int, list[str], bool, float]] = {}
    for step in range(1, 60):
        _, reward, terminated, truncated, info = envs.step(driving)
        for row in np.flatnonzero(terminated | truncated).tolist():
            why = [name for name in ("off_track", "immobilized", "reversed") if info[name][row]]
            steps.setdefault(row, (step, why, bool(truncated[row]), float(reward[row])))
            envs.reset(options={"reset_mask": np.arange(3) == row})
            if row == 2:
                envs.worlds.put_at(2.5, 0.0, np.pi, [2])
    assert steps[0][1:] == (["off_track"], False, 1.0)
    assert steps[1] == (15, ["immobilized"], False, 1.0)
    assert steps[2][1:] == (["reversed"], False, 1.0)
    assert 15 <= steps[2][0] <= 20
    off = next(given for given in recorder.given if given["is_offtrack"])
    assert (off["all_wheels_on_track"], off["steering_angle"]) == (False, 30.0)


def test_a_racers_file_rewards_each_car_and_its_mistake_names_the_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "reward_function.py"
    path.write_text(reward_files.RACING_LINE, encoding="utf-8")
    envs, drivers = vector(2, reward=str(path), start="anywhere"), Drivers()
    envs.reset(seed=4)
    rewards = np.array([envs.step(expert_actions(envs, drivers))[1] for _ in range(6)])
    assert rewards.shape == (6, 2)
    assert (rewards > 0.0).all()
    path.write_text("def reward_function(params):\n    return 1 / (4 - params['steps'])\n", encoding="utf-8")
    envs = vector(1, reward=path)
    envs.reset(seed=1)
    ahead = np.zeros((1, 2), np.float32)
    assert [float(envs.step(ahead)[1][0]) for _ in range(3)] == pytest.approx([1 / 3, 0.5, 1.0])
    with pytest.raises(BadInput, match=r"reward_function\.py:2: .*ZeroDivisionError"):
        envs.step(ahead)
    envs = vector(1, reward=lambda _: float("inf"))
    envs.reset(seed=1)
    with pytest.raises(BadInput, match="answered inf: it must answer a finite number"):
        envs.step(ahead)


def test_without_a_reward_function_it_is_the_metres_made_good() -> None:
    envs, drivers = vector(2, start="anywhere", randomise=1), Drivers()
    envs.reset(seed=4)
    total = np.zeros(2)
    for _ in range(30):
        _, reward, terminated, _, info = envs.step(expert_actions(envs, drivers))
        assert not terminated.any()
        assert reward.tolist() == pytest.approx((info["reward_metres"] + info["reward_lost"]).tolist())
        total += reward
    lengths = [spec.track.length_m for spec in envs.worlds.specs]
    assert total.tolist() == pytest.approx((info["progress"] / 100 * lengths).tolist())
