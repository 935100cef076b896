"""What ONNX and its runtime say of a model is put in our own words, which say what is wrong and what to do.

The libraries' words were written down from onnx 1.23 and ONNX Runtime 1.31 refusing the models of an attack.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from shared.errors import BadInput
from tests.vehicle.sample_parts import METADATA, tiny_graph, write_model
from vehicle.models.importing.prepare import prepare
from vehicle.models.metadata import parse_metadata
from vehicle.models.running.allowed_operators import OPS
from vehicle.models.running.check import check_model
from vehicle.models.running.onnx_check import check_dependence
from vehicle.models.running.runtime_words import cannot_load, cannot_run, shapes_do_not_fit

OPERATOR = [
    ("[ShapeInferenceError] Inference error(s): (op_type:Conv): [ShapeInferenceError] Attribute pads", "Conv"),
    ("[ShapeInferenceError] (op_type:DequantizeLinear): x_zero_point has inconsistent type", "DequantizeLinear"),
    ("[TypeInferenceError] Cannot infer type and shape . No opset import  optype Relu", "Relu"),
    ('[ONNXRuntimeError] : 10 : INVALID_GRAPH : In Node, ("", ReduceMean, "", -1) : ', "ReduceMean"),
    ("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for Cast(13) node", "Cast"),
    ("[ONNXRuntimeError] : 2 : Non-zero status code returned while running Gather node. Name:'' indices", "Gather"),
    ("[ONNXRuntimeError] : 1 : FAIL : Load model failed: Duplicate definition of name (op_type:Evil).", ""),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("words", "operator"), OPERATOR, ids=[operator or "none" for _, operator in OPERATOR])
def test_the_operator_is_named_and_nothing_else_of_the_librarys_words(words: str, operator: str) -> None:
    for sentence in (
        shapes_do_not_fit(RuntimeError(words)),
        cannot_load(RuntimeError(words)),
        cannot_run(OSError(words)),
    ):
        assert [word for word in OPS if f"operator {word}" in sentence] == ([operator] if operator else [])
        assert "export it again" in sentence
        assert not any(word in sentence for word in ("Error]", "ONNXRuntime", "INVALID", "Evil", "node"))


@pytest.mark.parametrize("words", ["std::bad_alloc", "bad allocation", "Unable to allocate 219. MiB for an array"])
def test_a_lack_of_memory_is_one_sentence(words: str) -> None:
    for sentence in (cannot_load(RuntimeError(words)), cannot_run(RuntimeError(words)), cannot_load(MemoryError())):
        assert sentence == "The model needs more memory than this machine has for one: use a smaller network."


X = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 120, 160])
Y = helper.make_tensor_value_info("policy", TensorProto.FLOAT, [1, 3])


def policy_of(*nodes: onnx.NodeProto, inputs: list[onnx.ValueInfoProto] | None = None) -> onnx.ModelProto:
    """A model of these operators, then a mean of `y` and a dense layer."""
    ends = [
        helper.make_node("ReduceMean", ["y"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["mean", "w"], ["policy"]),
    ]
    weights = numpy_helper.from_array(np.ones((1, 3), np.float32), "w")
    spare = numpy_helper.from_array(np.ones((1, 1, 4, 4), np.float32), "spare")
    graph = helper.make_graph([*nodes, *ends], "g", inputs or [X], [Y], [weights, spare])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def node(op: str, *inputs: str, made: str = "y", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs, [made], **attributes)


REFUSED = [
    (policy_of(node("Cast", "x", made="s", to=8), node("Cast", "s", to=1)), "operator Cast makes values of a type"),
    (policy_of(node("Cast", "x", made="s", to=16), node("Cast", "s", to=1)), "operator Cast makes values of a type"),
    (policy_of(node("Relu", "x"), node("Neg", "x")), "two values of the name 'y'"),
    (policy_of(node("Relu", "x", made="x"), node("Relu", "x")), "two values of the name 'x'"),
    (policy_of(node("Conv", "x", "spare", pads=[-50] * 4)), "do not fit together at its operator Conv"),
    (policy_of(node("Relu", "a"), node("Relu", "x", made="a")), "do not fit together at its operator Relu"),
]


@pytest.mark.parametrize(("model", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_the_runtime_would_refuse_is_a_sentence(
    tmp_path: pathlib.Path, model: onnx.ModelProto, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        check_model(write_model(tmp_path, model))


CONSTANT = [
    policy_of(node("Relu", "spare")),
    policy_of(node("Shape", "x", made="s"), node("Cast", "s", made="f", to=1), node("Reshape", "f", "s")),
]


@pytest.mark.parametrize("model", CONSTANT, ids=["a weight", "the picture's shape"])
def test_a_policy_that_sees_nothing_is_refused_when_it_is_imported(model: onnx.ModelProto) -> None:
    with pytest.raises(BadInput, match="does not depend on the input 'x': it would drive the same whatever"):
        check_dependence(model.SerializeToString())


def test_a_kept_model_that_sees_nothing_still_loads(tmp_path: pathlib.Path) -> None:
    assert check_model(write_model(tmp_path, CONSTANT[0])).parameters == 19


def test_ballast_that_an_earlier_version_kept_does_not_reach_the_runtime(tmp_path: pathlib.Path) -> None:
    model = tiny_graph([0.0, 9.0, 0.0])
    bare = model.SerializeToString()
    model.metadata_props.add(key="ort_config", value='{"session_options": {"intra_op_num_threads": 64}}')
    folder = write_model(tmp_path, model)
    checked = check_model(folder)
    assert checked.content == bare
    (tmp_path / "bare").mkdir()
    assert checked.sha256 != check_model(write_model(tmp_path / "bare")).sha256  # the file is what it was


def test_an_import_keeps_no_ballast(tmp_path: pathlib.Path) -> None:
    model = tiny_graph([0.0, 9.0, 0.0])
    bare = model.SerializeToString()
    model.doc_string = "how it was trained"
    folder = write_model(tmp_path / "given", model)
    (tmp_path / "made").mkdir()
    card = prepare(folder / "model.onnx", tmp_path / "made", is_kept=False)
    assert (tmp_path / "made" / "model.onnx").read_bytes() == bare
    assert card.parameters == 6


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be", "latin-1"])
def test_metadata_are_utf_8(encoding: str) -> None:
    written = json.dumps(METADATA | {"neural_network": "größer"}, ensure_ascii=False)
    assert parse_metadata(written.encode("utf-8-sig")) == parse_metadata(written.encode())  # as Notepad saves it
    with pytest.raises(BadInput, match=r"not text in UTF-8: save it as UTF-8|is not JSON"):
        parse_metadata(written.encode(encoding))


def test_numbers_that_a_processor_may_take_for_zero_are_no_speed() -> None:
    """A top speed of 5e-324 m/s divided by zero where denormals are."""
    for speed in (5e-324, 1e-310):
        actions = [{"steering_angle": 1e-310, "speed": speed}] * 3
        with pytest.raises(BadInput, match="No action of the action_space has a speed above 0"):
            parse_metadata(json.dumps(METADATA | {"action_space": actions}).encode())


SLOW = """
import pathlib, sys, time
import numpy as np
from vehicle.models.running.check import check_model
from vehicle.models.running.session import open_session
model = check_model(pathlib.Path(sys.argv[1]))
session = open_session(model.content, flushes_denormals=True)
tiny = np.float32(1e-30) * np.float32(1e-10)
answer = session.run(None, {"x": np.full((1, 1, 120, 160), 1e-20, np.float32)})[0]
print(float(tiny) == 0.0, float(answer.max()) == 0.0)
"""


@pytest.mark.skipif("x86_64" not in __import__("platform").machine(), reason="ONNX Runtime flushes on x86 only")
def test_denormals_are_zero_in_a_process_that_drives(tmp_path: pathlib.Path) -> None:
    model = policy_of(node("Mul", "x", "tiny"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(1e-20, np.float32), "tiny"))
    folder = write_model(tmp_path, model)
    done = subprocess.run([sys.executable, "-c", SLOW, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
