"""The gradient rescaler that rl_coach puts before every head: `(1 - r) * stop_gradient([x]) + r * [x]`, then `[0]`.

It is x, whatever r is, if both halves are of one and the same x; anything else is computed as it stands, or refused.
"""

import json
import struct

import numpy as np
import pytest

from shared.errors import BadInput
from tests.vehicle.models.tensorflow.frozen_graphs import converted
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
    shape,
)
from tests.vehicle.sample_parts import METADATA
from vehicle.models.metadata import parse_metadata
from vehicle.models.running.onnx_check import allowed_graph
from vehicle.models.running.session import open_session
from vehicle.models.tensorflow.graphdef import Node, read_graph
from vehicle.models.tensorflow.numpy_ops import BINARY, UNARY, compute
from vehicle.models.tensorflow.parity import compare, evaluate_frozen, frozen_answers, observations
from vehicle.models.tensorflow.policy_head import find_head

DTYPE = attribute("dtype", field(6, 1))
SCALAR = attribute("shape", field(7, b""))
ANY_RANK = attribute("shape", field(7, field(3, 1)))
SHRINK = attribute("shrink_axis_mask", field(3, 1))


def numbers(name: str, *values: float) -> bytes:
    """A constant row of these values."""
    return constant(name, (1, len(values)), content=np.array(values, "<f4").tobytes())


def stage(*r: bytes, again: str = "x", packed: bool = True, rescaler: str = "r") -> bytes:
    """A policy with the stage between its one dense layer and its softmax; `again` is the input of its second half."""
    pack = (node("pack", "Pack", ("x",)), node("pack_1", "Pack", (again,)))
    first, second = ("pack", "pack_1") if packed else ("x", again)
    begin = (integers("zero", 0), integers("one", 1), integers("step", 1))
    sliced = node("sliced", "StridedSlice", ("add", "zero", "one", "step"), SHRINK)
    return graph(
        *dense()[:-1],
        numbers("lively", 0.0, 1.0, -1.0),
        node("x", "BiasAdd", ("fc", "lively")),
        node("y", "Tanh", ("x",)),
        *r,
        constant("sub/x", (), 1.0),
        node("sub", "Sub", ("sub/x", rescaler)),
        *(pack if packed else ()),
        node("stop", "StopGradient", (first,)),
        node("mul", "Mul", ("sub", "stop")),
        node("mul_1", "Mul", (rescaler, second)),
        node("add", "AddV2", ("mul", "mul_1")),
        *((*begin, sliced) if packed else ()),
        node(HEAD, "Softmax", ("sliced" if packed else "add",)),
    )


METADATA_ = parse_metadata(json.dumps(METADATA).encode())


def operators(content: bytes) -> list[str]:
    """The operators of the converted policy, in order."""
    return [one.op_type for one in allowed_graph(content).node]


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "bare"])
@pytest.mark.parametrize("value", [1.0, 0.0, 0.25, 0.3, 0.7, 1e-6, 17.0, -3.0])
def test_it_is_nothing_whatever_its_constant(value: float, packed: bool) -> None:
    content, head = converted(read_graph(stage(constant("r", (), value), packed=packed)), METADATA_)
    assert operators(content) == ["Flatten", "Gemm", "Softmax", "Identity"]
    assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5


