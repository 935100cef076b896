"""Models are checked before they can drive: each bad one is refused with one sentence, and the good one runs."""

import contextlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from shared.errors import BadInput
from tests.vehicle.sample_parts import METADATA, frame, tiny_graph, write_model
from vehicle.models.metadata import load_metadata, parse_metadata
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.models.trial import try_model


def test_a_good_model_is_checked_loaded_and_answers(tmp_path: pathlib.Path) -> None:
    checked = check_model(write_model(tmp_path / "straight"))
    assert (checked.name, checked.layout, checked.metadata.space.size) == ("straight", "NCHW", 3)
    policy = Policy(checked)
    policy.preprocess(frame(90))
    assert int(np.argmax(policy.answer())) == 1


def test_an_onnx_file_with_its_metadata_beside_it_is_as_good(tmp_path: pathlib.Path) -> None:
    folder = write_model(tmp_path / "m", tiny_graph([9.0, 0.0, 0.0], (1, 120, 160, 1)))
    (folder / "model.onnx").rename(folder / "left.onnx")
    checked = check_model(folder / "left.onnx")
    assert (checked.name, checked.layout) == ("left", "NHWC")
    assert int(np.argmax(Policy(checked).answer())) == 0


def test_the_policy_shrinks_by_area(tmp_path: pathlib.Path) -> None:
    policy = Policy(check_model(write_model(tmp_path)))
    pixels = np.zeros((240, 320), np.uint8)
    pixels[::2, ::2] = 200
    assert set(policy.preprocess(pixels).ravel().tolist()) == {50}
    assert policy.preprocess(frame(7, (120, 160)))[0, 0] == 7


Spoil = Callable[[onnx.ModelProto], None]


def _op(name: str, domain: str = "") -> Spoil:
    def spoil(model: onnx.ModelProto) -> None:
        model.graph.node[1].op_type, model.graph.node[1].domain = name, domain

    return spoil


def _loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", [], ["x"], body=body))


def _hidden_graph(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("body", helper.make_graph([], "body", [], [])))


def _external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def _external_constant(model: onnx.ModelProto) -> None:
    tensor = helper.make_tensor("c", TensorProto.FLOAT, [1], [0.0])
    tensor.external_data.add(key="location", value="weights.bin")
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))


def _sparse(model: onnx.ModelProto) -> None:
    values = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])
    values.external_data.add(key="location", value="weights.bin")
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))


def _sparse_constant(model: onnx.ModelProto) -> None:
    values = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    sparse = helper.make_sparse_tensor(values, indices, [4])
    model.graph.node.append(helper.make_node("Constant", [], ["c"], sparse_value=sparse))


def _huge(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]


def _short(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [100, 3]


def _negative(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-1, -3]


def _function(model: onnx.ModelProto) -> None:
    function = helper.make_function("ours", "f", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [])
    model.functions.append(function)


def _foreign(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def _future(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def _input(*dims: int | str) -> Spoil:
    def spoil(model: onnx.ModelProto) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("observation", TensorProto.FLOAT, list(dims)))

    return spoil


def _two_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("lidar", TensorProto.FLOAT, [1, 64]))


def _integer_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64


def _two_outputs(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3]))


def _many_nodes(model: onnx.ModelProto) -> None:
    model.graph.node.extend([helper.make_node("Relu", ["mean"], [f"r{n}"]) for n in range(600)])


def _unfit(model: onnx.ModelProto) -> None:
    model.graph.node[2].input[0] = "observation"


