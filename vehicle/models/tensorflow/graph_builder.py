"""Builds the ONNX graph of a policy: element-wise arithmetic, reshaping, and the scale that a value carries.

Called by the rules (layer_rules.py, shape_rules.py) and by converter.py; writes through onnx_writer.py. A value that
depends on the sensors is a TracedTensor (tensor_layout.py), all else is a numpy array.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import helper

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow.graphdef import Node, Tensor
from vehicle.models.tensorflow.onnx_writer import OnnxWriter
from vehicle.models.tensorflow.tensor_layout import TracedTensor, same_layout

Value = TracedTensor | Tensor

# TensorFlow's element-wise operators of two values, and what ONNX calls them.
BINARY = {
    "Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "Sub": "Sub", "Mul": "Mul",
    "Div": "Div", "RealDiv": "Div", "Maximum": "Max", "Minimum": "Min",
}  # fmt: skip


class GraphBuilder:
    """One ONNX graph in the making. Every method that returns a TracedTensor has written what computes it."""

    def __init__(self) -> None:
        self.onnx = OnnxWriter()
        # Layers that have no bias yet, by the name of their output: operator, inputs, attributes.
        self._unbiased: dict[str, tuple[str, list[str], dict[str, Any]]] = {}

    def unary(self, op: str, x: TracedTensor, **settings: Any) -> TracedTensor:
        """The ONNX operator `op` of one value; `settings` are its attributes."""
        x = self.apply_scale(x)
        return x.with_name(self.write(op, [x.name], **settings))

    def apply_scale(self, x: TracedTensor) -> TracedTensor:
        """The value multiplied by its scale, for operators that cannot pass the scale on to their result."""
        if x.scale == 1.0:
            return x
        return x.with_name(self.write("Mul", [x.name, self.onnx.constant(np.array(x.scale, np.float32))]))

    def binary(self, node: Node, left: Value, right: Value) -> TracedTensor:
        """An operator of BINARY; at least one value is traced. Raises BadInput if their shapes do not fit."""
        op = BINARY[node.op]
        if isinstance(left, TracedTensor) and isinstance(right, TracedTensor):
            return self.combine(node, op, left, right)
        if isinstance(left, TracedTensor) and not isinstance(right, TracedTensor):
            return self.combine_with_constant(node, op, left, right)
        assert isinstance(right, TracedTensor)
        assert not isinstance(left, TracedTensor)
        if op in ("Add", "Mul"):
            return self.combine_with_constant(node, op, right, left)
        x = self.reshape(node, right, np.broadcast_shapes(right.shape, left.shape))
        x, constant = self.apply_scale(x), self.onnx.constant(x.in_layout(left))
        return x.with_name(self.write(op, [constant, x.name]))

    def combine(self, node: Node, op: str, left: TracedTensor, right: TracedTensor) -> TracedTensor:
        """Two traced values. A value plus itself adds the scales, which is all of a gradient rescaler.

        Raises BadInput if they do not lie in the same layout.
        """
        if not same_layout(left, right):
            raise BadInput(
                text(
                    "{op} at {name!r} joins values of shapes {left} and {right}.",
                    op=node.op,
                    name=node.name[:80],
                    left=left.shape,
                    right=right.shape,
                )
            )
        shape = np.broadcast_shapes(left.shape, right.shape)
        if left.name == right.name and op in ("Add", "Sub"):
            total = left.scale + right.scale if op == "Add" else left.scale - right.scale
            return self.reshape(node, replace(left, scale=1.0).scaled_by(total), shape)
        names = [self.apply_scale(left).name, self.apply_scale(right).name]
        return self.reshape(node, left.with_name(self.write(op, names)), shape)

    def combine_with_constant(self, node: Node, op: str, x: TracedTensor, constant: Tensor) -> TracedTensor:
        """`x op constant`. A scalar factor goes into the scale, adding 0 writes nothing, a layer absorbs its bias.

        Raises BadInput if the constant does not fit.
        """
        arranged = x.in_layout(constant)
        x = self.reshape(node, x, np.broadcast_shapes(x.shape, constant.shape))
        if arranged.ndim == 0 and arranged.dtype == np.float32:
            value = float(arranged)
            if op in ("Add", "Sub") and value == 0.0:
                return x
            if op == "Mul" and np.isfinite(value):
                return x.scaled_by(value)
            if op == "Div" and value != 0.0 and np.isfinite([value, 1 / value]).all():
                return x.scaled_by(1 / value)
        x = self.apply_scale(x)
        layer = self._unbiased.get(x.name)
        if layer is not None and op == "Add" and arranged.ndim:
            # The layer is written again with its bias; the one without is dropped unless something else reads it.
            layer_op, inputs, settings = layer
            return x.with_name(self.write(layer_op, [*inputs, self.onnx.constant(arranged.ravel())], **settings))
        return x.with_name(self.write(op, [x.name, self.onnx.constant(arranged)]))

    def reshape(self, node: Node, x: TracedTensor, shape: tuple[int, ...]) -> TracedTensor:
        """The value under another shape. Raises BadInput if its elements would have to change their order."""
        if shape == x.shape:
            return x
        if (reshaped := x.with_shape(shape)) is not None:
            return reshaped
        places = x.size[0] * x.size[1]
        if x.is_picture and shape in ((1, *x.size, x.channels), (places, x.channels)):
            return replace(x, shape=shape)
        if x.is_picture and shape[-1:] == (places * x.channels,) and all(size == 1 for size in shape[:-1]):
            return replace(x.flattened(self.write("Flatten", [x.name], axis=1)), shape=shape)
        raise BadInput(
            text(
                "The {op} {name!r} makes {made} of {given}, which is not supported.",
                op=node.op,
                name=node.name[:80],
                made=shape,
                given=x.shape,
            )
        )

    def write(self, op: str, inputs: list[str], **settings: Any) -> str:
        """Appends one ONNX operator; the name of its output."""
        node = helper.make_node(op, inputs, [self.onnx.fresh()], **settings)
        if op in ("Conv", "Gemm") and len(inputs) == 2:
            self._unbiased[node.output[0]] = (op, inputs, settings)
        self.onnx.nodes.append(node)
        return str(node.output[0])


Rule = Callable[[GraphBuilder, Node, Sequence[Value]], Value | None]
