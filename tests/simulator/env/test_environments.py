"""The environments as Gymnasium wants them, with its own checker and its own vector environment as judges."""

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import simulator.env  # noqa: F401  registers the environments
from shared.errors import BadInput

NAME = "Raceday/TimeTrial-v0"
HARSH: dict[str, Any] = {"size": (32, 24), "randomise": 2, "start": "anywhere"}
TWO_TRACKS: dict[str, Any] = {
    "size": (32, 24),
    "randomise": 0,
    "start": "anywhere",
    "track": ["reinvent_base", "reInvent2019_wide"],
}

SENSES: dict[str, Any] = {
    "size": (16, 12),
    "randomise": 1,
    "start": "anywhere",
    "boxes": 2,
    "sensors": ["STEREO_CAMERAS", "LIDAR"],
}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("TimeTrial", {"start": "anywhere"}),
        ("ObjectAvoidance", {"observation": "rgb", "randomise": 0}),
        ("HeadToBot", {"start": "anywhere", "randomise": 0}),
        ("HeadToBot", {"sensors": ["STEREO_CAMERAS", "SECTOR_LIDAR"], "randomise": 0}),
    ],
)
def test_gymnasiums_checker_finds_nothing(name: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = gymnasium.make(f"simulator.env:Raceday/{name}-v0", render_mode="rgb_array", size=(40, 30), **options)
        check_env(made.unwrapped)


def same(ours: object, judge: object, where: str) -> None:
    """Equal to the bit, in type, keys, shapes and values."""
    assert type(ours) is type(judge), where
    if isinstance(ours, dict):
        assert isinstance(judge, dict)
        assert ours.keys() == judge.keys(), where
        for key, value in ours.items():
            same(value, judge[key], f"{where}, {key}")
    elif isinstance(ours, tuple):
        assert isinstance(judge, tuple)
        for n, (one, other) in enumerate(zip(ours, judge, strict=True)):
            same(one, other, f"{where}, part {n}")
    elif isinstance(ours, np.ndarray):
        assert isinstance(judge, np.ndarray)
        assert (ours.shape, ours.dtype) == (judge.shape, judge.dtype), where
        if ours.dtype == object:
            for n, (one, other) in enumerate(zip(ours, judge, strict=True)):
                same(one, other, f"{where}[{n}]")
        else:
            assert np.array_equal(ours, judge), where
    else:
        assert ours == judge, where


@pytest.mark.parametrize(
    ("mode", "options"),
    [(AutoresetMode.NEXT_STEP, HARSH), (AutoresetMode.SAME_STEP, TWO_TRACKS), (AutoresetMode.SAME_STEP, SENSES)],
    ids=["next", "same", "senses"],
)
def test_the_batch_answers_what_gymnasiums_own_vector_of_single_environments_does(
    mode: AutoresetMode, options: dict[str, Any]
) -> None:
    """Three cars, 20 steps an episode at most: observations, rewards, ends and infos are equal to the bit."""
    ours = gymnasium.make_vec(NAME, num_envs=3, autoreset_mode=mode, max_episode_steps=20, **options)
    judge = gymnasium.make_vec(NAME, 3, "sync", {"autoreset_mode": mode}, max_episode_steps=20, **options)
    assert ours.metadata["autoreset_mode"] is mode
    same(ours.reset(seed=5), judge.reset(seed=5), "reset")
    ours.action_space.seed(3)
    ends = np.zeros(2, int)
    for step in range(60):
        actions = ours.action_space.sample()
        actions[:, 1] = 1.0
        answered, expected = ours.step(actions), judge.step(actions)
        same(answered, expected, f"step {step}")
        ends += answered[2].sum(), answered[3].sum()
    assert (ends > 2).all(), "both kinds of ends were seen"


@pytest.fixture(scope="module")
def driven() -> Callable[[int, int], np.ndarray]:
    """The frames of cars 0 to 6, by number of cars and threads: of 25 steps with the same actions."""

    def frames(count: int, threads: int) -> np.ndarray:
        envs = gymnasium.make_vec(NAME, num_envs=count, threads=threads, autoreset_mode="SameStep", **HARSH)
        seen = [envs.reset(seed=11)[0]]
        draws = np.random.default_rng(2).uniform(-1, 1, (25, 7, 2)).astype(np.float32)
        seen += [envs.step(np.resize(actions, (count, 2)))[0] for actions in draws]
        envs.close()
        return np.array(seen)

    return frames


def test_a_cars_episodes_do_not_depend_on_how_many_cars_there_are_nor_on_threads(driven: Any) -> None:
    seven = driven(7, 1)
    assert np.array_equal(seven[:, :1], driven(1, 1))
    assert np.array_equal(seven, driven(7, 2))
    assert np.array_equal(seven, driven(21, 2)[:, :7])
    assert float(seven.std()) > 5.0
    assert not np.array_equal(seven[:, 0], seven[:, 1])


def test_sensors_are_what_the_field_gives_a_network() -> None:
    """Left and right in one picture, ranges cut at a metre, sectors of nothing and something; alone or with a LiDAR."""
    envs: Any = gymnasium.make_vec(
        NAME, num_envs=2, **{**SENSES, "size": (80, 60), "randomise": 0, "boxes": [(1, 0.12)]}
    )
    sectors: Any = gymnasium.make_vec(NAME, num_envs=2, size=(16, 12), sensors="FRONT_FACING_CAMERA")
    assert sectors.reset(seed=1)[0].shape == (2, 12, 16, 1)
    envs.reset(seed=1)
    length_m = envs.unwrapped.worlds.specs[0].track.length_m
    envs.unwrapped.worlds.put_at([0.12 * length_m + 0.5, 0.5 * length_m], worlds=[0, 1])
    seen = envs.unwrapped._episodes.observe()
    assert (seen["STEREO_CAMERAS"].shape, seen["LIDAR"].shape) == ((2, 60, 80, 2), (2, 64))
    assert not np.array_equal(seen["STEREO_CAMERAS"][..., 0], seen["STEREO_CAMERAS"][..., 1])
    near, far = seen["LIDAR"]
    assert 0.15 <= float(near.min()) < 0.5
    assert (far == 1.0).all()
    assert envs.observation_space.contains(seen)


def test_copies_and_pickles_are_environments_of_the_same_options() -> None:
    single = gymnasium.make(NAME, size=(16, 12), randomise=1)
    first = single.reset(seed=9)[0]
    single.step(np.zeros(2, np.float32))
    for other in (
        pickle.loads(pickle.dumps(single)),
        copy.deepcopy(single),
        gymnasium.make(NAME, size=(16, 12), randomise=1),
    ):
        assert np.array_equal(other.reset(seed=9)[0], first)
    envs: Any = gymnasium.make_vec(NAME, num_envs=2, size=(16, 12), autoreset_mode="SameStep")
    again = pickle.loads(pickle.dumps(envs))
    assert again.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    same(again.reset(seed=[9, 4])[0], envs.reset(seed=[9, 4])[0], "pickle")
    assert np.array_equal(envs.reset(seed=9)[0][0], first)


def test_episodes_go_on_from_the_generator_and_a_mask_resets_some() -> None:
    envs: Any = gymnasium.make_vec(NAME, num_envs=2, size=(16, 12), autoreset_mode="Disabled", start="anywhere")
    first, _ = envs.reset(seed=1)
    second, info = envs.reset(options={"reset_mask": np.array([True, False])})
    assert not np.array_equal(first[0], second[0])
    assert (info["_progress"].tolist(), info["steps"].tolist()) == ([True, False], [0, 0])
    for mask in (np.array([True]), np.array([0, 1]), np.array([False, False])):
        with pytest.raises(BadInput, match="reset_mask must be 2 bools"):
            envs.reset(options={"reset_mask": mask})
    with pytest.raises(BadInput, match="3 seeds for 2 cars"):
        envs.reset(seed=[1, 2, 3])
    turn = np.array([[1.0, 1.0], [0.0, -1.0]], np.float32)
    while not envs.step(turn)[2][0]:
        pass
    with pytest.raises(BadInput, match=r"The episodes of \[0\] are over"):
        envs.step(turn)


def test_the_picture_for_people_is_what_the_camera_sees() -> None:
    single = gymnasium.make(NAME, size=(160, 120), observation="rgb", randomise=0, render_mode="rgb_array")
    seen, _ = single.reset(seed=2)
    shown = single.render()
    assert isinstance(shown, np.ndarray)
    assert shown.shape == (480, 640, 3)
    small = shown.reshape(120, 4, 160, 4, 3).mean(axis=(1, 3))
    assert float(np.abs(small - seen).mean()) < 12.0
    both: Any = gymnasium.make_vec(NAME, num_envs=2, size=(16, 12), render_mode="rgb_array")
    both.reset(seed=2)
    assert [picture.shape for picture in both.render()] == [(480, 640, 3)] * 2