SPOILT: list[tuple[Spoil, str]] = [
    (_op("Loop"), "uses the operator 'Loop'"),
    (_loop, "uses the operator 'Loop'"),
    (_op("If"), "uses the operator 'If'"),
    (_op("Relu", "com.example"), "uses the operator 'Relu'"),
    (_op("ConstantOfShape"), "uses the operator"),
    (_hidden_graph, "holds an inner graph"),
    (_external, "has its data outside the file"),
    (_external_constant, "has its data outside the file"),
    (_sparse, "sparse tensors"),
    (_sparse_constant, "sparse tensor"),
    (_huge, "elements; at most"),
    (_short, "says 300 elements but holds 3"),
    (_negative, "type or shape that is not supported"),
    (_function, "functions or training"),
    (_foreign, "operators of 'com.example'"),
    (_future, "opset 99"),
    (_input(1, 1, 60, 80), "input is 1x1x60x80"),
    (_input("batch", 1, 120, 160), "no fixed shape"),
    (_two_inputs, "has 2 inputs"),
    (_integer_input, "must be float32|do not fit together"),
    (_two_outputs, "has 2 outputs"),
    (_many_nodes, "has 604 operators"),
    (_unfit, "do not fit together"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILT, ids=[words for _, words in SPOILT])
def test_a_spoilt_model_is_refused_with_the_sentence(tmp_path: pathlib.Path, spoil: Spoil, words: str) -> None:
    model = tiny_graph([0.0, 1.0, 0.0])
    spoil(model)
    with pytest.raises(BadInput, match=words) as refused:
        check_model(write_model(tmp_path, model))
    assert str(refused.value).startswith(str(tmp_path / "model.onnx"))
    assert "\n" not in str(refused.value)


def test_a_model_of_another_action_space_does_not_belong_to_its_metadata(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadInput, match=r"answers 1x5, but .* needs float32 of 1x3"):
        check_model(write_model(tmp_path, tiny_graph([0.0] * 5, outputs=5)))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not an ONNX model"), (b"This is a letter to my car.\n" * 9, "not an ONNX model"), (b"\x08\x08", "graph")],
)
def test_a_file_that_is_no_model(tmp_path: pathlib.Path, content: bytes, words: str) -> None:
    folder = write_model(tmp_path)
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(BadInput, match=words):
        check_model(folder)


def test_a_cut_off_model_and_one_that_is_too_large(tmp_path: pathlib.Path) -> None:
    folder = write_model(tmp_path)
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput):
        check_model(folder)
    with (folder / "model.onnx").open("wb") as file:
        file.truncate((256 << 20) + 1)
    with pytest.raises(BadInput, match="larger than 256 MB"):
        check_model(folder)


def test_what_is_missing_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadInput, match="there is no such model"):
        check_model(tmp_path / "nothing")
    folder = write_model(tmp_path / "m")
    (folder / "model_metadata.json").unlink()
    with pytest.raises(BadInput, match=r"model_metadata\.json: the model's metadata cannot be read"):
        check_model(folder)


@pytest.mark.parametrize("bias", [[float("nan")] * 3, [float("inf")] * 3])
def test_a_model_that_answers_nonsense_fails_its_trial(tmp_path: pathlib.Path, bias: list[float]) -> None:
    with pytest.raises(BadInput, match=r"failed its trial run: .* not finite"):
        Policy(check_model(write_model(tmp_path, tiny_graph(bias))))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_damage_does_worse_than_a_sentence(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = write_model(tmp_path_factory.getbasetemp() / "damaged")
    content = bytearray((folder / "model.onnx").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "model.onnx").write_bytes(bytes(content))
    with contextlib.suppress(BadInput):
        check_model(folder)


@pytest.mark.parametrize(
    ("changes", "version", "sensor"),
    [
        ({}, "5", "FRONT_FACING_CAMERA"),
        ({"version": 4}, "4", "FRONT_FACING_CAMERA"),
        ({"version": None}, "2", "FRONT_FACING_CAMERA"),
        ({"version": None, "sensor": None}, "1", "observation"),
    ],
)
def test_the_metadata_defaults_of_the_console(changes: dict[str, Any], version: str, sensor: str) -> None:
    document = {key: value for key, value in (METADATA | changes).items() if value is not None}
    metadata = parse_metadata(json.dumps(document).encode())
    assert (metadata.version, metadata.sensor) == (version, sensor)
    assert (metadata.algorithm, metadata.network) == ("clipped_ppo", "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sensor": ["STEREO_CAMERAS"]}, "one grey front camera"),
        ({"sensor": ["FRONT_FACING_CAMERA", "LIDAR"]}, "one grey front camera"),
        ({"sensor": []}, "must be a list of"),
        ({"sensor": ["EYES"]}, "must be a list of"),
        ({"neural_network": ["TRANSFORMER"]}, "neural_network"),
        ({"training_algorithm": "luck"}, "training_algorithm"),
        ({"version": [1]}, "version"),
    ],
)
def test_metadata_that_this_car_cannot_serve(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_metadata(json.dumps(METADATA | changes).encode())


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[" * 100_000, b'{"action_space": 1e999}'])
def test_metadata_that_is_no_json(text: bytes) -> None:
    with pytest.raises(BadInput):
        parse_metadata(text)


def test_metadata_is_small(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model_metadata.json"
    path.write_bytes(b" " * 270_000)
    with pytest.raises(BadInput, match="larger than"):
        load_metadata(path)


@pytest.mark.slow
def test_the_trial_in_a_child_says_the_same(tmp_path: pathlib.Path) -> None:
    folder = write_model(tmp_path)
    assert "fit to drive: discrete, 3 outputs" in try_model(folder)
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(BadInput, match="is not an ONNX model"):
        try_model(folder)
