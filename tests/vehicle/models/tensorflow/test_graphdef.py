"""The graph's reader: the wire format within limits, and damage to real graphs, which is at worst a refusal."""

import contextlib
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from tests.vehicle.models.tensorflow import protobuf_writer as pb
from tests.vehicle.models.tensorflow.frozen_graphs import DATA
from vehicle.models.metadata import load_metadata
from vehicle.models.protobuf_wire import WireReader, signed, varint
from vehicle.models.tensorflow.converter import convert
from vehicle.models.tensorflow.graphdef import read_graph
from vehicle.models.tensorflow.inlining import policy_order

DEEP = DATA / "tf2v1" / "deep-batchnorm.pb"  # it has functions, branches, normalisation


@given(value=st.integers(-(1 << 63), (1 << 63) - 1))
def test_numbers_come_back_as_they_were_written(value: int) -> None:
    written = pb.varint(value)
    assert (signed(varint(memoryview(written), 0)[0]), len(written)) == (value, varint(memoryview(written), 0)[1])


@given(content=st.binary(max_size=300))
def test_any_bytes_are_fields_or_a_sentence(content: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert sum(len(data) for _, _, _, data in WireReader().fields(memoryview(content))) <= len(content)


@given(sizes=st.lists(st.integers(0, 5), max_size=4), one=st.floats(width=32, allow_nan=False))
def test_one_value_stands_for_all(sizes: list[int], one: float) -> None:
    graph = read_graph(pb.graph(pb.constant("c", tuple(sizes), one)))
    value = graph.nodes["c"].attributes["value"]
    assert isinstance(value, np.ndarray)
    assert value.shape == tuple(sizes)
    assert np.all(value == np.float32(one))


def listed(sizes: tuple[int, ...], values: Sequence[float | int], dtype: int = 1, packed: bool = False) -> bytes:
    """A Const whose values are listed, not given as bytes."""
    number = {1: 5, 2: 6, 3: 7, 9: 10, 10: 11, 19: 13}[dtype]
    if number > 6:
        joined = b"".join(map(pb.varint, map(int, values)))
        each = b"".join(pb.field(number, int(value)) for value in values)
    else:
        joined = struct.pack(f"<{len(values)}{'f' if number == 5 else 'd'}", *values)
        each = pb.field(number, joined) if number == 6 else b"".join(pb.field(5, float(v)) for v in values)
    message = pb.field(1, dtype) + pb.field(2, pb.shape(*sizes))
    message += pb.field(number, joined) if packed else each
    return pb.node("c", "Const", (), pb.attribute("value", pb.field(8, message)))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("sizes", "values", "dtype", "expected"),
    [
        ((3,), [0.5, 0.125], 1, [0.5, 0.125, 0.125]),
        ((2, 2), [1.0, 2.0, 3.0], 1, [1.0, 2.0, 3.0, 3.0]),
        ((2, 3), [7.0, 0.0], 2, [7.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        ((4,), [1, 19200], 3, [1, 19200, 19200, 19200]),
        ((3,), [-1, -2], 3, [-1, -2, -2]),
        ((3,), [-1, 5], 9, [-1, 5, 5]),
        ((3,), [0, 1], 10, [0, 1, 1]),
        ((3,), [0x3C00, 0x4000], 19, [1.0, 2.0, 2.0]),
        ((5,), [], 1, [0.0] * 5),
    ],
)
def test_the_last_value_of_a_list_stands_for_all_that_follow(
    sizes: tuple[int, ...], values: list[float], dtype: int, expected: list[float], packed: bool
) -> None:
    value = read_graph(pb.graph(listed(sizes, values, dtype, packed and bool(values)))).nodes["c"].attributes["value"]
    assert isinstance(value, np.ndarray)
    assert value.shape == sizes
    assert value.ravel().tolist() == expected


@given(values=st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=30), last=st.integers(0, 30))
def test_a_list_without_its_repeated_end_means_the_same(values: list[float], last: int) -> None:
    values += [values[-1]] * last
    full = read_graph(pb.graph(listed((len(values),), values))).nodes["c"].attributes["value"]
    count = len(values)
    while count > 1 and struct.pack("<f", values[count - 2]) == struct.pack("<f", values[-1]):
        count -= 1
    short = read_graph(pb.graph(listed((len(values),), values[:count]))).nodes["c"].attributes["value"]
    assert isinstance(full, np.ndarray)
    assert isinstance(short, np.ndarray)
    assert full.tobytes() == short.tobytes()


def test_a_small_file_does_not_become_a_large_model_by_repeats() -> None:
    many = [listed((400_000,), [1.0, 2.0]).replace(b"\x0a\x01c", b"\x0a\x01" + bytes([at]), 1) for at in b"abc"]
    assert len(read_graph(pb.graph(*many[:2])).nodes) == 2
    with pytest.raises(BadInput, match="all the same number"):
        read_graph(pb.graph(*many))
    with pytest.raises(BadInput, match="3 elements with 4 values"):
        read_graph(pb.graph(listed((3,), [1.0, 2.0, 3.0, 4.0])))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_does_no_worse_than_a_sentence(data: st.DataObject) -> None:
    content = bytearray(DEEP.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    metadata = load_metadata(DEEP.with_suffix(".json"), any_sensors=True)
    with contextlib.suppress(BadInput):
        convert(read_graph(content), metadata)


def test_a_long_chain_is_no_reason_to_fall_over() -> None:
    chain = [pb.node(f"n{n}", "Identity", (f"n{n - 1}" if n else "fc",)) for n in range(3900)]
    graph = read_graph(pb.graph(*pb.dense()[:-1], *chain, pb.node("end", "Identity", ("n3899",))))
    assert policy_order(graph, "end")[-1].name == "end"


def test_branches_within_branches_end() -> None:
    """A function whose `If` calls the function itself."""
    again = [pb.attribute(key, pb.field(10, pb.field(1, "f"))) for key in ("then_branch", "else_branch")]
    body = pb.field(3, pb.node("inner", "If", ("a", "a"), *again))
    signature = pb.field(
        1,
        pb.field(1, "f") + pb.field(2, pb.field(1, "a")) + pb.field(3, pb.field(1, "r")),
    )
    returns = pb.field(4, pb.field(1, "r") + pb.field(2, "inner:output:0"))
    library = pb.field(2, pb.field(1, signature + body + returns))
    nodes = [pb.constant("no", (), 0.0), pb.node("if", "If", ("no", "no"), *again)]
    with pytest.raises(BadInput, match="nested too deeply"):
        policy_order(read_graph(pb.graph(*nodes, pb.node("end", "Relu", ("if",))) + library), "end")
