"""The bytes of an ONNX file are counted before any protobuf library sees them, and only checked parts are kept.

The crowds are those of an attack: 20 million empty parts of two bytes each, which took a library 3.6 GB. Here a
four-hundredth of them is enough, since the limit does not depend on their number.
"""

import pathlib

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from shared.errors import BadInput
from tests.vehicle.models.tensorflow.protobuf_writer import field, varint
from tests.vehicle.sample_parts import tiny_graph
from vehicle.models.onnx_file.scan import MAX_DROPPED_BYTES, scan_model
from vehicle.models.protobuf_wire import MAX_FIELDS

CROWD = MAX_FIELDS + 1
MODEL = tiny_graph([0.0, 9.0, 0.0])
WHOLE = MODEL.SerializeToString(deterministic=True)
GRAPH = MODEL.graph.SerializeToString(deterministic=True)
HEAD = field(1, 8) + field(8, field(1, "") + field(2, 17))


def kept(content: bytes) -> bytes:
    """The file as it is written anew."""
    return b"".join(scan_model(content).pieces())


def in_graph(*parts: bytes) -> bytes:
    return HEAD + field(7, GRAPH + b"".join(parts))


def in_node(*parts: bytes) -> bytes:
    return in_graph(field(1, field(1, "mean") + field(2, "z") + field(4, "Relu") + b"".join(parts)))


def in_attribute(*parts: bytes) -> bytes:
    return in_node(field(5, field(1, "a") + b"".join(parts)))


def in_tensor(*parts: bytes) -> bytes:
    return in_graph(field(5, field(8, "t") + b"".join(parts)))


def empty(number: int, count: int = CROWD) -> bytes:
    return (varint(number << 3 | 2) + b"\0") * count


def test_a_model_without_ballast_is_kept_byte_for_byte() -> None:
    assert kept(WHOLE) == WHOLE
    demo = (pathlib.Path(__file__).parents[4] / "simulator/data/models/demo/model.onnx").read_bytes()
    assert scan_model(demo).is_written_in(memoryview(demo))


def pytorch_model() -> onnx.ModelProto:
    """With what PyTorch's two exporters write beside a network: the source's lines, scopes, shapes inside, versions."""
    model = tiny_graph([0.0, 9.0, 0.0])
    model.producer_name, model.producer_version, model.doc_string = "pytorch", "2.9.0", "exported"
    model.metadata_props.add(key="pkg.torch.export.ExportedProgram.graph_signature", value="# inputs\n" * 50)
    for node in model.graph.node:
        node.doc_string = 'File "train.py", line 12, in forward\n'
        node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value='File "train.py", line 12\n' * 20)
    model.graph.value_info.append(helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1]))
    model.graph.initializer[0].doc_string = "weights"
    model.graph.input[0].doc_string = "the picture"
    model.graph.input[0].type.denotation = "IMAGE"
    model.graph.doc_string = "graph"
    return model


def test_notes_shapes_and_unknown_fields_are_not_kept() -> None:
    loud = pytorch_model().SerializeToString(deterministic=True) + field(999, b"\0" * 5000) + field(3000, 7)
    new = onnx.ModelProto.FromString(kept(loud))
    bare = onnx.ModelProto.FromString(loud)
    for part in (bare, bare.graph, *bare.graph.node, *bare.graph.initializer, *bare.graph.input):
        part.ClearField("doc_string")
        if not isinstance(part, onnx.ValueInfoProto):
            part.ClearField("metadata_props")
    bare.graph.input[0].type.ClearField("denotation")
    bare.graph.ClearField("value_info")
    bare.DiscardUnknownFields()
    assert new == bare
    assert kept(kept(loud)) == kept(loud)


WEIGHTS = np.arange(3000, dtype=np.float32)


@pytest.mark.parametrize(
    "tensor",
    [
        numpy_helper.from_array(WEIGHTS, "w"),
        helper.make_tensor("w", TensorProto.FLOAT, [3000], WEIGHTS.tolist()),
        helper.make_tensor("w", TensorProto.INT64, [3000], range(-1500, 1500)),
        helper.make_tensor("w", TensorProto.INT8, [3000], [-1] * 3000),
        helper.make_tensor("w", TensorProto.FLOAT16, [3000], WEIGHTS.tolist()),
        helper.make_tensor("w", TensorProto.DOUBLE, [3000], WEIGHTS.tolist()),
        helper.make_tensor("w", TensorProto.BOOL, [4], [True, False, True, True]),
    ],
    ids=lambda tensor: TensorProto.DataType.Name(tensor.data_type),
)
def test_weights_are_kept_as_the_library_writes_them_and_large_ones_are_no_part_of_the_outline(
    tensor: onnx.TensorProto,
) -> None:
    model = tiny_graph([0.0, 9.0, 0.0])
    model.graph.initializer.append(tensor)
    whole = model.SerializeToString(deterministic=True)
    scanned = scan_model(whole)
    assert b"".join(scanned.pieces()) == whole
    outline = onnx.ModelProto.FromString(scanned.outline).graph.initializer[-1]
    assert list(outline.dims) == list(tensor.dims)
    assert bool(outline.raw_data or outline.int32_data) == (tensor.dims[0] <= 1024)


