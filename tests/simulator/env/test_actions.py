"""What an action means: metres a second for a simulated car, a share of the throttle curve for the physical one."""

import json
import math
import pathlib

import gymnasium
import numpy as np
import pytest

from shared.errors import BadInput
from simulator.env.actions import ActionDecoder, read_actions
from vehicle.core.actions import ActionSpace

METADATA = {
    "action_space_type": "discrete",
    "action_space": [
        {"steering_angle": -20.0, "speed": 0.8},
        {"steering_angle": 0.0, "speed": 3.0},
        {"steering_angle": 10.0, "speed": 1.5},
    ],
    "sensor": ["FRONT_FACING_CAMERA"],
}


def test_a_simulated_car_gets_the_angle_and_the_speed_that_the_action_names() -> None:
    decoder = ActionDecoder(read_actions(METADATA), None)
    assert decoder.gymnasium_space() == gymnasium.spaces.Discrete(3)
    angles, speeds = decoder.decode(np.array([0, 1, 2, 0]))
    assert (angles.tolist(), speeds.tolist()) == ([-20.0, 0.0, 10.0, -20.0], [0.8, 3.0, 1.5, 0.8])
    commands = decoder.commands(angles, speeds)
    assert commands == pytest.approx(np.array([[-2 / 3, 0.2], [0.0, 0.75], [1 / 3, 0.375], [-2 / 3, 0.2]]))
    beyond = decoder.commands(np.array([45.0, 0.0]), np.array([9.0, 0.0]))  # as the field's simulator limits them
    assert beyond == pytest.approx(np.array([[1.0, 1.0], [0.0, 0.025]]))


def test_the_physical_car_decodes_as_its_own_pilot_does() -> None:
    """The answer of a model, through `ActionSpace.decode`, is what the environment's action becomes."""
    for document in (METADATA, {**METADATA, "action_space": METADATA["action_space"][:2]}):
        space = read_actions(document)
        decoder = ActionDecoder(space, 0.6)
        commands = decoder.commands(*decoder.decode(np.arange(space.size)))
        for row in range(space.size):
            action = space.decode(np.eye(space.size)[row], 0.6)
            assert commands[row].tolist() == pytest.approx([action.steering, action.throttle])
    space = ActionSpace("continuous")
    decoder = ActionDecoder(space, 0.5)
    answers = np.random.default_rng(1).uniform(-1.4, 1.4, (20, 2)).astype(np.float32)
    for answer, command in zip(answers, decoder.commands(*decoder.decode(answers)), strict=True):
        action = space.decode(answer, 0.5)
        assert command.tolist() == pytest.approx([action.steering, action.throttle])


def test_the_metadata_of_a_file_of_a_dict_and_continuous(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model_metadata.json"
    path.write_text(json.dumps(METADATA))
    assert read_actions(path) == read_actions(str(path)) == read_actions(METADATA)
    ranges = {"steering_angle": {"low": -25.0, "high": 30.0}, "speed": {"low": 1.0, "high": 3.0}}
    decoder = ActionDecoder(read_actions({"action_space_type": "continuous", "action_space": ranges}), None)
    assert decoder.gymnasium_space() == gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    angles, speeds = decoder.decode(np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]], np.float32))
    assert (angles.tolist(), speeds.tolist()) == ([-25.0, 30.0, 2.5], [1.0, 3.0, 2.0])
    assert read_actions("continuous").kind == "continuous"


BAD_ACTIONS = [
    ({"action_space": []}, "list of 1 to"),
    ({"action_space": [{"steering_angle": math.inf, "speed": 1}]}, "steering_angle of action 0"),
    ({"action_space": object()}, "no content of a model_metadata.json"),
    ("/nowhere/model_metadata.json", "cannot be read"),
    (3, "must be the path of a model_metadata.json"),
]


@pytest.mark.parametrize(("actions", "sentence"), BAD_ACTIONS)
def test_actions_that_are_none_are_refused(actions: object, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_actions(actions)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", [3, -1, 0.5, True, np.nan])
def test_an_action_outside_the_space_is_refused(action: object) -> None:
    with pytest.raises(BadInput, match="whole number from 0 to 2"):
        ActionDecoder(read_actions(METADATA), None).decode(np.asarray([action]))
    with pytest.raises(BadInput, match="two finite numbers"):
        ActionDecoder(read_actions("continuous"), None).decode(np.asarray([action]))
    with pytest.raises(BadInput, match="two finite numbers"):
        ActionDecoder(read_actions("continuous"), None).decode(np.array([[0.0, np.nan]]))