@pytest.mark.parametrize(
    "r",
    [
        (constant("v", (), 0.5), node("r", "Identity", ("v",))),
        (constant("v", (), 0.5), node("r", "PlaceholderWithDefault", ("v",), DTYPE)),
        (constant("v", (1,), 0.5), integers("sizes_r", 1), node("r", "Reshape", ("v", "sizes_r"))),
        (node("r", "Placeholder", (), DTYPE, SCALAR),),
        (node("r", "Placeholder", (), DTYPE, ANY_RANK),),
        (node("r", "Placeholder", (), DTYPE),),
    ],
    ids=["identity", "default", "one of a row", "placeholder", "of any rank", "of no shape"],
)
def test_it_is_nothing_however_it_was_frozen_or_left_open(r: tuple[bytes, ...]) -> None:
    content, head = converted(read_graph(stage(*r)), METADATA_)
    assert operators(content) == ["Flatten", "Gemm", "Softmax", "Identity"]
    assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_halves_of_two_values_are_added_as_they_stand(value: float) -> None:
    content, head = converted(read_graph(stage(constant("r", (), value), again="y")), METADATA_)
    assert "Tanh" in operators(content)
    assert "Add" in operators(content)
    expected = evaluate_frozen(head, observations(head.shapes))
    assert compare(expected, head.shapes, open_session(content)) < 1e-5
    straight, _ = converted(read_graph(stage(constant("r", (), value))), METADATA_)
    assert content != straight


def test_what_the_file_leaves_open_may_not_matter() -> None:
    with pytest.raises(BadInput, match="depends on 'r', which the file leaves open"):
        converted(read_graph(stage(node("r", "Placeholder", (), DTYPE, SCALAR), again="y")), METADATA_)


def test_a_placeholder_that_only_must_run_first_is_no_input() -> None:
    waiting = node("waits", "Identity", ("fc", "^is_training")), node("is_training", "Placeholder", (), DTYPE)
    nodes = [*dense()[:-1], *waiting, node(HEAD, "Softmax", ("waits",))]
    assert find_head(read_graph(graph(*nodes)), METADATA_).free == ()


@pytest.mark.parametrize("axis", [0, 1, -3, -2])
def test_a_stack_of_one_may_stand_at_any_place_before_the_values(axis: int) -> None:
    made = node("pack", "Pack", ("fc",), attribute("axis", field(3, axis)))
    back = node("back", "Squeeze", ("pack",), attribute("squeeze_dims", field(1, field(3, axis))))
    content, head = converted(read_graph(graph(*dense()[:-1], made, back, node(HEAD, "Softmax", ("back",)))), METADATA_)
    assert operators(content) == ["Flatten", "Gemm", "Softmax", "Identity"]
    assert frozen_answers(head).shape == (4, 3)


@pytest.mark.parametrize("axis", [2, -1, 3, -4])
def test_a_stack_behind_the_values_turns_them_about_and_is_refused(axis: int) -> None:
    made = node("pack", "Pack", ("fc",), attribute("axis", field(3, axis)))
    with pytest.raises(BadInput, match="Pack"):
        converted(read_graph(graph(*dense()[:-1], made, node(HEAD, "Softmax", ("pack",)))), METADATA_)


def test_a_layer_that_is_read_twice_keeps_its_value_without_the_bias() -> None:
    nodes = [
        *dense()[:-1],
        numbers("bias", 1.0, 2.0, 3.0),
        node("through", "Identity", ("fc",)),
        node("biased", "BiasAdd", ("through", "bias")),
        node("sum", "Add", ("biased", "fc")),
        node(HEAD, "Softmax", ("sum",)),
    ]
    content, head = converted(read_graph(graph(*nodes)), METADATA_)
    assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5


@pytest.mark.parametrize(
    ("op", "more", "made"),
    [
        ("Square", (), "Mul"),
        ("CheckNumerics", (), "Gemm"),
        ("EnsureShape", (), "Gemm"),
        ("Snapshot", (), "Gemm"),
        ("Selu", (), "Selu"),
        ("Softplus", (), "Softplus"),
        ("Relu6", (), "Clip"),
    ],
)
def test_what_rl_coach_could_ask_for_is_read(op: str, more: tuple[str, ...], made: str) -> None:
    nodes = [*dense()[:-1], node("o", op, ("fc", *more)), node(HEAD, "Softmax", ("o",))]
    content, head = converted(read_graph(graph(*nodes)), METADATA_)
    assert made in operators(content)
    assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5