def test_lists_may_be_packed_or_not() -> None:
    """Protobuf's readers must take both (encoding guide, "Packed repeated fields"); what is kept is as ONNX says."""
    floats = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.5, -2.0])
    numbers = b"".join(b"\x25" + np.float32(value).tobytes() for value in (1.5, -2.0))
    one_by_one = field(1, 2) + field(2, 1) + numbers + field(8, "w")
    packed_dims = (
        field(1, varint(2)) + field(2, 1) + field(4, np.array([1.5, -2.0], np.float32).tobytes()) + field(8, "w")
    )
    wanted = scan_model(in_graph(field(5, floats.SerializeToString(deterministic=True)))).outline
    assert scan_model(in_graph(field(5, one_by_one))).outline == wanted
    assert scan_model(in_graph(field(5, packed_dims))).outline == wanted


def test_a_varint_that_is_longer_than_it_must_be_is_kept_short() -> None:
    long_version = b"\x08" + b"\x88\x80\x80\x80\x00"
    assert kept(long_version + WHOLE[2:]) == WHOLE


MANY_PARTS = "more parts than any policy"
CROWDS = [
    ("operators", in_graph(empty(1)), "more than 4096 operators"),
    ("weights", in_graph(empty(5)), "of a type or shape"),
    ("inputs", in_graph(empty(11)), "more than 4096 inputs"),
    ("outputs", in_graph(empty(12)), "more than 64 outputs"),
    ("shapes inside", in_graph(empty(13)), MANY_PARTS),
    ("annotations", in_graph(empty(14)), MANY_PARTS),
    ("metadata of the graph", in_graph(empty(16)), MANY_PARTS),
    ("metadata", WHOLE + empty(14), MANY_PARTS),
    ("versions of operators", WHOLE + empty(8), "more than 64 versions of operators"),
    ("unknown fields", WHOLE + empty(999), MANY_PARTS),
    ("unknown numbers", WHOLE + (varint(999 << 3) + b"\x01") * CROWD, MANY_PARTS),
    ("graphs", WHOLE + empty(7), "is not an ONNX model"),
    ("functions", WHOLE + empty(25), "functions or training"),
    ("training", WHOLE + empty(20), "functions or training"),
    ("inputs of an operator", in_node(empty(1)), "more than 1024 inputs of one operator"),
    ("outputs of an operator", in_node(empty(2)), "more than 64 outputs of one operator"),
    ("attributes", in_node(empty(5)), "more than 64 attributes of one operator"),
    ("metadata of an operator", in_node(empty(9)), MANY_PARTS),
    ("packed floats", in_attribute(field(7, b"\0" * 4 * CROWD)), "more than 1024 numbers of one attribute"),
    ("floats", in_attribute(b"\x3d\0\0\0\0" * CROWD), "more than 1024 numbers of one attribute"),
    ("packed integers", in_attribute(field(8, b"\x01" * CROWD)), MANY_PARTS),
    ("integers", in_attribute(b"\x40\x01" * CROWD), "more than 1024 numbers of one attribute"),
    ("texts", in_attribute(empty(9)), "more than 64 texts of one attribute"),
    ("tensors", in_attribute(empty(10)), "attribute of a kind"),
    ("graphs of an attribute", in_attribute(empty(11)), "uses the operator 'Relu', which holds an inner graph"),
    ("dimensions", in_tensor(b"\x08\x01" * CROWD), MANY_PARTS),
    ("packed dimensions", in_tensor(field(1, b"\x01" * CROWD)), MANY_PARTS),
    ("external data", in_tensor(empty(13)), MANY_PARTS),
    ("floats of a tensor", in_tensor(field(1, CROWD), field(2, 1), b"\x25\0\0\0\0" * CROWD), MANY_PARTS),
    (
        "numbers listed as varints",
        in_tensor(field(1, 1 << 21), field(2, 7), field(7, b"\x01" * (1 << 21))),
        "lists its values one by one",
    ),
    ("shape of an input", in_graph(field(11, field(2, field(1, field(2, empty(1)))))), "more than 64 dimensions"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), [case[1:] for case in CROWDS], ids=[case[0] for case in CROWDS])
