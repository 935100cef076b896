"""A racer's file runs unchanged; one that cannot is refused with its file, its line and one sentence."""

import pathlib
import pickle

import numpy as np
import pytest

from shared.errors import BadInput
from simulator.env.reward.function import RewardFunction
from simulator.env.reward.parameters import RewardTrack, StepFacts
from simulator.world.tracks import load_track
from tests.simulator.env import reward_files


@pytest.fixture(scope="module")
def parameters() -> dict[str, object]:
    track = load_track("reinvent_base")
    pose = track.pose_at(1.0, 0.02)
    road = RewardTrack(track)
    x, y, yaw = (np.array([value]) for value in pose)
    places = road.fronts(x, y, yaw, np.array([track.locate(pose.x, pose.y).segment]))
    return road.parameters(places, 0, 5.0, StepFacts(10, 0.667, 2.0, -20.0, True, False))


def written(folder: pathlib.Path, source: str) -> pathlib.Path:
    path = folder / "reward_function.py"
    path.write_text(source, encoding="utf-8")
    return path


EXPECTED = {
    "centre line": 1.0,
    "inside the borders": 1.0,
    "no zigzag": 0.8,
    "along the waypoints": 1.0,
    "self-motivated": 5.0 / 10 * 100 + 4.0,
    "boxes": 1.0,
}


@pytest.mark.parametrize("name", list(EXPECTED))
def test_the_rewards_that_the_field_describes(tmp_path: pathlib.Path, parameters: dict[str, object], name: str) -> None:
    reward = RewardFunction(written(tmp_path, reward_files.ALL[name]))(parameters)
    assert reward == pytest.approx(EXPECTED[name])
    assert type(reward) is float


def test_each_car_has_the_files_variables_for_itself_and_what_is_printed_goes_to_stderr(
    tmp_path: pathlib.Path, parameters: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    first = RewardFunction(written(tmp_path, reward_files.RACING_LINE))
    second = first.for_another_car()
    before = first({**parameters, "progress": 5.0})
    after = first({**parameters, "progress": 7.0})
    assert after == pytest.approx(before + 2.0)
    assert second({**parameters, "progress": 7.0}) == pytest.approx(before)  # its own first step
    out, err = capfd.readouterr()
    assert (out, err.splitlines()) == ("", ["gained 0.0", "gained 2.0", "gained 0.0"])
    fresh = pickle.loads(pickle.dumps(first))
    assert fresh(parameters) == pytest.approx(before)


BAD_FILES = {
    "no function": ("x = 1\n", ":?.*there is no function reward_function"),
    "a name, not a function": ("reward_function = 3\n", "there is no function reward_function"),
    "bad syntax": ("x = 1\ndef reward_function(params)\n    return 1\n", r"\.py:2: this is not Python, expected ':'"),
    "a zero byte": ("x = 1\0\n", r"\.py:1: this is not Python"),
    "fails at import": ("import math\nmath.sqrt(-1)\n", r"\.py:2: the file cannot be loaded, ValueError"),
    "needs what is not there": ("import no_such_module_9\n", r"\.py:1: .*No module named 'no_such_module_9'"),
    "ends the program": ("import sys\nsys.exit(3)\n", r"\.py:2: the file cannot be loaded, SystemExit: 3"),
}


@pytest.mark.parametrize(("source", "sentence"), list(BAD_FILES.values()), ids=list(BAD_FILES))
def test_a_file_that_cannot_be_loaded_is_refused(tmp_path: pathlib.Path, source: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        RewardFunction(written(tmp_path, source))
    assert "\n" not in str(refused.value)


BAD_CALLS = {
    "a parameter that the field does not have": (
        "def reward_function(params):\n    a = 1\n    return params['velocity']\n",
        r"reward_function\.py:3: the reward function failed with KeyError: 'velocity'",
    ),
    "a mistake inside a library": (
        "import json\ndef reward_function(params):\n    return json.loads('no')\n",
        r"\.py:3: .*JSONDecodeError",
    ),
    "exit": ("def reward_function(params):\n    exit(1)\n", r"\.py:2: .*SystemExit"),
    "nothing": ("\ndef reward_function(params):\n    pass\n", r"\.py:2: the reward is None, which is no number"),
    "text": ("def reward_function(params):\n    return '1.0'\n", r"\.py:1: the reward is '1.0', which is no number"),
    "complex": ("def reward_function(params):\n    return 1j\n", "no number"),
    "NaN": (
        "def reward_function(params):\n    return float('nan')\n",
        r"\.py:1: the reward is nan: it must be a finite",
    ),
    "infinite": ("def reward_function(params):\n    return -float('inf')\n", "is -inf: it must be a finite number"),
    "beyond the field's range": ("def reward_function(params):\n    return 2e5\n", "from -100000 to 100000"),
    "endless recursion": ("def reward_function(params):\n    return reward_function(params)\n", r"\.py:2: .*Recursion"),
}


@pytest.mark.parametrize(("source", "sentence"), list(BAD_CALLS.values()), ids=list(BAD_CALLS))
def test_a_function_that_fails_names_its_line(
    tmp_path: pathlib.Path, parameters: dict[str, object], source: str, sentence: str
) -> None:
    function = RewardFunction(written(tmp_path, source))
    with pytest.raises(BadInput, match=sentence) as refused:
        function(parameters)
    assert "\n" not in str(refused.value)


def test_numbers_of_numpy_are_rewards(tmp_path: pathlib.Path, parameters: dict[str, object]) -> None:
    source = "import numpy as np\ndef reward_function(params):\n    return {}\n"
    for value in ("np.float32(1.5)", "np.int64(2)", "np.array([2.5])", "True"):
        assert RewardFunction(written(tmp_path, source.format(value)))(parameters) == pytest.approx(
            {"np.float32(1.5)": 1.5, "np.int64(2)": 2.0, "np.array([2.5])": 2.5, "True": 1.0}[value]
        )


def test_a_path_that_is_no_file_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        RewardFunction(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        RewardFunction(tmp_path / "absent.py")
    with pytest.raises(BadInput, match="larger than 1 MB"):
        RewardFunction(written(tmp_path, "#" * 1_000_001))