def test_clipped_inputs_are_read() -> None:
    """rl_coach's embedder may clip what it sees: as two operators, and as one in later versions of TensorFlow."""
    low, high = constant("low", (), 0.1), constant("high", (), 0.6)
    for clipped in (
        [node("c", "ClipByValue", ("part", "low", "high"))],
        [node("m", "Minimum", ("part", "high")), node("c", "Maximum", ("m", "low"))],
    ):
        first, *rest = dense()
        nodes = [first, constant("by", (), 255.0), node("part", "RealDiv", (SEEN, "by")), low, high, *clipped]
        flat = node("flat", "Reshape", ("c", "sizes"))
        nodes += [flat if one.startswith(field(1, "flat")) else one for one in rest]
        content, head = converted(read_graph(graph(*nodes)), METADATA_)
        assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5


def test_the_shape_of_a_placeholder_says_what_it_is() -> None:
    eyes = node("x/EYES", "Placeholder", (), DTYPE, attribute("shape", field(7, shape(-1, 3))))
    nodes = [*dense()[:-1], eyes, node("both", "Add", ("fc", "x/EYES")), node(HEAD, "Softmax", ("both",))]
    with pytest.raises(BadInput, match="uses 'EYES'"):
        converted(read_graph(graph(*nodes)), METADATA_)


def scalar(name: str, value: float) -> bytes:
    """A constant without a shape."""
    return constant(name, (), value)


def half(name: str, factor: str) -> bytes:
    """One summand."""
    return node(name, "Mul", (factor, "x"))


CHAINS: dict[str, tuple[bytes, ...]] = {
    "r = c c": (node("r", "Mul", ("c1", "c2")), node("q", "Sub", ("one", "r"))),
    "r = 1 - (1 - c)": (
        node("q0", "Sub", ("one", "c1")), node("r", "Sub", ("one", "q0")), node("q", "Sub", ("one", "r")),
    ),
    "1 + (-r)": (node("r", "Identity", ("c1",)), node("n", "Neg", ("r",)), node("q", "AddV2", ("one", "n"))),
    "r = c / c / c": (
        node("d", "RealDiv", ("c2", "c1")), node("r", "RealDiv", ("d", "c1")), node("q", "Sub", ("one", "r")),
    ),
    "r = sqrt(c^2)": (node("s", "Square", ("c1",)), node("r", "Sqrt", ("s",)), node("q", "Sub", ("one", "r"))),
    "r = c + c + c": (node("s", "AddN", ("c1", "c1")), node("r", "AddN", ("s", "c1")), node("q", "Sub", ("one", "r"))),
    "r clipped": (
        node("s", "ClipByValue", ("c2", "c1", "one")), node("r", "Minimum", ("s", "one")),
        node("q", "Sub", ("one", "r")),
    ),
    "r leaks": (node("s", "LeakyRelu", ("c1",)), node("r", "Maximum", ("s", "c1")), node("q", "Sub", ("one", "r"))),
}  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_scalars_are_computed_however_many_steps_they_take(chain: tuple[bytes, ...]) -> None:
    nodes = [
        *dense()[:-1],
        numbers("lively", 0.0, 1.0, -1.0),
        node("x", "BiasAdd", ("fc", "lively")),
        *(scalar("one", 1.0), scalar("c1", 0.25), scalar("c2", 0.5)),
        *chain,
        half("first", "q"),
        half("second", "r"),
        node("sum", "AddV2", ("first", "second")),
        node(HEAD, "Softmax", ("sum",)),
    ]
    content, head = converted(read_graph(graph(*nodes)), METADATA_)
    straight, _ = converted(read_graph(graph(*nodes[:7], node(HEAD, "Softmax", ("x",)))), METADATA_)
    assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5
    assert compare(frozen_answers(head), head.shapes, open_session(straight)) < 1e-5