def test_a_crowd_of_small_parts_is_refused_by_its_number(content: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        scan_model(content)


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = field(1, field(4, "If") + field(5, field(6, inner)))
    return inner


LONG = "n" * 513
ODD = [
    ("a name of 513 bytes", in_node(field(3, LONG)), "a name of 513 bytes"),
    ("an operator's name", in_node(field(7, LONG)), "a name of 513 bytes"),
    ("a name that is not UTF-8", in_graph(field(11, field(1, b"\xc0\xae"))), "that is not text"),
    ("a name with a control character", in_node(field(3, "a\x1b[2J")), "cannot be printed"),
    ("a text of an attribute", in_attribute(field(4, LONG)), "a text of 513 bytes"),
    ("17 MB of documentation", WHOLE + field(6, b"d" * (MAX_DROPPED_BYTES + 1)), "more than 16 MB beside its network"),
    ("17 MB that nobody knows", WHOLE + field(999, bytes(MAX_DROPPED_BYTES + 1)), "more than 16 MB beside its network"),
    ("graphs in graphs", HEAD + field(7, nested(5000)), "uses the operator 'If', which holds an inner graph"),
    ("a group", WHOLE + b"\x0b\x0c", "is not an ONNX model"),
    ("field 0", WHOLE + b"\x02\x00", "is not an ONNX model"),
    ("a tag beyond 32 bits", WHOLE + varint(1 << 35 | 2) + b"\0", "is not an ONNX model"),
    ("a varint of 11 bytes", b"\x08" + b"\x80" * 10 + b"\x01", "is not an ONNX model"),
    ("a length beyond the end", WHOLE + b"\x72\xff\xff\xff\xff\x07", "is not an ONNX model"),
    ("a number where a message belongs", WHOLE + b"\x38\x01", "is not an ONNX model"),
    ("a message where a number belongs", field(1, b"\x08") + WHOLE[2:], "is not an ONNX model"),
    ("two versions", field(1, 8) + WHOLE, "is not an ONNX model"),
    ("two names of an operator", in_node(field(4, "Loop")), "is not an ONNX model"),
    ("data twice", in_tensor(field(1, 1), field(2, 1), field(9, bytes(4)), field(4, bytes(4))), "holds its data twice"),
    ("raw data twice", in_tensor(field(1, 2), field(2, 1), field(9, bytes(4)) * 2), "holds its data twice"),
    ("types twice", in_tensor(field(1, 1), field(2, 1), field(2, 7), field(9, bytes(4))), "is not an ONNX model"),
    ("floats as integers", in_tensor(field(1, 1), field(2, 1), field(7, b"\x05")), "holds its data twice"),
    ("a type of 33 bits", in_tensor(field(1, 1), field(2, (1 << 32) + 1), field(9, bytes(4))), "of a type or shape"),
    ("a place beyond 32 bits", in_tensor(field(1, 1), field(2, 1), field(14, 1 << 32), field(9, bytes(4))), "outside"),
    ("texts", in_tensor(field(1, 1), field(2, 8), field(6, b"word")), "of a type or shape"),
    ("a segment", in_tensor(field(1, 1), field(2, 1), field(3, b""), field(9, bytes(4))), "of a type or shape"),
    ("half a number", in_tensor(field(1, 3), field(2, 10), field(9, bytes(5))), "says 3 elements but holds 2.5"),
    ("a varint cut off", in_tensor(field(1, 1), field(2, 7), field(7, b"\x81")), "is not an ONNX model"),
    ("a long varint", in_tensor(field(1, 1), field(2, 7), field(7, b"\x80" * 10 + b"\x01")), "is not an ONNX model"),
    ("a sequence", in_graph(field(11, field(1, "s") + field(2, field(4, b"")))), "is no tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), [case[1:] for case in ODD], ids=[case[0] for case in ODD])
def test_what_no_exporter_writes_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        scan_model(content)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_what_is_kept_is_read_alike_by_the_library_and_kept_again(data: st.DataObject) -> None:
    """Damaged, cut or joined: it is refused, or what is kept is canonical, without anything unknown."""
    content = bytearray(data.draw(st.sampled_from([WHOLE, pytorch_model().SerializeToString()])))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content += data.draw(st.binary(max_size=8))
    try:
        new = kept(bytes(content))
    except BadInput:
        return
    read = onnx.ModelProto.FromString(new)
    assert read.SerializeToString(deterministic=True) == new
    assert kept(new) == new
    known = onnx.ModelProto.FromString(new)
    known.DiscardUnknownFields()
    assert known == read
    assert [read.doc_string, len(read.metadata_props), len(read.graph.value_info)] == ["", 0, 0]
