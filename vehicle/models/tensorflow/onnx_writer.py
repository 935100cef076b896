"""Collects operators and constants and writes them as an ONNX model with fixed shapes. Used by graph_builder.py.

The constants are not copied into a protobuf message, which would hold the weights twice more: where they lie in the
frozen graph as ONNX wants them, the file is written from there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from shared.errors import BadInput
from shared.text import text
from vehicle.models.onnx_file.parts import OnnxPart, pieces_of
from vehicle.models.protobuf_wire import BYTES, VARINT, encoded

OPSET, IR_VERSION = 17, 8
OUTPUT = "policy"
MAX_CONSTANT_BYTES = 255 << 20

_KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}


@dataclass(frozen=True, slots=True)
class _Constant:
    """One weight: its name, its ONNX type, its shape, and its bytes, which may be a view of the frozen graph."""

    name: str
    kind: int
    shape: tuple[int, ...]
    data: memoryview

    def part(self) -> OnnxPart:
        """The weight as a TensorProto of the graph."""
        fields = [
            *(OnnxPart(1, VARINT, encoded(size)) for size in self.shape),
            OnnxPart(2, VARINT, encoded(self.kind)),
            OnnxPart(8, BYTES, self.name.encode()),
            OnnxPart(9, BYTES, self.data),
        ]
        return OnnxPart(5, BYTES, fields)


class OnnxWriter:
    """An ONNX graph under construction; assigns the names of values."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.inputs: dict[str, tuple[int, ...]] = {}
        self._constants: list[_Constant] = []
        self._count = 0
        self._bytes = 0

    def fresh(self) -> str:
        """A new unique name for a value."""
        self._count += 1
        return f"v{self._count}"

    def input(self, name: str, shape: tuple[int, ...]) -> str:
        """Adds a float32 input; returns its name."""
        self.inputs[name] = shape
        return name

    def constant(self, value: NDArray[Any]) -> str:
        """Adds a constant, float32 or int64; returns its name. Raises BadInput for other types, too many bytes, NaN."""
        kind = _KINDS.get(value.dtype)
        if kind is None:
            raise BadInput(text("The graph computes with {dtype}; only float32 is supported.", dtype=value.dtype))
        self._bytes += value.nbytes
        if self._bytes > MAX_CONSTANT_BYTES:
            raise BadInput(
                text(
                    "The graph holds more than {max} MB of weights, which is not supported.",
                    max=MAX_CONSTANT_BYTES >> 20,
                )
            )
        if not bool(np.isfinite(value).all()):
            raise BadInput(text("The graph holds weights that are not finite: the training went wrong."))
        data = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
        self._constants.append(_Constant(self.fresh(), kind, value.shape, data))
        return self._constants[-1].name

    def model(self, output: str, shape: tuple[int, ...]) -> list[bytes | memoryview]:
        """The model with the single output `output`, as the pieces of its file."""
        nodes, needed = self._needed(output)
        nodes.append(helper.make_node("Identity", [output], [OUTPUT]))
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in self.inputs.items()]
        outputs = [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape)]
        graph = [
            *(_part(1, node) for node in nodes),
            OnnxPart(2, BYTES, b"policy"),
            *(constant.part() for constant in self._constants if constant.name in needed),
            *(_part(11, value) for value in inputs),
            *(_part(12, value) for value in outputs),
        ]
        model = [
            OnnxPart(1, VARINT, encoded(IR_VERSION)),
            OnnxPart(2, BYTES, b"raceday"),
            OnnxPart(7, BYTES, graph),
            _part(8, helper.make_opsetid("", OPSET)),
        ]
        return pieces_of(model, has_weights=True)

    def _needed(self, output: str) -> tuple[list[NodeProto], set[str]]:
        """The operators that `output` depends on, in their order, and the names of all values that they need."""
        needed, nodes = {output}, []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.append(node)
        return nodes[::-1], needed


def _part(number: int, message: Any) -> OnnxPart:
    return OnnxPart(number, BYTES, bytes(message.SerializeToString(deterministic=True)))
