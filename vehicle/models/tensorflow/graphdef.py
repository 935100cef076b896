"""Reads a frozen TensorFlow graph as a table of nodes, without TensorFlow. Nothing in the file is executed.

Called by importing/make_model.py: `read_graph(pb_bytes).nodes["main_level/.../policy"].op`.

Source: tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape,function,op_def}.proto (field numbers).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.text import text
from vehicle.models.protobuf_wire import VARINT, WireReader, numbers, printable, signed

MAX_NODES = 4000
MAX_ELEMENTS = 64 << 20  # the largest DeepRacer network, DEEP with two cameras, has 57 million weights
MAX_FILLED = 1 << 20  # repeated values that are expanded: a small file must not become a large model
MAX_RANK = 8

Ref = tuple[str, int]  # the name of a node and the index of its output
Tensor = NDArray[Any]
Attribute = bytes | int | float | bool | str | Tensor | tuple[int, ...] | None

# DataType of types.proto to numpy, for the types in policies.
DTYPES: dict[int, str] = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?", 19: "<f2"}


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. `inputs` are (node, output index); `control` are the nodes of its control dependencies."""

    name: str
    op: str
    inputs: tuple[Ref, ...] = ()
    control: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Function:
    """A branch of an `If`: the names of its parameters, its nodes, and the source of each output."""

    parameters: tuple[str, ...]
    nodes: tuple[Node, ...]
    returns: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The content of the file: nodes by name, functions by name."""

    nodes: Mapping[str, Node]
    functions: Mapping[str, Function]


def read_graph(content: bytes | bytearray) -> Graph:
    """The graph in the bytes of a frozen `.pb` file. Raises BadInput with one sentence."""
    reader = _GraphReader()
    nodes: dict[str, Node] = {}
    functions: dict[str, Function] = {}
    for number, _, _, data in reader.wire.fields(memoryview(content)):
        if number == 1:
            _add_node(nodes, reader.node(data))
        elif number == 2:
            for part, _, _, inner in reader.wire.fields(data):
                if part == 1:
                    name, function = reader.function(inner)
                    functions[name] = function
    if not nodes:
        raise BadInput(text("The file holds no TensorFlow graph."))
    return Graph(nodes, functions)


def _add_node(nodes: dict[str, Node], node: Node) -> None:
    if node.name in nodes:
        raise BadInput(text("The graph has two nodes of the name {name!r}.", name=node.name[:80]))
    nodes[node.name] = node
    if len(nodes) > MAX_NODES:
        raise BadInput(text("The graph has more than {max} nodes; a policy has a hundred.", max=MAX_NODES))


class _GraphReader:
    """Parses the protobuf messages of a GraphDef, one method for each message type."""

    def __init__(self) -> None:
        self.wire = WireReader()
        self._repeated = 0

    def node(self, data: memoryview, parameters: tuple[str, ...] | None = None) -> Node:
        """A NodeDef; `parameters` are those of the function that contains it, None for a node of the graph itself."""
        name = op = ""
        inputs: list[Ref] = []
        control: list[str] = []
        attributes: dict[str, Attribute] = {}
        for number, _, _, inner in self.wire.fields(data):
            if number == 1:
                name = printable(inner, text("a node's name"))
            elif number == 2:
                op = printable(inner, text("an operator's name"), 128)
            elif number == 3:
                given = printable(inner, text("an input's name"))
                if given.startswith("^"):
                    control.append(given[1:])
                else:
                    inputs.append(_outer_ref(given) if parameters is None else _inner_ref(given, parameters))
            elif number == 5:
                key, value = self._entry(inner)
                attributes[printable(key, text("an attribute's name"), 128)] = self.attribute(value)
        return Node(name, op, tuple(inputs), tuple(control), attributes)

    def attribute(self, data: memoryview) -> Attribute:
        """An AttrValue; None for kinds that policies do not need."""
        value: Attribute = None
        for number, _, varint, inner in self.wire.fields(data):
            if number == 2:
                value = bytes(inner[:256])
            elif number in (3, 6):
                value = signed(varint)
            elif number == 4:
                value = float(numbers(inner, "<f4")[0]) if len(inner) == 4 else None
            elif number == 5:
                value = bool(varint)
            elif number == 7:
                value = self.shape(inner)
            elif number == 8:
                value = self.tensor(inner)
            elif number == 1:
                value = self._integers(inner)
            elif number == 10:
                value = next(
                    (printable(name, text("a function's name")) for n, _, _, name in self.wire.fields(inner) if n == 1),
                    "",
                )
        return value

    def tensor(self, data: memoryview) -> Tensor | None:
        """A TensorProto as an array, a view of the file where possible; None for types that policies do not need."""
        dtype, content = 0, data[0:0]
        shape: tuple[int, ...] = ()
        listed: list[Tensor] = []
        for number, kind, varint, inner in self.wire.fields(data):
            if number == 1:
                dtype = varint
            elif number == 2:
                shape = self.shape(inner)
            elif number == 4:
                content = inner
            elif number in (5, 6):
                listed.append(numbers(inner, "<f4" if number == 5 else "<f8"))
            elif number in (7, 10, 11, 13):
                listed.append(np.array([signed(varint)] if kind == VARINT else self.wire.varints(inner), np.int64))
        if dtype not in DTYPES:
            return None
        size = _elements(shape)
        if len(content):
            return _shaped(numbers(content, DTYPES[dtype]), shape, size)
        return _shaped(self._filled(_listed(listed, dtype), size), shape, size)

    def _filled(self, values: Tensor, size: int) -> Tensor:
        """A list that is too short is filled up with its last value, as in TensorFlow (tensor.cc, FromProtoField)."""
        if not 1 < values.size < size:
            return values
        self._repeated += size - values.size  # over all tensors of the graph, since these are copies
        _check_filled(self._repeated, size)
        return np.concatenate([values, np.broadcast_to(values[-1:], (size - values.size,))])

    def shape(self, data: memoryview) -> tuple[int, ...]:
        """A TensorShapeProto; -1 for an unknown dimension."""
        sizes: list[int] = []
        for number, _, _, inner in self.wire.fields(data):
            if number == 2:
                sizes.append(next((signed(value) for n, _, value, _ in self.wire.fields(inner) if n == 1), 0))
        return tuple(sizes)

    def function(self, data: memoryview) -> tuple[str, Function]:
        """A FunctionDef: its name and its content. Raises BadInput."""
        parts = [(number, inner) for number, _, _, inner in self.wire.fields(data)]
        signature = next((inner for number, inner in parts if number == 1), data[0:0])
        name, parameters, results = self._signature(signature)
        nodes = tuple(self.node(inner, parameters) for number, inner in parts if number == 3)
        given: dict[str, Ref] = {}
        for number, inner in parts:
            if number == 4:
                key, value = self._entry(inner)
                given[printable(key, text("a result's name"))] = _inner_ref(
                    printable(value, text("a result")), parameters
                )
        if any(result not in given for result in results):
            raise BadInput(text("The function {name!r} does not define its outputs.", name=name[:80]))
        return name, Function(parameters, nodes, tuple(given[result] for result in results))

    def _signature(self, data: memoryview) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        name, named = "", {2: [""][:0], 3: [""][:0]}
        for number, _, _, inner in self.wire.fields(data):
            if number == 1:
                name = printable(inner, text("a function's name"))
            elif number in named:
                named[number] += [
                    printable(arg, text("a parameter")) for n, _, _, arg in self.wire.fields(inner) if n == 1
                ]
        return name, tuple(named[2]), tuple(named[3])

    def _entry(self, data: memoryview) -> tuple[memoryview, memoryview]:
        """The key and the value of a map entry."""
        key = value = data[0:0]
        for number, _, _, inner in self.wire.fields(data):
            key, value = (inner, value) if number == 1 else (key, inner)
        return key, value

    def _integers(self, data: memoryview) -> tuple[int, ...]:
        """The integers of a list attribute (AttrValue.ListValue), such as strides."""
        integers: list[int] = []
        for number, kind, varint, inner in self.wire.fields(data):
            if number == 3:
                integers += [signed(varint)] if kind == VARINT else self.wire.varints(inner)
        return tuple(integers)


def _outer_ref(given: str) -> Ref:
    """Parses an input of a graph's node, `node` or `node:index`. Raises BadInput."""
    name, _, output = given.partition(":")
    if output and not (output.isascii() and output.isdigit() and len(output) < 4):
        raise BadInput(text("The graph has an input {given!r}, which is not valid.", given=given[:80]))
    return name, int(output or 0)