@pytest.mark.parametrize("op", [op for op in [*UNARY, *BINARY, "AddN", "ClipByValue", "LeakyRelu"] if op != "BiasAdd"])
def test_every_operator_makes_an_array_of_scalars(op: str) -> None:
    count = 1 if op in UNARY or op == "LeakyRelu" else 3 if op == "ClipByValue" else 2
    for kind in (np.float32, np.int32):
        found = compute(Node("n", op), [np.array(2, kind)] * count)
        assert isinstance(found, np.ndarray)
        assert found.shape == ()


@pytest.mark.parametrize(("op", "count"), [("ExpandDims", 1), ("ConcatV2", 1), ("ConcatV2", 3)])
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_an_axis_is_a_number_or_a_row_of_one(op: str, count: int, kind: type) -> None:
    parts = [np.arange(6.0).reshape(2, 3)] * count
    for axis in (0, 1, -1):
        found, row = (compute(Node("n", op), [*parts, np.array(given, kind)]) for given in (axis, [axis]))
        assert found is not None
        assert row is not None
        assert np.array_equal(found, row)
    with pytest.raises(BadInput, match=f"{op} at 'n' does not fit its inputs"):
        compute(Node("n", op), [*parts, np.array([0, 1], kind)])


@pytest.mark.parametrize("row", [False, True], ids=["number", "row"])
def test_a_live_row_is_set_up_and_joined_along_either(row: bool) -> None:
    sizes = (1,) if row else ()
    last = constant("last", sizes, content=struct.pack("<i", -1), dtype=3)
    first = constant("first", sizes, content=struct.pack("<i", 0), dtype=3)
    begin = (integers("zero", 0), integers("one", 1), integers("step", 1))
    nodes = [
        *dense(2)[:-1],
        constant("more", (19200, 1), 0.002),
        node("fc_1", "MatMul", ("flat", "more")),
        last,
        node("x", "ConcatV2", ("fc", "fc_1", "last")),
        first,
        node("set", "ExpandDims", ("x", "first")),
        *begin,
        node("sliced", "StridedSlice", ("set", "zero", "one", "step"), SHRINK),
        node(HEAD, "Softmax", ("sliced",)),
    ]
    content, head = converted(read_graph(graph(*nodes)), METADATA_)
    assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5


@pytest.mark.parametrize("op", ["ExpandDims", "ConcatV2"])
def test_a_live_row_along_two_axes_is_refused(op: str) -> None:
    nodes = [*dense()[:-1], integers("axes", 0, 1), node("x", op, ("fc", "axes")), node(HEAD, "Softmax", ("x",))]
    with pytest.raises(BadInput, match=op):
        converted(read_graph(graph(*nodes)), METADATA_)


@pytest.mark.parametrize("factors", [("d1", "d2"), ("d1", "d2", "d3"), ("d3", "d1", "d2", "one")])
def test_a_picture_is_flattened_by_the_product_of_its_own_sizes(factors: tuple[str, ...]) -> None:
    nodes = [placeholder(), node("shape", "Shape", (SEEN,)), integers("step", 1)]
    nodes.append(constant("one", (), content=struct.pack("<i", 1), dtype=3))
    for place in range(4):
        bounds = integers(f"b{place}", place), integers(f"e{place}", place + 1)
        nodes += [*bounds, node(f"d{place}", "StridedSlice", ("shape", f"b{place}", f"e{place}", "step"), SHRINK)]
    made = factors[0]
    for count, factor in enumerate(factors[1:]):
        nodes.append(node(f"m{count}", "Mul", (made, factor)))
        made = f"m{count}"
    flat = [node("sizes", "Pack", ("d0", made)), node("flat", "Reshape", (SEEN, "sizes"))]
    nodes += [*flat, *dense()[3:]]
    content, head = converted(read_graph(graph(*nodes)), METADATA_)
    assert operators(content) == ["Flatten", "Gemm", "Softmax", "Identity"]
    assert compare(frozen_answers(head), head.shapes, open_session(content)) < 1e-5
