"""More hostile files: some that are formally correct, and some with far too much content. As in hostile_archives.py."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests.vehicle.models.importing.hostile_archives import (
    GOOD,
    GOOD_ONES,
    NAME,
    OTHER,
    PB,
    Hostile,
    ended,
    frozen,
    large,
    packed,
)
from tests.vehicle.models.importing.tars import Member, crowd, pax, tar_gz
from tests.vehicle.models.importing.zips import zip_of
from tests.vehicle.models.tensorflow.protobuf_writer import (
    HEAD,
    SEEN,
    attribute,
    constant,
    dense,
    field,
    graph,
    integers,
    node,
    placeholder,
)
from tests.vehicle.sample_parts import METADATA


def with_text(words: str, text: bytes) -> Hostile:
    """A good graph with this text as its metadata."""
    return Hostile("model.pb", words, PB, text)


def archive(words: str, *members: Member) -> Hostile:
    """An archive of these members only."""
    return Hostile("model.tar.gz", words, tar_gz(*members), None)


def crowded(words: str, *members: Member) -> Hostile:
    """An archive of these members before a good model and its metadata."""
    return archive(words, *members, Member(b"agent/model.pb", PB), Member(NAME, GOOD))


FLOOD = Member(b"p", b"5 a=\n" * 13_000, b"x")
LONG = Member(b"p", b"9000 comment=" + b"x" * 8986 + b"\n", b"x")


def zipped(words: str, content: bytes | Callable[[], bytes], name: str = "model.zip") -> Hostile:
    """A zip archive with this content."""
    return Hostile(name, words, content, None)


FILES = {"agent/model.pb": PB, NAME.decode(): GOOD}
ZIPPED = [
    zipped("is encrypted", zip_of(FILES, flags=1)),
    zipped("is encrypted", zip_of(FILES | {"secret.txt": b"x"}, flags_of={"secret.txt": 1})),
    zipped("a link", zip_of(FILES | {"evil": b"/etc/passwd"}, modes={"evil": 0o120777})),
    zipped("something other", zip_of(FILES | {"evil": b""}, modes={"evil": 0o060600})),
    zipped("leads out", zip_of(FILES | {"../evil.pb": b"x"})),
    zipped("leads out", zip_of(FILES | {"/etc/cron.d/evil.pb": b"x"}), "model.tar.gz"),
    zipped("times its size", lambda: zip_of(FILES | {"zeros": bytes(20 << 20)})),
    zipped("unpacks to more", zip_of(FILES, sizes={"agent/model.pb": 0xFFFF_FFF0})),
    zipped("is damaged", zip_of(FILES, sizes={"agent/model.pb": len(PB) + 1})),
    zipped("is damaged", zip_of(FILES, sizes={"agent/model.pb": 5})),
    zipped("is damaged", zip_of(FILES, sums={"agent/model.pb": 1})),
    zipped("packed in a way", zip_of(FILES, method=12)),
    zipped("contradicts itself", zip_of(FILES, local_names={"agent/model.pb": "agent/other.pb"})),
    zipped("two models", zip_of(FILES | {"other.pb": OTHER})),
    zipped("more than 20000", lambda: zip_of(FILES | {f"f{n}": b"" for n in range(20_000)})),
    zipped(
        "no model: it must have one .pb (or .onnx); unpack its 'inner.tar.gz' first", zip_of({"inner.tar.gz": b"x"})
    ),
    zipped("not complete", zip_of(FILES)[:-1]),
    zipped("not complete", zip_of(FILES) + b"x"),
    zipped("not complete", b"PK\x05\x06" + bytes(18) + zip_of(FILES)[:-30]),
    zipped("not complete", zip_of(FILES, begins={"agent/model.pb": 1 << 30})),
    zipped("no model:", zip_of({})),
]

ARCHIVES = [
    crowded("more than 100 pax records", FLOOD),
    crowded("longer than any", *[LONG] * 200),
    crowded("longer than any", Member(b"p", kind=b"x", size=1 << 40)),
    crowded("longer than any", Member(b"long", kind=b"L", size=1 << 30)),
    crowded("not a complete", Member(b"p", b"99999999999999999999999 path=x\n", b"x")),
    crowded("not a complete", Member(b"p", b"0 path=x\n", b"x")),
    crowded("something unknown", Member(b"x", b"../../etc\0", b"K")),
    crowded("something unknown", Member(b"x", b"", b"V")),
    crowded("something unknown", Member(b"x", b"", b"M")),
    crowded("'agent/\\u202eledom.pb'", Member("agent/\u202eledom.pb".encode(), b"x")),
    crowded("'agent/mo\\u200bdel.pb'", Member("agent/mo\u200bdel.pb".encode(), b"x")),
    crowded("two models", Member(b"mod\xff.pb", b"x")),
    archive("two models", Member("mod\u00e9l.pb".encode(), PB), Member("mode\u0301l.pb".encode(), OTHER)),
    archive("two models", Member(b"agent/model.pb", PB), Member(b"agent/Model.pb", OTHER)),
    archive("no model:", Member(b"model.pb", kind=b"5"), Member(NAME, GOOD)),
    archive("no model:", Member(b"model.pb/", PB), Member(NAME, GOOD)),
    archive("no model:", Member(b"model.zip", b"PK\x03\x04" + bytes(300)), Member(NAME, GOOD)),
    archive("truncated", Member(b"agent/model.pb", b"PK\x03\x04" + bytes(300)), Member(NAME, GOOD)),
    archive("truncated", Member(b"agent/model.pb", tar_gz(Member(b"model.pb", PB))), Member(NAME, GOOD)),
    Hostile("model.tar.gz", "no model_metadata", gzip.compress(b"") + tar_gz(Member(b"model.pb", PB)), None),
    large("times its size", lambda: tar_gz(*GOOD_ONES) + gzip.compress(bytes(100 << 20), 9)),
    Hostile("model.tar.gz", "is not gzip", tar_gz(*GOOD_ONES) + b"rubbish" * 100, None),
    Hostile("model.tar.gz", "more than 20000", gzip.compress(b"") * 20_001 + tar_gz(*GOOD_ONES), None),
    Hostile("model.tar.gz", "damaged on the way", tar_gz(*GOOD_ONES)[:-8] + bytes(8), None),
    *ZIPPED,
    large("more than 20000 files", lambda: tar_gz(*GOOD_ONES, *crowd(20_000, b"d%d/", b"5"))),
    packed("longer than any", *[member for n in range(1200) for member in (pax(note="x" * 1500), Member(b"f%d" % n))]),
    large("longer than any", lambda: tar_gz(*GOOD_ONES, *crowd(25_001, b"p%d", b"x"))),
    crowded("more than 20 different", *[Member(b"%d/" % n + NAME, GOOD + b" " * n) for n in range(1, 23)]),
]

ACTIONS = json.dumps(METADATA["action_space"])
METADATAS = [
    with_text(
        "has the key 'sensor' twice", f'{{"action_space": {ACTIONS}, "sensor": ["LEFT_CAMERA"], "sensor": []}}'.encode()
    ),
    with_text("has the key 'speed' twice", b'{"action_space": [{"steering_angle": 1, "speed": 1, "speed": 4}]}'),
    with_text("twice", b"{" + b", ".join(b'"%d": 0' % (number % 6000) for number in range(6001)) + b"}"),
    with_text("The version", f'{{"action_space": {ACTIONS}, "version": NaN}}'.encode()),
    with_text("The version", json.dumps(METADATA | {"version": "\x1b[31m5"}).encode()),
    with_text("The version", json.dumps(METADATA | {"version": "\ud800"}).encode()),
    with_text("The version", json.dumps(METADATA | {"version": "5" * 30}).encode()),
    with_text("The training_algorithm", json.dumps(METADATA | {"training_algorithm": "\ud800\nsac"}).encode()),
    with_text("a number from", b'{"action_space": [{"steering_angle": %s, "speed": 1}]}' % (b"9" * 4000)),
    with_text("not JSON", b'{"action_space": [{"steering_angle": %s, "speed": 1}]}' % (b"9" * 60_000)),
    with_text("a number from", b'{"action_space": [{"steering_angle": 1e999, "speed": 1}]}'),
    with_text("not a JSON object", b"[]"),
    with_text("not a JSON object", b"null"),
    with_text("must be an object", b'{"action_space": [], "action_space_type": "continuous"}'),
]


def _strided(strides: bytes) -> Hostile:
    convolution = (attribute("strides", field(1, field(3, strides))), attribute("padding", field(2, "VALID")))
    return frozen(
        "strides that are not supported",
        placeholder(),
        constant("k", (8, 8, 1, 2)),
        node("c", "Conv2D", (SEEN, "k"), *convolution),
        node(HEAD, "Relu", ("c",)),
    )


SAC_HEAD = HEAD.replace("/main/", "/policy/").replace("ppo", "sac_policy")

GRAPHS = [
    Hostile(
        "model.pb",
        "sac answers continuous",
        graph(*dense()[:-1], node(SAC_HEAD, "Tanh", ("fc",))),
        json.dumps(METADATA | {"training_algorithm": "sac"}).encode(),
    ),
    frozen(
        "all the same number",  # a kilobyte that would become 230 MB
        placeholder(),
        integers("sizes", -1, 19_200),
        node("flat", "Reshape", (SEEN, "sizes")),
        constant("w", (19_200, 3000), 0.1),
        node("a", "MatMul", ("flat", "w")),
        node(HEAD, "Softmax", ("a",)),
    ),
    _strided(b"\x01\x00\x00\x01"),
    _strided(b"\x01" + b"\xff" * 9 + b"\x01" + b"\x04\x01"),
    ended("which is not supported", "Add", ("fc", "odd"), constant("odd", (1 << 62, 4))),
]

_WEIGHTS = numpy_helper.from_array(np.zeros((1, 3), np.float32), "w")
_MEAN = helper.make_node("ReduceMean", ["x"], ["row"], axes=[1, 2, 3], keepdims=0)
_END = (
    helper.make_node("ReduceMean", ["y"], ["mean"], axes=[2, 3], keepdims=0),
    helper.make_node("Gemm", ["mean", "w"], ["policy"]),
)
_KERNEL = numpy_helper.from_array(np.zeros((1, 1, 3, 3), np.float32), "k")


def model(*nodes: Any, weights: tuple[Any, ...] = (), inside: tuple[Any, ...] = ()) -> ModelProto:
    """A model in which these operators lead from the picture `x` to `y`, whose mean becomes the policy."""
    graph = helper.make_graph(
        [*nodes, *_END],
        "cunning",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 120, 160])],
        [helper.make_tensor_value_info("policy", TensorProto.FLOAT, [1, 3])],
        [_WEIGHTS, *weights],
        value_info=inside,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def onnx_file(words: str, *nodes: Any, **more: Any) -> Hostile:
    """An ONNX file with such a model."""
    return Hostile("model.onnx", words, model(*nodes, **more).SerializeToString())


def with_more(words: str, field_name: str, **settings: Any) -> Hostile:
    """A good model with one more entry of a repeated field, of the graph or of the model."""
    proto = model(helper.make_node("Relu", ["x"], ["y"]))
    owner: Any = proto.graph if hasattr(proto.graph, field_name) else proto
    entry = getattr(owner, field_name).add()
    for key, value in settings.items():
        entry_field = getattr(entry, key)
        entry_field.CopyFrom(value) if hasattr(value, "CopyFrom") else setattr(entry, key, value)
    return Hostile("model.onnx", words, proto.SerializeToString())


def _through(op: str, *inputs: str, **settings: Any) -> Any:
    return helper.make_node(op, list(inputs), ["y"], **settings)


def _nested() -> bytes:
    """An allowed operator with an inner graph, ninety deep."""
    proto = model(_through("Relu", "x"))
    inner = proto.graph.node[0].attribute.add(name="evil", type=5)
    for _ in range(90):
        inner = inner.g.node.add().attribute.add(name="evil", type=5)
    inner.g.name = "bottom"
    return bytes(proto.SerializeToString())


_TEXT = TensorProto(name="s", data_type=TensorProto.STRING, dims=[1], string_data=[b"a"])
_LIE = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 120, 160])
_FROM = helper.make_node("Cast", ["row"], ["from"], to=TensorProto.INT64)
_BY_SIGHT = (_MEAN, _FROM, _through("Slice", "x", "from", "from"))

ONNX = [
    with_more("sparse tensors", "sparse_initializer"),
    with_more("functions or training", "functions", name="F", domain="x"),
    with_more("functions or training", "training_info"),
    with_more("2 versions of ONNX's", "opset_import", version=13),
    with_more("two weights of one name", "initializer", name="w", data_type=1, raw_data=bytes(4)),
    onnx_file("of a type or shape", _through("Relu", "x"), weights=(_TEXT,)),
    onnx_file("constant of text", helper.make_node("Constant", [], ["s"], value_string="a"), _through("Relu", "x")),
    *[onnx_file(f"'{op}'", _through(op, "x")) for op in ("Resize", "Tile", "Expand", "NonZero", "RandomNormal")],
    onnx_file("elements; at most", _through("Relu", "x"), weights=(
        TensorProto(name="b", data_type=1, dims=[1 << 33] * 2),)),
    onnx_file("type or shape", _through("Relu", "x"), weights=(TensorProto(name="b", data_type=1, dims=[-1, -1]),)),
    Hostile("model.onnx", "holds an inner graph", _nested()),
    onnx_file("an inner graph", _through("Relu", "x", evil=helper.make_graph([], "b", [], []))),
    onnx_file("no fixed shape", *_BY_SIGHT, inside=(_LIE,)),
    onnx_file("would have", _through("Pad", "x", "p"), weights=(
        numpy_helper.from_array(np.array([0, 0, 1 << 20, 1 << 20] * 2), "p"),)),
    onnx_file("do not fit together", _through("Pad", "x", "p"), weights=(
        numpy_helper.from_array(np.array([0, 0, 1 << 62, 1 << 62] * 2), "p"),)),
    onnx_file("would have", _through("Gather", "x", "i", axis=3), weights=(
        numpy_helper.from_array(np.zeros(1 << 18, np.int64), "i"),)),
    onnx_file("do not fit together", _through("Conv", "x", "k", pads=[1 << 62] * 4), weights=(_KERNEL,)),
    onnx_file("do not fit together", _through("Conv", "x", "k", strides=[0, 0]), weights=(_KERNEL,)),
    onnx_file("million times a frame", _through("MaxPool", "x", kernel_shape=[400, 400], pads=[399] * 4)),
    onnx_file("more than 1024 inputs of one operator", _through("Max", *["x"] * 300_000)),
    onnx_file("million numbers", *[
        helper.make_node("Pad", ["x", "p"], [f"v{n}" if n else "y"]) for n in range(60)
    ], weights=(numpy_helper.from_array(np.array([0, 0, 500, 500] * 2), "p"),)),
    onnx_file("drops values at random", _through("Dropout", "x", "r", "t"), weights=(
        numpy_helper.from_array(np.float32(0.5), "r"), numpy_helper.from_array(np.array(True), "t"))),
    onnx_file("as in training", helper.make_node(
        "BatchNormalization", ["x", "o", "o", "o", "o"], ["y", "m", "v"], training_mode=1
    ), weights=(numpy_helper.from_array(np.ones(1, np.float32), "o"),)),
]  # fmt: skip

CUNNING = ARCHIVES + METADATAS + GRAPHS + ONNX
