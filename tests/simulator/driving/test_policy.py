"""Loading a model: the shipped one, and what is refused with a sentence."""

import json
import pathlib
import shutil
from importlib.resources import files

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from shared.errors import BadInput
from simulator.driving.policy import find_model, load_policy

DEMO = pathlib.Path(str(files("simulator") / "data" / "models" / "demo"))
PLAIN_OPS = {"Conv", "Relu", "Gemm", "MatMul", "Add", "Flatten", "Reshape", "Softmax", "Mul", "Div"}


@pytest.fixture
def model(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the shipped model that a test may spoil."""
    return pathlib.Path(shutil.copytree(DEMO, tmp_path / "model"))


def test_the_shipped_model_is_small_plain_and_as_agreed() -> None:
    graph = onnx.load(DEMO / "model.onnx")
    assert (DEMO / "model.onnx").stat().st_size <= 1_000_000
    assert {node.op_type for node in graph.graph.node} <= PLAIN_OPS
    assert {node.domain for node in graph.graph.node} == {""}
    assert [i.name for i in graph.graph.input] == ["observation"]
    assert [o.name for o in graph.graph.output] == ["policy"]
    assert not any(weight.external_data for weight in graph.graph.initializer)


def test_the_shipped_card_names_a_throttle_that_is_used() -> None:
    card = json.loads((DEMO / "card.json").read_text())
    assert load_policy("demo").throttle_scale == card["throttle_percent"] / 100
    assert load_policy("demo", 30.0).throttle_scale == 0.3


@pytest.mark.parametrize("frame", [np.zeros((240, 320), np.uint8), np.full((240, 320), 255, np.uint8)])
def test_any_frame_has_an_action(frame: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]") -> None:
    action = load_policy("demo").act(frame)
    assert -1.0 <= action.steering <= 1.0
    assert 0.0 < action.throttle <= 1.0


def test_found_by_folder_by_file_and_by_name(model: pathlib.Path) -> None:
    assert find_model(str(model)) == find_model(str(model / "model.onnx")) == model / "model.onnx"
    assert find_model("demo") == DEMO / "model.onnx"


def graph_with(input_shape: list[int], outputs: int) -> onnx.ModelProto:
    """A model that flattens and multiplies, with these shapes."""
    size = int(np.prod(input_shape[1:]))
    weight = helper.make_tensor("w", TensorProto.FLOAT, [size, outputs], np.zeros(size * outputs, np.float32))
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, outputs])],
            [weight],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


WRONG_SHAPES = [([1, 3, 120, 160], 14), ([1, 1, 120, 160], 3), ([1, 1, 84, 84], 14)]


@pytest.mark.parametrize(("shape", "outputs"), WRONG_SHAPES)
def test_wrong_shapes_are_refused(model: pathlib.Path, shape: list[int], outputs: int) -> None:
    onnx.save(graph_with(shape, outputs), model / "model.onnx")
    with pytest.raises(BadInput, match=r"model\.onnx"):
        load_policy(str(model))


SPOILT = [
    ("model.onnx", b"", r"model\.onnx"),
    ("model.onnx", b"hello", r"model\.onnx"),
    ("model_metadata.json", b"{", "not JSON"),
    ("model_metadata.json", b"[]", "not a JSON object"),
    ("card.json", b"{", "not readable JSON"),
    ("card.json", b"\xff\xfe", "not readable JSON"),
    ("card.json", b"[" * 60_000, "not readable JSON"),
    ("card.json", b"{}", "throttle_percent"),
    ("card.json", b'{"throttle_percent": "much"}', "throttle_percent"),
    ("card.json", b'{"throttle_percent": 0}', "above 0"),
    ("card.json", b'{"throttle_percent": NaN}', "above 0"),
]


@pytest.mark.parametrize(("file", "content", "says"), SPOILT)
def test_spoilt_files_are_refused(model: pathlib.Path, file: str, content: bytes, says: str) -> None:
    (model / file).write_bytes(content)
    with pytest.raises(BadInput, match=says):
        load_policy(str(model))


def test_what_is_not_there_is_named(tmp_path: pathlib.Path, model: pathlib.Path) -> None:
    with pytest.raises(BadInput, match="There is no model"):
        load_policy(str(tmp_path / "nothing"))
    (model / "model_metadata.json").unlink()
    with pytest.raises(BadInput, match="metadata"):
        load_policy(str(model))
