"""What TensorFlow answered, our numpy reading and the converted policy answer too: four dialects, ten networks each."""

import pathlib

import numpy as np
import onnx
import pytest

from tests.models.frozen import DATA, pictures
from vehicle.models.allowed import allowed_graph
from vehicle.models.convert import convert
from vehicle.models.graphdef import read_graph
from vehicle.models.metadata import load_metadata
from vehicle.models.parity import compare, evaluate_frozen, frozen_answers, run_onnx
from vehicle.models.session import open_session

LARGEST_DIFFERENCE = 1e-5
CASES = sorted(DATA.glob("*/*.pb"))


def test_all_dialects_are_here() -> None:
    assert len(CASES) == 40
    assert {case.parent.name for case in CASES} == {"tf1", "tf2v1", "legacy", "keras3"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.parent.name}-{case.stem}" for case in CASES])
def test_the_converted_policy_answers_as_tensorflow_did(case: pathlib.Path) -> None:
    metadata = load_metadata(case.with_suffix(".json"), any_sensors=True)
    content, head = convert(read_graph(case.read_bytes()), metadata)
    given = {sensor: pictures(sensor, seed) for seed, sensor in enumerate(sorted(metadata.sensors))}
    wanted = np.load(case.with_suffix(".npy"))
    assert np.abs(wanted - wanted.mean(axis=0)).max() > 1e-3, "the case would prove nothing: it hardly looks"
    assert np.abs(evaluate_frozen(head, given) - wanted).max() < LARGEST_DIFFERENCE
    session = open_session(content)
    assert np.abs(run_onnx(session, given) - wanted).max() < LARGEST_DIFFERENCE
    assert compare(frozen_answers(head), head.shapes, session) < LARGEST_DIFFERENCE
    operators = {node.op_type for node in allowed_graph(content).node}
    assert "Transpose" not in operators
    assert onnx.checker.check_model(onnx.ModelProto.FromString(content), full_check=True) is None
