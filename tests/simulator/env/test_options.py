"""Options that are not what they must be: one sentence each, before anything is built."""

import gymnasium
import pytest

import simulator.env  # noqa: F401  registers the environments
from shared.errors import BadInput
from simulator.env.options import read_options
from simulator.env.reward.parameters import is_clockwise

BAD_OPTIONS = [
    ({"track": "no_such_track"}, "no track called 'no_such_track'"),
    ({"track": []}, "give one"),
    ({"track": 7}, "list of such"),
    ({"direction": "left"}, "direction of an environment is 'left': choose one of 'counterclockwise', 'clockwise'"),
    ({"observation": "bgr"}, "choose one of 'grey', 'rgb'"),
    ({"size": (160,)}, "give width and height"),
    ({"size": (160, 4)}, "from 8 to 1280 pixels"),
    ({"size": (160.0, 120.0)}, "give width and height"),
    ({"profile": "truck"}, "profile of an environment is 'truck'"),
    ({"randomise": 3}, "choose one of 0, 1, 2"),
    ({"randomise": True}, "choose one of 0, 1, 2"),
    ({"start": "pit"}, "'line', 'anywhere'"),
    ({"laps": 0}, "whole number from 1 to 1000"),
    ({"laps": 1.5}, "whole number from 1 to 1000"),
    ({"throttle_percent": 0}, "above 0 and at most 100"),
    ({"throttle_percent": float("nan")}, "above 0 and at most 100"),
    ({"reward": 3}, "path of a reward_function.py"),
    ({"reward": "/nowhere/reward_function.py"}, "cannot be read"),
    ({"actions": 3}, "model_metadata.json"),
    ({"sensors": ["RADAR"]}, "The sensor must be a list of observation, FRONT_FACING_CAMERA"),
    ({"sensors": ["LIDAR"]}, "one camera and at most one LiDAR"),
    ({"sensors": 3}, "sensors of an environment are names"),
    ({"sensors": ["STEREO_CAMERAS"], "observation": "rgb"}, "see grey, as in the field"),
]


@pytest.mark.parametrize(("options", "sentence"), BAD_OPTIONS, ids=[str(each) for each, _ in BAD_OPTIONS])
def test_an_option_that_is_wrong_is_refused(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        read_options(**options)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


BAD_VECTORS = [
    ({"num_envs": 0}, "whole number from 1 to 4096"),
    ({"threads": 0}, "whole number from 1 to 64"),
    ({"autoreset_mode": "Never"}, "choose one of 'NextStep', 'SameStep', 'Disabled'"),
    ({"max_episode_steps": -1}, "max_episode_steps"),
]


@pytest.mark.parametrize(("options", "sentence"), BAD_VECTORS)
def test_a_vector_environment_that_cannot_be_is_refused(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        gymnasium.make_vec("Raceday/TimeTrial-v0", **options)  # type: ignore[arg-type]


def test_a_track_runs_as_its_file_does_or_in_the_direction_asked_for() -> None:
    for asked, clockwise in ((None, False), ("counterclockwise", False), ("clockwise", True)):
        assert is_clockwise(read_options(direction=asked).tracks[0]) is clockwise  # type: ignore[arg-type]
    both = read_options(track=["reinvent_base", "reInvent2019_track"], direction="clockwise").tracks
    assert [track.name for track in both] == ["reinvent_base_reversed", "reInvent2019_track_reversed"]
