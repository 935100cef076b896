"""The DeepRacer mapping, by the documented figures, and hostile metadata."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from vehicle.core.actions import ActionSpace, throttle_share

DISCRETE = {
    "action_space": [
        {"steering_angle": -30, "speed": 1.0, "index": 2},
        {"steering_angle": 0, "speed": 4, "index": 0},
        {"steering_angle": 15.0, "speed": 2.0, "index": 1},
    ]
}
CONTINUOUS = {
    "action_space_type": "continuous",
    "action_space": {"steering_angle": {"high": 30.0, "low": -30.0}, "speed": {"high": 4.0, "low": 0.5}},
}


@pytest.mark.parametrize(
    ("speed", "top", "share"),
    [(0.0, 4.0, 0.0), (2.0, 4.0, 0.8), (4.0, 4.0, 1.0), (1.0, 2.0, 0.8), (11 / 3, 4.0, 1.0), (1.0, 4.0, 0.475)],
)
def test_the_parabola_goes_through_its_three_points_and_peaks_above_one(speed: float, top: float, share: float) -> None:
    assert throttle_share(speed, top) == pytest.approx(share)


@pytest.mark.parametrize(
    ("probabilities", "steering", "throttle"),
    [([0.9, 0.05, 0.05], -1.0, 0.475), ([0.1, 0.8, 0.1], 0.0, 1.0), ([0.1, 0.2, 0.7], 0.5, 0.8)],
)
def test_the_highest_probability_wins_by_its_place_not_its_index(
    probabilities: list[float], steering: float, throttle: float
) -> None:
    space = ActionSpace.parse_metadata(DISCRETE)
    assert space.size == 3
    action = space.decode(np.array([probabilities], np.float32), 0.5)
    assert action.steering == pytest.approx(steering)
    assert action.throttle == pytest.approx(0.5 * throttle)


@pytest.mark.parametrize(
    ("output", "steering", "speed"),
    [([0.0, 0.0], 0.0, 2.25), ([1.0, 1.0], 1.0, 4.0), ([-1.0, -1.0], -1.0, 0.5), ([7.0, -9.0], 1.0, 0.5)],
)
def test_a_continuous_answer_is_clamped_then_stretched(output: list[float], steering: float, speed: float) -> None:
    space = ActionSpace.parse_metadata(CONTINUOUS)
    action = space.decode(np.array(output), 1.0)
    assert action.steering == pytest.approx(steering)
    assert action.throttle == pytest.approx(throttle_share(speed, 4.0))


def test_an_asymmetric_range_divides_by_high_and_stops_at_full_lock() -> None:
    document = {
        "action_space_type": "continuous",
        "action_space": {"steering_angle": {"high": 15, "low": -30}, "speed": {"high": 2, "low": 1}},
    }
    space = ActionSpace.parse_metadata(document)
    assert space.decode(np.array([-1.0, 0.0]), 1.0).steering == -1.0  # -30/15, which the servo would refuse
    assert space.decode(np.array([1 / 3, 0.0]), 1.0).steering == pytest.approx(0.0)
    assert space.decode(np.array([2 / 3, 0.0]), 1.0).steering == pytest.approx(0.5)


def test_a_model_that_only_goes_straight_is_steered_straight() -> None:
    space = ActionSpace.parse_metadata({"action_space": [{"steering_angle": 0, "speed": 1}]})
    action = space.decode(np.array([1.0]), 1.0)
    assert action.steering == 0.0
    assert action.throttle == pytest.approx(1.0)


@pytest.mark.parametrize("output", [[math.nan, 0.0, 0.0], [math.inf, 0.0, 0.0], [0.5, 0.5], []])
def test_an_answer_that_is_not_finite_or_of_another_size_is_no_setpoint(output: list[float]) -> None:
    with pytest.raises(BadInput):
        ActionSpace.parse_metadata(DISCRETE).decode(np.array(output), 1.0)


@given(
    low=st.floats(-90, 89),
    high=st.floats(0.001, 90),
    output=st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=2),
    scale=st.floats(0, 1),
)
def test_every_continuous_action_is_in_range(low: float, high: float, output: list[float], scale: float) -> None:
    if low >= high:
        return
    document = {
        "action_space_type": "continuous",
        "action_space": {"steering_angle": {"high": high, "low": low}, "speed": {"high": 4.0, "low": 0.5}},
    }
    action = ActionSpace.parse_metadata(document).decode(np.array(output), scale)
    assert -1.0 <= action.steering <= 1.0
    assert 0.0 <= action.throttle <= scale


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"action_space": []}',
        '{"action_space": [{"steering_angle": 0}]}',
        '{"action_space": [{"steering_angle": "left", "speed": 1}]}',
        '{"action_space": [{"steering_angle": 0, "speed": 0}]}',
        '{"action_space": [{"steering_angle": true, "speed": 1}]}',
        '{"action_space": [{"steering_angle": 0, "speed": 1e400}]}',
        f'{{"action_space": [{{"steering_angle": 0, "speed": 1{"0" * 400}}}]}}',
        '{"action_space": [7]}',
        '{"action_space_type": "magic", "action_space": []}',
        '{"action_space_type": "continuous", "action_space": []}',
        '{"action_space_type": "continuous", "action_space": {"steering_angle": 3, "speed": 1}}',
        '{"action_space_type": "continuous", "action_space": {"steering_angle": {"low": -30, "high": 0}, '
        '"speed": {"low": 0, "high": 1}}}',
    ],
)
def test_metadata_that_cannot_be_driven_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadInput, match=r"^(The|No|A|Action) "):
        ActionSpace.parse_metadata(json.loads(text))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["action_space", "action_space_type", "steering_angle", "speed", "low", "high"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_document_does_worse_than_a_sentence(document: object) -> None:
    try:
        space = ActionSpace.parse_metadata(document)
    except BadInput:
        return
    assert 1 <= space.size <= 64
