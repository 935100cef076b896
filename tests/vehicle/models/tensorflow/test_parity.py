"""Our evaluation in numpy and the converted policy answer as TensorFlow did, for every stored graph."""

import pathlib
import re
from collections import Counter

import numpy as np
import onnx
import pytest

from tests.vehicle.models.tensorflow.frozen_graphs import DATA, converted, pictures
from vehicle.models.metadata import load_metadata
from vehicle.models.running.onnx_check import allowed_graph
from vehicle.models.running.session import open_session
from vehicle.models.tensorflow.graphdef import read_graph
from vehicle.models.tensorflow.parity import compare, evaluate_frozen, frozen_answers, run_onnx

LARGEST_DIFFERENCE = 1e-5
CASES = sorted(DATA.glob("*/*.pb"))


def test_all_dialects_are_here() -> None:
    assert len(CASES) == 5 * 12 + 12
    assert {case.parent.name for case in CASES} == {"tf1", "tf2v1", "legacy", "keras3", "rl_coach", "older"}


def nodes_of(case: pathlib.Path) -> set[tuple[str, str]]:
    """The names and operators of a stored graph."""
    return {(node.name, node.op) for node in read_graph(case.read_bytes()).nodes.values()}


@pytest.mark.parametrize("case", sorted((DATA / "rl_coach").glob("*.pb")), ids=lambda case: case.stem)
def test_our_writer_makes_the_graph_that_rl_coach_makes(case: pathlib.Path) -> None:
    """Node by node, except in the head of SAC, where the simulation application has its own."""
    theirs, ours = nodes_of(case), nodes_of(DATA / "tf1" / case.name)
    if case.stem.startswith("sac"):
        own = ("/dense/", "/policy_mean", "/policy_mu_logsig/", "/strided_slice_1")
        theirs = {node for node in theirs if not any(f"sac_policy_head_0{part}" in node[0] for part in own)}
        ours = {node for node in ours if not any(f"sac_policy_head_0{part}" in node[0] for part in own)}
    assert theirs == ours
    assert {"Pack", "StopGradient", "Sub", "Mul", "AddV2", "StridedSlice"} <= {op for _, op in ours}


@pytest.mark.parametrize("dialect", ["tf1", "tf2v1", "legacy", "keras3"])
def test_every_graph_of_ours_has_the_gradient_rescaler(dialect: str) -> None:
    for case in sorted((DATA / dialect).glob("*.pb")):
        ops = Counter(op for name, op in nodes_of(case) if re.search(r"/network_\d+/[^/]+(/input|/y)?$", name))
        stage = {"Pack": 2, "StopGradient": 1, "Sub": 1, "Mul": 2, "AddV2": 1}
        assert {op: ops[op] for op in stage} == stage, case


@pytest.mark.parametrize("case", CASES, ids=[f"{case.parent.name}-{case.stem}" for case in CASES])
def test_the_converted_policy_answers_as_tensorflow_did(case: pathlib.Path) -> None:
    metadata = load_metadata(case.with_suffix(".json"), any_sensors=True)
    content, head = converted(read_graph(case.read_bytes()), metadata)
    given = {sensor: pictures(sensor, seed) for seed, sensor in enumerate(sorted(metadata.sensors))}
    expected = np.load(case.with_suffix(".npy"))
    assert np.abs(expected - expected.mean(axis=0)).max() > 1e-3, (
        "the case would prove nothing: the answers hardly depend on the observations"
    )
    assert np.abs(evaluate_frozen(head, given) - expected).max() < LARGEST_DIFFERENCE
    session = open_session(content)
    assert np.abs(run_onnx(session, given) - expected).max() < LARGEST_DIFFERENCE
    assert compare(frozen_answers(head), head.shapes, session) < LARGEST_DIFFERENCE
    operators = {node.op_type for node in allowed_graph(content).node}
    assert "Transpose" not in operators
    assert onnx.checker.check_model(onnx.ModelProto.FromString(content), full_check=True) is None
