"""The graph's reader: the wire format within bounds, and damage to real graphs that does no worse than a sentence."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from tests.models import protos
from tests.models.frozen import DATA
from vehicle.models.convert import convert
from vehicle.models.frozen import policy_order
from vehicle.models.graphdef import read_graph
from vehicle.models.metadata import load_metadata
from vehicle.models.protowire import WireReader, signed, varint

DEEP = DATA / "tf2v1" / "deep-batchnorm.pb"  # it has functions, branches, normalisation


@given(value=st.integers(-(1 << 63), (1 << 63) - 1))
def test_numbers_come_back_as_they_were_written(value: int) -> None:
    written = protos.varint(value)
    assert (signed(varint(memoryview(written), 0)[0]), len(written)) == (value, varint(memoryview(written), 0)[1])


@given(content=st.binary(max_size=300))
def test_any_bytes_are_fields_or_a_sentence(content: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert sum(len(data) for _, _, _, data in WireReader().fields(memoryview(content))) <= len(content)


@given(sizes=st.lists(st.integers(0, 5), max_size=4), one=st.floats(width=32, allow_nan=False))
def test_one_value_stands_for_all(sizes: list[int], one: float) -> None:
    graph = read_graph(protos.graph(protos.constant("c", tuple(sizes), one)))
    value = graph.nodes["c"].attributes["value"]
    assert isinstance(value, np.ndarray)
    assert value.shape == tuple(sizes)
    assert np.all(value == np.float32(one))


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
    chain = [protos.node(f"n{n}", "Identity", (f"n{n - 1}" if n else "fc",)) for n in range(3900)]
    graph = read_graph(protos.graph(*protos.dense()[:-1], *chain, protos.node("end", "Identity", ("n3899",))))
    assert policy_order(graph, "end")[-1].name == "end"


def test_branches_within_branches_end() -> None:
    """A function whose branch is itself."""
    again = [protos.attribute(key, protos.field(10, protos.field(1, "f"))) for key in ("then_branch", "else_branch")]
    body = protos.field(3, protos.node("inner", "If", ("a", "a"), *again))
    signature = protos.field(
        1, protos.field(1, "f") + protos.field(2, protos.field(1, "a")) + protos.field(3, protos.field(1, "r"))
    )
    returns = protos.field(4, protos.field(1, "r") + protos.field(2, "inner:output:0"))
    library = protos.field(2, protos.field(1, signature + body + returns))
    nodes = [protos.constant("no", (), 0.0), protos.node("if", "If", ("no", "no"), *again)]
    with pytest.raises(BadInput, match="nested too deeply"):
        policy_order(read_graph(protos.graph(*nodes, protos.node("end", "Relu", ("if",))) + library), "end")