# In a function outputs have names; these are the ones that are not the first output.
_LATER_OUTPUTS = frozenset({"batch_mean", "batch_variance", "output_true", "value_index"})


def _inner_ref(given: str, parameters: tuple[str, ...]) -> Ref:
    """Parses an input of a function's node, `parameter` or `node:output name:index`."""
    if given in parameters:
        return given, 0
    name, output, number = [*given.split(":"), "", ""][:3]
    first = number in ("", "0") and output not in _LATER_OUTPUTS and not output.startswith("reserve_space")
    return name, 0 if first else 1


def _elements(shape: tuple[int, ...]) -> int:
    size = math.prod(shape)
    if len(shape) > MAX_RANK or any(dim < 0 for dim in shape) or size > MAX_ELEMENTS:
        raise BadInput(
            text(
                "The graph holds a tensor of shape {shape}, which is not supported.",
                shape="x".join(map(str, shape[:9])),
            )
        )
    return size


def _listed(listed: list[Tensor], dtype: int) -> Tensor:
    values = np.concatenate(listed) if listed else np.zeros(1, np.int64)
    if dtype == 19:  # float16 values are listed as 16-bit patterns
        return values.astype(np.uint16).view(np.float16)
    return values.astype(DTYPES[dtype])


def _shaped(values: Tensor, shape: tuple[int, ...], size: int) -> Tensor:
    """A single value is broadcast as a view, so that a large shape costs no memory. Raises BadInput."""
    if values.size == size:
        return values.reshape(shape)
    if values.size != 1:
        raise BadInput(
            text("The graph holds a tensor of {size} elements with {values} values.", size=size, values=values.size)
        )
    _check_filled(size, size)
    return np.broadcast_to(values.reshape(()), shape)


def _check_filled(filled: int, size: int) -> None:
    if filled > MAX_FILLED:
        raise BadInput(
            text("The graph holds {size} weights that are all the same number: it was not trained.", size=size)
        )
