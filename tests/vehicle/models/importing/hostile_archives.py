"""What a hostile or unlucky racer brings: each file must be refused with a sentence that holds its words."""

import bz2
import functools
import gzip
import json
import lzma
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onnx import TensorProto, helper

from tests.vehicle.models.importing.tars import Member, crowd, pax, tar, tar_gz
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
from tests.vehicle.sample_parts import ACTIONS, METADATA, tiny_graph

NAME = b"model_metadata.json"
GOOD = json.dumps(METADATA).encode()
PB = graph(*dense())
OTHER = graph(*dense(), node("idle", "NoOp"))
GOOD_ONES = (Member(b"agent/model.pb", PB), Member(NAME, GOOD))
SAC_HEAD = HEAD.replace("/main/", "/policy/").replace("ppo", "sac_policy")


@dataclass(frozen=True)
class Hostile:
    """A file: its name, words of the expected refusal, its content, and the metadata beside it (None: none).

    The content of a large file is a function that makes it, so that only the test that uses it pays for it.
    """

    name: str
    words: str
    source: bytes | Callable[[], bytes]
    beside: bytes | None = GOOD

    @functools.cached_property
    def content(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source()


def large(words: str, make: Callable[[], bytes]) -> Hostile:
    """An archive that takes long to make."""
    return Hostile("model.tar.gz", words, make, None)


def packed(words: str, *members: Member, name: str = "model.tar.gz", **how: Any) -> Hostile:
    """An archive of a good model and its metadata, followed by these members."""
    return Hostile(name, words, tar_gz(*GOOD_ONES, *members, **how), None)


def frozen(words: str, *nodes: bytes) -> Hostile:
    """A bare frozen graph of these nodes."""
    return Hostile("model.pb", words, graph(*nodes))


def with_metadata(words: str, **changes: Any) -> Hostile:
    """A good graph with other metadata."""
    return Hostile("model.pb", words, PB, json.dumps(METADATA | changes).encode())


def ended(words: str, last: str, inputs: tuple[str, ...], *more: bytes) -> Hostile:
    """A graph whose policy is computed by another last operator."""
    return frozen(words, *dense()[:-1], *more, node(HEAD, last, inputs))


def onnx_file(words: str, *nodes: Any, weights: tuple[Any, ...] = (), answer: str = "policy") -> Hostile:
    """An ONNX file of these operators between the picture and the answer."""
    graph_ = helper.make_graph(
        list(nodes),
        "hostile",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 120, 160])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, [1, 3])],
        list(weights),
    )
    model = helper.make_model(graph_, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Hostile("model.onnx", words, model.SerializeToString())


def _body() -> Any:
    return helper.make_graph([], "body", [], [])


TAR = tar(*GOOD_ONES)
ARCHIVES = [
    packed("a link", Member(b"evil", kind=b"2", link=b"/etc/passwd")),
    packed("a hard link", Member(b"evil", kind=b"1", link=b"../../secret")),
    packed("a device", Member(b"evil", kind=b"3")),
    packed("a device", Member(b"evil", kind=b"4")),
    packed("a pipe", Member(b"evil", kind=b"6")),
    packed("a sparse file", Member(b"evil", kind=b"S")),
    packed("something unknown", Member(b"evil", kind=b"Z")),
    packed("a link", Member(NAME + b"x", GOOD, kind=b"2", link=NAME)),
    packed("leads out", Member(b"../evil.pb", b"x")),
    packed("leads out", Member(b"agent/../../evil.onnx", b"x")),
    packed("leads out", Member(b"/etc/cron.d/evil.pb", b"x")),
    packed("leads out", Member(b"../" + NAME, GOOD)),
    packed("leads out", Member(b"logs/../checkpoint", b"x")),
    packed("leads out", Member(b"\xe6\x97\xa5/../evil.pb", b"x")),
    packed("leads out", pax(path="../evil.pb"), Member(b"good", b"x")),
    packed("leads out", Member(b"long", b"../evil.pb\0", kind=b"L"), Member(b"good", b"x")),
    packed("leads out", Member(b"evil.pb", b"x", prefix=b"..")),
    Hostile("model.tar.gz", "no model_metadata", tar_gz(pax(path="x" * 300 + ".pb"), Member(b"m", PB)), None),
    Hostile("model.tar.gz", "no model:", tar_gz(Member(b"bell.pb\x07", PB), Member(NAME, GOOD)), None),
    packed("longer than any", Member(b"long", b"x" * 70_000, kind=b"L"), Member(b"good", b"x")),
    packed("twice, and they differ", Member(b"agent/model.pb", OTHER)),
    packed("twice, and they differ", Member(b"./agent//model.pb", OTHER)),
    packed("twice, and they differ", Member(b"agent/model.pb")),
    packed("twice, and they differ", Member(NAME, b"{}")),
    packed("two models", Member(b"other.pb", OTHER)),
    packed("two models", Member(b"other.onnx", b"x")),
    packed("2 different files", Member(b"agent/" + NAME, b"{}")),
    large("more than 20000 files", lambda: tar_gz(*GOOD_ONES, *crowd(20_000))),
    packed("too large", Member(b"bomb", size=1 << 40)),
    packed("not a complete", Member(b"minus", size=-512)),
    packed("too large", pax(size=str(1 << 40)), Member(b"bomb")),
    packed("not a complete", pax(size="-1"), Member(b"minus")),
    packed("sparse", pax(GNU__sparse__map="0,1"), Member(b"holes")),
    packed("not a complete", Member(b"pax", b"99 path=x\n", kind=b"x"), Member(b"good")),
    packed("not a complete", Member(b"torn", b"x", size=100_000), end=b""),
    packed("not a complete", end=b"rubbish" * 200),
    large("times its size", lambda: tar_gz(*GOOD_ONES, Member(b"zeros", bytes(100 << 20)))),
    Hostile("model.tar.gz", "at most 262144", tar_gz(Member(b"model.pb", PB), Member(NAME, b" " * 270_000)), None),
    Hostile("model.tar.gz", "no model:", tar_gz(Member(NAME, GOOD)), None),
    Hostile("model.tar.gz", "no model_metadata", tar_gz(Member(b"model.pb", PB)), None),
    Hostile("model.tar.gz", "damaged on the way", tar_gz(Member(b"model.pb", PB), Member(NAME, GOOD))[:-30], None),
    Hostile("model.tar.gz", "damaged on the way", b"\x1f\x8b" + b"\xff" * 500, None),
    Hostile("model.tar.gz", "not a complete", gzip.compress(b"no tar at all"), None),
    Hostile("model.tar.gz", "not a complete", tar(Member(b"model.pb", PB), Member(NAME, GOOD))[:-1100], None),
    Hostile("model.tar", "a link", tar(Member(b"model.pb", kind=b"2", link=b"/etc/passwd"), Member(NAME, GOOD)), None),
    Hostile("model.zip", "not a tar.gz", b"PK\x03\x04" + bytes(200), None),
    Hostile("model.tar.gz", "not a tar.gz", b"", None),
    Hostile("model.tar.gz", "packed with bzip2, which is not supported", bz2.compress(TAR), None),
    Hostile("model.tar.xz", "packed with xz, which is not supported", lzma.compress(TAR), None),
    Hostile("model.tar.gz", "packed with xz, which is not supported", gzip.compress(lzma.compress(TAR)), None),
    Hostile("model.zip", "packed with 7-Zip, which is not supported", b"7z\xbc\xaf\x27\x1c" + bytes(600), None),
    Hostile("model.zip", "packed with RAR, which is not supported", b"Rar!\x1a\x07" + bytes(600), None),
    Hostile("model.tar.gz", "a zip archive within gzip", gzip.compress(b"PK\x03\x04" + bytes(600)), None),
    Hostile("model.tar.gz", "not a complete", gzip.compress(gzip.compress(gzip.compress(TAR))), None),
    Hostile("model.tar.gz", "damaged on the way", gzip.compress(gzip.compress(TAR))[:-30], None),
    Hostile("model.tar.gz", "damaged on the way", gzip.compress(gzip.compress(TAR)[:-30]), None),
    large("times its size", lambda: gzip.compress(gzip.compress(bytes(100 << 20), 9))),
]

GRAPHS = [
    Hostile("model.pb", "metadata is missing", PB, None),
    Hostile("model.pb", "not text in UTF-8", PB, b"\x00\xff"),
    Hostile("model.pb", "not JSON", PB, b"[" * 60_000),
    Hostile("model.pb", "262144 bytes", PB, b" " * 270_000),
    Hostile("model.pb", "no TensorFlow graph", b""),
    Hostile("model.pb", "truncated", PB[:-3]),
    Hostile("model.pb", "truncated", b"\xff" * 64),
    Hostile("model.pb", "truncated", b"\x0a\xff\xff\xff\xff\x7f"),
    Hostile("model.pb", "more parts", b"\x48\x01" * 300_000),
    Hostile("model.pb", "more than 4000 nodes", graph(*(node(f"n{n}", "NoOp") for n in range(5000)))),
    frozen("two nodes of the name", *dense(), node("fc", "NoOp")),
    frozen("no policy head", placeholder()),
    frozen("2 policy heads", *dense(), node(HEAD.replace("network_1", "network_0"), "Identity", ("fc",))),
    frozen("but its metadata says clipped_ppo", node(SAC_HEAD, "NoOp")),
    frozen("does not contain", *dense()[:-2], node(HEAD, "Softmax", ("nowhere",))),
    frozen("has a cycle", node("a", "Identity", ("b",)), node("b", "Identity", ("a",)), node(HEAD, "Relu", ("a",))),
    frozen("does not use it", constant("c", (1, 3)), node(HEAD, "Softmax", ("c",))),
    ended("uses 'PyFunc'", "PyFunc", ("fc",)),
    ended("uses 'ReadFile'", "ReadFile", ("fc",)),
    ended("uses 'While'", "While", ("fc",)),
    ended("uses 'RandomUniform'", "AddV2", ("fc", "r"), node("r", "RandomUniform", ("sizes",))),
    ended("depends on the sensors", "Identity", ("s:1",), node("s", "Switch", ("fc", "fc"))),
    ended("depends on the sensors", "Identity", ("if",), node("if", "If", ("fc", "fc"))),
    ended("does not contain: export", "Identity", ("if",), constant("no", (), 0.0), node("if", "If", ("no", "fc"))),
    ended("never taken", "Merge", ("s",), constant("yes", (), 1.0), node("s", "Switch", ("fc", "yes"))),
    ended("more than one branch", "Merge", ("fc", "flat")),
    ended("not valid", "Identity", ("fc:99999",)),
    ended("does not fit", "MatMul", ("fc", "weights")),
    ended("has 1 inputs; it takes 2", "Reshape", ("fc",)),  # found by the fuzzer
    ended("has 3 inputs; it takes 2", "Transpose", ("fc", "fc", "fc")),
    ended("has 2 inputs; it takes 1", "LeakyRelu", ("weights", "fc")),
    ended("has 2 inputs; it takes 3", "ClipByValue", ("fc", "weights")),
    ended("joins values of shapes", "Add", ("fc", "wide"), constant("wide", (1, 77))),
    ended("not finite", "Add", ("fc", "nan"), constant("nan", (1, 3), float("nan"))),
    ended("which is not supported", "Add", ("fc", "huge"), constant("huge", (1 << 40,))),
    ended("which is not supported", "Add", ("fc", "deep"), constant("deep", (1,) * 40)),
    ended("elements with", "Add", ("fc", "few"), constant("few", (9,), content=struct.pack("<2f", 1, 2))),
    ended("uses 'Const of another type'", "Add", ("fc", "text"), constant("text", (1,), dtype=7)),
    ended("large constant of small", "Add", ("fc", "outer"), constant("a", (300, 1)), constant("b", (1, 300)),
          node("outer", "Add", ("a", "b"))),
    ended("which is not supported", "Reshape", ("fc", "away"), integers("away", 3, 1)),
    frozen("is padded", placeholder(), constant("k", (8, 8, 1, 2)), node(HEAD, "Conv2D", (SEEN, "k"),
           attribute("strides", field(1, field(3, b"\x01\x04\x04\x01"))), attribute("padding", field(2, "SAME")))),
    frozen("strides that are not supported", placeholder(), constant("k", (8, 8, 1, 2)),
           node(HEAD, "Conv2D", (SEEN, "k"))),
    frozen("must be 120x160x1", placeholder(sizes=(-1, 84, 84, 1)), node(HEAD, "Relu", (SEEN,))),
    frozen("not a vector", placeholder(), node(HEAD, "Relu", (SEEN,))),
    frozen("its metadata names", placeholder("x/EYES"), node(HEAD, "Relu", ("x/EYES",))),
    frozen("do not belong together", *dense(actions=5)),
    with_metadata("does not use it", sensor=["FRONT_FACING_CAMERA", "LIDAR"]),
    with_metadata("one camera and at most one", sensor=["FRONT_FACING_CAMERA", "LEFT_CAMERA"]),
    with_metadata("but its metadata says sac", training_algorithm="sac"),
    with_metadata("a number from", action_space=[{"steering_angle": float("nan"), "speed": 1.0}] * 3),
    with_metadata("list of 1 to", action_space=[]),
    with_metadata("do not belong together", action_space=ACTIONS * 2),
    with_metadata("lidar_config", sensor=["FRONT_FACING_CAMERA", "LIDAR"], lidar_config={"num_values": 10**9}),
]  # fmt: skip

_MEAN = helper.make_node("ReduceMean", ["x"], ["row"], axes=[1, 2, 3], keepdims=0)


def _ended(channels: int) -> list[Any]:
    """From a wide picture to three actions."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [channels, 3], [0.0] * channels * 3)
    return [
        helper.make_node("Constant", [], ["w"], value=weights),
        helper.make_node("ReduceMean", ["wide"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["mean", "w"], ["policy"]),
    ]


ONNX = [
    Hostile("model.onnx", "not an ONNX model", b"MZ" + bytes(300)),
    onnx_file("'Loop'", helper.make_node("Loop", [], ["policy"], body=_body())),
    onnx_file("'If'", helper.make_node("If", ["x"], ["policy"], then_branch=_body(), else_branch=_body())),
    onnx_file("'Scan'", helper.make_node("Scan", ["x"], ["policy"], body=_body(), num_scan_inputs=1)),
    onnx_file("'ConstantOfShape'", helper.make_node("ConstantOfShape", ["n"], ["policy"])),
    onnx_file("'Evil'", helper.make_node("Evil", ["x"], ["policy"], domain="com.example")),
    onnx_file("would have", helper.make_node("Concat", ["x"] * 1000, ["wide"], axis=1), *_ended(1000)),
    onnx_file(
        "million times a frame",
        helper.make_node("Conv", ["x", "k"], ["wide"], pads=[32, 32, 32, 32]),
        *_ended(64),
        weights=(helper.make_tensor("k", TensorProto.FLOAT, [64, 1, 64, 64], bytes(64 * 64 * 64 * 4), raw=True),),
    ),
    onnx_file(
        "no fixed shape",
        _MEAN,
        helper.make_node("Cast", ["row"], ["from"], to=TensorProto.INT64),
        helper.make_node("Cast", ["row"], ["to"], to=TensorProto.INT64),
        helper.make_node("Slice", ["x", "from", "to"], ["wide"]),
        *_ended(1),
    ),
    onnx_file("outside the file", _MEAN, weights=(TensorProto(
        name="w", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL),)),
    Hostile("model.onnx", "failed its trial run", tiny_graph([float("inf")] * 3).SerializeToString()),
    Hostile("model.onnx", "do not belong together", tiny_graph([0.0] * 4, outputs=4).SerializeToString()),
]  # fmt: skip

HOSTILE = ARCHIVES + GRAPHS + ONNX
