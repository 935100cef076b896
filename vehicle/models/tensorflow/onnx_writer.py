"""Collects operators and constants and serialises them as an ONNX model with fixed shapes. Used by graph_builder.py."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from shared.errors import BadInput
from shared.text import text

OPSET, IR_VERSION = 17, 8
OUTPUT = "policy"
MAX_CONSTANT_BYTES = 255 << 20

_KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}


class OnnxWriter:
    """An ONNX graph under construction; assigns the names of values."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.inputs: dict[str, tuple[int, ...]] = {}
        self._model = ModelProto()
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
        tensor = self._model.graph.initializer.add()
        tensor.name = self.fresh()
        tensor.data_type = kind
        tensor.dims.extend(value.shape)
        tensor.raw_data = value.tobytes()
        return str(tensor.name)

    def model(self, output: str, shape: tuple[int, ...]) -> bytes:
        """The serialised model with the single output `output`."""
        graph = self._model.graph
        graph.name = "policy"
        graph.node.extend(self._needed(output))
        graph.node.append(helper.make_node("Identity", [output], [OUTPUT]))
        graph.input.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in self.inputs.items()
        )
        graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape))
        self._model.ir_version = IR_VERSION
        self._model.producer_name = "raceday"
        self._model.opset_import.append(helper.make_opsetid("", OPSET))
        return bytes(self._model.SerializeToString(deterministic=True))

    def _needed(self, output: str) -> list[NodeProto]:
        """The operators that `output` depends on; unused constants are deleted."""
        needed, nodes = {output}, []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.append(node)
        given = self._model.graph.initializer
        for place in reversed(range(len(given))):
            if given[place].name not in needed:
                del given[place]
        return nodes[::-1]
