"""A model's metadata: every version and default of the console, for every sensor, and the actions."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from tests.vehicle.sample_parts import ACTIONS
from vehicle.models.metadata import Metadata, parse_metadata
from vehicle.models.model_files import MAX_METADATA_BYTES

BARE: dict[str, Any] = {"action_space": ACTIONS}
CAMERA, LIDAR = "FRONT_FACING_CAMERA", "LIDAR"


def parse(**changes: Any) -> Metadata:
    """The metadata with these changes, parsed for a car with any sensors."""
    return parse_metadata(json.dumps(BARE | changes).encode(), any_sensors=True)


def test_the_first_version_says_only_its_actions() -> None:
    metadata = parse()
    assert metadata.sensors == ("observation",)
    assert metadata.space.kind == "discrete"
    assert (metadata.algorithm, metadata.network) == ("clipped_ppo", "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW")
    assert (metadata.version, metadata.lidar, metadata.lidar_values) == ("1", "", 0)


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({}, "1"),
        ({"sensor": [CAMERA]}, "2"),
        ({"version": 3}, "3"),
        ({"version": "4"}, "4"),
        ({"version": 5.0}, "5.0"),
        ({"version": None}, "1"),
        ({"version": ""}, "1"),
        ({"version": " ", "sensor": [CAMERA]}, "2"),
        ({"version": None, "sensor": [CAMERA]}, "2"),
    ],
)
def test_the_version_is_stated_or_follows_from_the_sensor(changes: dict[str, Any], version: str) -> None:
    assert parse(**changes).version == version


@pytest.mark.parametrize(
    ("sensor", "config", "shapes"),
    [
        ("FRONT_FACING_CAMERA", None, [(120, 160, 1)]),
        (["LEFT_CAMERA"], None, [(120, 160, 1)]),
        (["STEREO_CAMERAS"], None, [(120, 160, 2)]),
        ([LIDAR, CAMERA], None, [(120, 160, 1), (64,)]),
        ([CAMERA, LIDAR], {"num_values": 32}, [(120, 160, 1), (32,)]),
        (["STEREO_CAMERAS", "SECTOR_LIDAR"], None, [(120, 160, 2), (8,)]),
        ([CAMERA, "SECTOR_LIDAR"], {"num_sectors": 4}, [(120, 160, 1), (4,)]),
        ([CAMERA, "DISCRETIZED_SECTOR_LIDAR"], {"num_sectors": 16, "num_values_per_sector": 2}, [(120, 160, 1), (32,)]),
        ([CAMERA, "DISCRETIZED_SECTOR_LIDAR"], None, [(120, 160, 1), (64,)]),
    ],
)
def test_sensors_give_shapes(sensor: Any, config: Any, shapes: list[tuple[int, ...]]) -> None:
    metadata = parse(sensor=sensor, **({"lidar_config": config} if config else {}))
    assert [metadata.shape_of(one) for one in metadata.sensors] == shapes


@pytest.mark.parametrize(
    "changes",
    [
        {"sensor": []},
        {"sensor": [LIDAR]},
        {"sensor": [CAMERA, CAMERA]},
        {"sensor": [CAMERA, LIDAR, "SECTOR_LIDAR"]},
        {"sensor": [CAMERA, "SONAR"]},
        {"sensor": [CAMERA, LIDAR], "lidar_config": [64]},
        {"sensor": [CAMERA, LIDAR], "lidar_config": {"num_values": 0}},
        {"sensor": [CAMERA, LIDAR], "lidar_config": {"num_values": True}},
        {"sensor": [CAMERA, "SECTOR_LIDAR"], "lidar_config": {"num_sectors": 1.5}},
        {"neural_network": ["DEEP"]},
        {"training_algorithm": {}},
        {"action_space_type": "fuzzy"},
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        parse(**changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "network"),
    [
        ("RESNET_ARCHITECTURE", "RESNET_ARCHITECTURE"),
        ("my own net, 3rd try", "my own net, 3rd try"),
        ("深い網", "深い網"),
        ("x" * 81, "x" * 80),
        ("x" * 5000, "x" * 80),
        (3, "3"),
        (1.5, "1.5"),
        ("my\u00a0net", "my net"),
        ("two\nlines", "two lines"),
        ("\x1b[31m", "[31m"),
        ("a\u202eb\ud800", "a b"),
        (" \n\u00a0", "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"),
        ("", "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"),
        (None, "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"),
    ],
)
def test_a_networks_name_is_only_a_name(given: str | float | None, network: str) -> None:
    assert parse(neural_network=given).network == network


@pytest.mark.parametrize("name", [{"a": 1}, ["DEEP"], True])
def test_what_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(BadInput, match="neural_network"):
        parse(neural_network=name)


@pytest.mark.parametrize(("count", "is_taken"), [(65, True), (108, True), (1024, True), (1025, False)])
def test_up_to_1024_actions_are_taken_however_they_are_laid_out(count: int, is_taken: bool) -> None:
    rows = [{"steering_angle": round(-30 + 60 * n / count, 2), "speed": 1.25 + n % 3, "index": n} for n in range(count)]
    text = json.dumps({"action_space": rows, "version": "4"}, indent=8).encode()
    assert len(text) <= MAX_METADATA_BYTES
    if is_taken:
        space = parse_metadata(text).space
        answer = np.zeros((1, count), np.float32)
        answer[0, count - 1] = 1.0
        assert space.size == count
        assert space.decode(answer, 1.0).steering == pytest.approx(rows[-1]["steering_angle"] / 30.0, abs=0.01)
        return
    with pytest.raises(BadInput, match="1 to 1024 actions"):
        parse_metadata(text)


@given(text=st.binary(max_size=200))
def test_any_text_is_metadata_or_a_sentence(text: bytes) -> None:
    with pytest.raises(BadInput):
        parse_metadata(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "action_space",
    "action_space_type",
    "sensor",
    "neural_network",
    "training_algorithm",
    "version",
    "lidar_config",
)


@given(changes=st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4))
def test_any_document_is_metadata_or_a_sentence(changes: dict[str, Any]) -> None:
    try:
        metadata = parse(**changes)
    except BadInput:
        return
    assert metadata.space.size >= 1


@pytest.mark.parametrize(
    ("low", "high", "answer", "steering"),
    [
        (-30.0, 30.0, -1.0, -1.0),
        (-30.0, 20.0, -1.0, -1.0),  # 1.5 of the top angle: the stock servo refuses it and keeps its last position
        (-30.0, 20.0, -0.6, -1.0),
        (-30.0, 20.0, 0.2, 0.0),
        (-10.0, 30.0, -1.0, -1 / 3),
        (-10.0, 30.0, 1.0, 1.0),
        (-10.0, 30.0, 7.0, 1.0),
    ],
)
def test_an_asymmetric_range_loses_no_steering(low: float, high: float, answer: float, steering: float) -> None:
    ranges = {"steering_angle": {"low": low, "high": high}, "speed": {"low": 0.5, "high": 4.0}}
    metadata = parse(action_space=ranges, action_space_type="continuous")
    action = metadata.space.decode(np.array([[answer, 1.0]], np.float32), 1.0)
    assert action.steering == pytest.approx(steering, abs=1e-6)
    assert action.throttle == pytest.approx(1.0)
