"""From a frozen TensorFlow policy to ONNX: each operator that we know, and a sentence for each that we do not.

The batch is 1, shapes are fixed, pictures are channels first (tensor_layout.py). Known are the operators of rl_coach's
networks as TensorFlow 1.15, TensorFlow 2 in v1 mode, legacy Keras and Keras 3 freeze them (docs: bring-a-car.md).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import helper

from shared.errors import BadInput
from vehicle.models.metadata import Metadata
from vehicle.models.tensorflow import attributes
from vehicle.models.tensorflow.graphdef import Graph, Node, Tensor
from vehicle.models.tensorflow.interpreter import Interpreter
from vehicle.models.tensorflow.onnx_writer import OnnxWriter
from vehicle.models.tensorflow.policy_head import PolicyHead, find_head
from vehicle.models.tensorflow.tensor_layout import Flow, joined, same_place

Value = Flow | Tensor

FLOAT = 1  # float32 in types.proto
FREE_VALUES = (1.0, 0.0, 0.3)  # what no file settles must not matter, whichever it is

_UNARY = {name: name for name in ("Elu", "Neg", "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt", "Tanh")}
_BINARY = {
    "Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "Sub": "Sub", "Mul": "Mul",
    "Div": "Div", "RealDiv": "Div", "Maximum": "Max", "Minimum": "Min",
}  # fmt: skip


def convert(graph: Graph, metadata: Metadata) -> tuple[bytes, PolicyHead]:
    """ONNX bytes, and the policy's head as it was found. Raises BadInput with one sentence."""
    head = find_head(graph, metadata)
    contents = {Converter(head, value).convert() for value in (FREE_VALUES if head.free else FREE_VALUES[:1])}
    if len(contents) > 1:
        raise BadInput(f"The policy depends on {head.free[0][-80:]!r}, which the file leaves open: freeze it.")
    return contents.pop(), head


class Converter:
    """Writes one ONNX graph; each rule makes one TensorFlow operator. `free` stands for what the graph leaves open."""

    def __init__(self, head: PolicyHead, free: float) -> None:
        self._head = head
        self._free = free
        self._out = OnnxWriter()
        self._makers: dict[str, tuple[str, list[str], dict[str, Any]]] = {}  # layers that have no bias yet
        self._rules: dict[str, Callable[[Node, Sequence[Value]], Value | None]] = {
            "AddN": self._add_all,
            "Cast": self._cast,
            "ClipByValue": self._clip,
            "ConcatV2": self._concat,
            "Conv2D": self._conv,
            "ExpandDims": self._expand,
            "FusedBatchNorm": self._normalise,
            "FusedBatchNormV2": self._normalise,
            "FusedBatchNormV3": self._normalise,
            "LeakyRelu": self._leaky,
            "MatMul": self._matmul,
            "Pack": self._pack,
            "Rank": self._rank,
            "Relu6": self._relu6,
            "Reshape": self._reshape,
            "Shape": self._shape,
            "Softmax": self._softmax,
            "Square": self._square,
            "Squeeze": self._squeeze,
            "StridedSlice": self._slice,
            "Transpose": self._transpose,
        }

    def convert(self) -> bytes:
        """The model. Raises BadInput."""
        given: dict[str, Value] = {name: np.array(self._free, np.float32) for name in self._head.free}
        for sensor, placeholder in self._head.placeholders.items():
            shape = self._head.shapes[sensor]
            name = self._out.input(sensor, (1, shape[2], shape[0], shape[1]) if len(shape) == 3 else (1, *shape))
            given[placeholder] = Flow(
                name, (1, *shape), picture=len(shape) == 3, size=(shape[0], shape[-2 % len(shape)])
            )
        answer = Interpreter[Flow](self._emit).run(self._head.order, given)
        if not isinstance(answer, Flow):
            raise BadInput("The policy does not depend on what the car sees.")
        if answer.picture or len(answer.shape) != 2 or answer.order is not None:
            raise BadInput("The policy's answer is no row of numbers.")
        return self._out.model(self._scaled(answer).name, answer.shape)

    def _emit(self, node: Node, inputs: Sequence[Value]) -> Value | None:
        if not any(isinstance(x, Flow) for x in inputs):
            return None
        if node.op in _UNARY and isinstance(inputs[0], Flow):
            return self._unary(_UNARY[node.op], inputs[0])
        if node.op in _BINARY and len(inputs) == 2:
            return self._binary(node, inputs[0], inputs[1])
        rule = self._rules.get(node.op)
        return None if rule is None else rule(node, inputs)

    def _unary(self, op: str, x: Flow, **settings: Any) -> Flow:
        x = self._scaled(x)
        return x.named(self._write(op, [x.name], **settings))

    def _scaled(self, x: Flow) -> Flow:
        """The value with its scale applied, for those who cannot carry it on."""
        if x.scale == 1.0:
            return x
        return x.named(self._write("Mul", [x.name, self._out.constant(np.array(x.scale, np.float32))]))

    def _binary(self, node: Node, left: Value, right: Value) -> Flow:
        op = _BINARY[node.op]
        if isinstance(left, Flow) and isinstance(right, Flow):
            return self._joined(node, op, left, right)
        if isinstance(left, Flow) and not isinstance(right, Flow):
            return self._with_constant(node, op, left, right)
        assert isinstance(right, Flow)
        assert not isinstance(left, Flow)
        if op in ("Add", "Mul"):
            return self._with_constant(node, op, right, left)
        x = self._shaped(node, right, np.broadcast_shapes(right.shape, left.shape))
        x, constant = self._scaled(x), self._out.constant(x.arranged(left))
        return x.named(self._write(op, [constant, x.name]))

    def _joined(self, node: Node, op: str, left: Flow, right: Flow) -> Flow:
        """Two values; of one and the same value the scales are added, which is all of a gradient rescaler."""
        if not same_place(left, right):
            raise BadInput(f"{node.op} at {node.name[:80]!r} joins values of shapes {left.shape} and {right.shape}.")
        shape = np.broadcast_shapes(left.shape, right.shape)
        if left.name == right.name and op in ("Add", "Sub"):
            total = left.scale + right.scale if op == "Add" else left.scale - right.scale
            return self._shaped(node, replace(left, scale=1.0).times(total), shape)
        names = [self._scaled(left).name, self._scaled(right).name]
        return self._shaped(node, left.named(self._write(op, names)), shape)

    def _with_constant(self, node: Node, op: str, x: Flow, constant: Tensor) -> Flow:
        """`x op constant`; scales are carried, nothing is done for nothing, and a layer takes its bias in."""
        arranged = x.arranged(constant)
        x = self._shaped(node, x, np.broadcast_shapes(x.shape, constant.shape))
        if arranged.ndim == 0 and arranged.dtype == np.float32:
            value = float(arranged)
            if op in ("Add", "Sub") and value == 0.0:
                return x
            if op == "Mul" and np.isfinite(value):
                return x.times(value)
            if op == "Div" and value != 0.0 and np.isfinite([value, 1 / value]).all():
                return x.times(1 / value)
        x = self._scaled(x)
        maker = self._makers.get(x.name)
        if maker is not None and op == "Add" and arranged.ndim:
            made_by, inputs, settings = (
                maker  # written again with its bias; the one without falls out unless it is read
            )
            return x.named(self._write(made_by, [*inputs, self._out.constant(arranged.ravel())], **settings))
        return x.named(self._write(op, [x.name, self._out.constant(arranged)]))

    def _shaped(self, node: Node, x: Flow, shape: tuple[int, ...]) -> Flow:
        """The value under another shape. Raises BadInput if it would have to be turned about."""
        if shape == x.shape:
            return x
        viewed = x.viewed(shape)
        if viewed is not None:
            return viewed
        places = x.size[0] * x.size[1]
        if x.picture and shape in ((1, *x.size, x.channels), (places, x.channels)):
            return replace(x, shape=shape)
        if x.picture and shape[-1:] == (places * x.channels,) and all(size == 1 for size in shape[:-1]):
            return replace(x.flat(self._write("Flatten", [x.name], axis=1)), shape=shape)
        raise BadInput(f"The {node.op} {node.name[:80]!r} makes {shape} of {x.shape}, which is not run.")

    def _conv(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, kernel = inputs
        if not isinstance(x, Flow) or isinstance(kernel, Flow):
            return None
        rows, columns = attributes.conv_size(node, x.shape, kernel.shape)
        weights = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)) * np.float32(x.scale)
        strides = list(attributes.conv_strides(node))
        name = self._write("Conv", [x.name, self._out.constant(weights)], strides=strides)
        return Flow(name, (1, rows, columns, kernel.shape[3]), picture=True, size=(rows, columns))

    def _matmul(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, weights = inputs
        if not isinstance(x, Flow) or isinstance(weights, Flow) or node.attributes.get("transpose_a"):
            return None
        weights = weights.T if node.attributes.get("transpose_b") else weights
        if len(x.shape) != 2 or weights.ndim != 2 or x.channels != weights.shape[0]:
            raise BadInput(f"The dense layer {node.name[:80]!r} does not fit its input.")
        if x.scale != 1.0:
            weights = weights * np.float32(x.scale)
        shape = (x.shape[0], weights.shape[1])
        if x.picture:  # a dense layer on every place of a picture is a convolution of one place
            kernel = np.ascontiguousarray(weights.T)[:, :, None, None]
            return Flow(self._write("Conv", [x.name, self._out.constant(kernel)]), shape, picture=True, size=x.size)
        rows = weights if x.order is None else weights[x.order]
        return Flow(self._write("Gemm", [x.name, self._out.constant(rows)]), shape)

    def _normalise(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, *parts = inputs
        constants = [part for part in parts if not isinstance(part, Flow)]
        if not isinstance(x, Flow) or not x.picture or len(constants) != 4:
            return None
        if any(part.shape != (x.channels,) for part in constants):
            raise BadInput(f"The normalisation {node.name[:80]!r} does not fit its input.")
        x = self._scaled(x)
        names = [x.name, *map(self._out.constant, constants)]
        return x.named(self._write("BatchNormalization", names, epsilon=attributes.epsilon(node)))

    def _softmax(self, _node: Node, inputs: Sequence[Value]) -> Flow | None:
        (x,) = inputs
        if not isinstance(x, Flow) or x.picture:
            return None
        return self._unary("Softmax", x, axis=-1)

    def _leaky(self, node: Node, inputs: Sequence[Value]) -> Flow:
        assert isinstance(inputs[0], Flow)
        return self._unary("LeakyRelu", inputs[0], alpha=attributes.slope(node))

    def _relu6(self, _node: Node, inputs: Sequence[Value]) -> Flow:
        assert isinstance(inputs[0], Flow)
        return self._clipped(inputs[0], np.float32(0), np.float32(6))

    def _clip(self, _node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, low, high = inputs
        if not isinstance(x, Flow) or isinstance(low, Flow) or isinstance(high, Flow) or low.size * high.size != 1:
            return None
        return self._clipped(x, low, high)

    def _clipped(self, x: Flow, *bounds: Any) -> Flow:
        x = self._scaled(x)
        names = [self._out.constant(np.reshape(bound, ())) for bound in bounds]
        return x.named(self._write("Clip", [x.name, *names]))

    def _square(self, _node: Node, inputs: Sequence[Value]) -> Flow:
        assert isinstance(inputs[0], Flow)
        x = self._scaled(inputs[0])
        return x.named(self._write("Mul", [x.name, x.name]))

    def _cast(self, node: Node, inputs: Sequence[Value]) -> Value | None:
        return inputs[0] if attributes.integer(node, "DstT") == FLOAT else None

    def _shape(self, _node: Node, inputs: Sequence[Value]) -> Tensor:
        assert isinstance(inputs[0], Flow)
        return np.array(inputs[0].shape, np.int32)

    def _rank(self, _node: Node, inputs: Sequence[Value]) -> Tensor:
        assert isinstance(inputs[0], Flow)
        return np.array(len(inputs[0].shape), np.int32)

    def _reshape(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, wanted = inputs
        if not isinstance(x, Flow) or isinstance(wanted, Flow):
            return None
        return self._shaped(node, x, attributes.reshaped(node, x.shape, wanted))

    def _pack(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        """A stack of one, as rl_coach makes of its middleware's only stream."""
        x = inputs[0]
        if len(inputs) != 1 or not isinstance(x, Flow):
            return None
        return self._shaped(node, x, attributes.expanded(node, x.shape, attributes.integer(node, "axis")))

    def _expand(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, axis = inputs
        if not isinstance(x, Flow) or isinstance(axis, Flow) or axis.size != 1:
            return None
        return self._shaped(node, x, attributes.expanded(node, x.shape, int(axis.item())))

    def _squeeze(self, node: Node, inputs: Sequence[Value]) -> Flow:
        (x,) = inputs
        assert isinstance(x, Flow)
        return self._shaped(node, x, attributes.squeezed(node, x.shape))

    def _transpose(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, axes = inputs
        if not isinstance(x, Flow) or isinstance(axes, Flow):
            return None
        if axes.tolist() != list(range(len(x.shape))):
            raise BadInput(f"The Transpose {node.name[:80]!r} turns its input, which is not run.")
        return x

    def _concat(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        *parts, axis = inputs
        flows = [self._scaled(part) for part in parts if isinstance(part, Flow)]
        if isinstance(axis, Flow) or axis.size != 1 or len(flows) != len(parts):
            return None
        befores = {part.shape[:-1] for part in flows}
        last = int(axis.item()) in (-1, len(flows[0].shape) - 1)
        if any(part.picture for part in flows) or len(befores) != 1 or not last:
            raise BadInput(f"The ConcatV2 {node.name[:80]!r} joins something else than rows, which is not run.")
        return joined(self._write("Concat", [part.name for part in flows], axis=1), flows)

    def _add_all(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        flows = [part for part in inputs if isinstance(part, Flow)]
        if len(flows) != len(inputs) or not all(part.shape == flows[0].shape for part in flows):
            return None
        total = flows[0]
        for part in flows[1:]:
            total = self._joined(node, "Add", total, part)
        return total

    def _slice(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, *bounds = inputs
        constants = [bound for bound in bounds if not isinstance(bound, Flow)]
        if not isinstance(x, Flow) or len(constants) != 3:
            return None
        places = attributes.sliced(node, x.shape, *constants)
        if np.array_equal(places.ravel(), np.arange(math.prod(x.shape))):
            return self._shaped(node, x, places.shape)
        row = places.ndim and all(size == 1 for size in places.shape[:-1])
        if x.picture or x.order is not None or not row or places.size == 0 or np.any(np.diff(places.ravel()) != 1):
            raise BadInput(f"The StridedSlice {node.name[:80]!r} takes something else than columns, which is not run.")
        first, last = int(places.ravel()[0]), int(places.ravel()[-1]) + 1
        names = [self._out.constant(np.array([at], np.int64)) for at in (first, last, 1)]
        x = self._scaled(x)
        return Flow(self._write("Slice", [x.name, *names]), places.shape)

    def _write(self, op: str, inputs: list[str], **settings: Any) -> str:
        node = helper.make_node(op, inputs, [self._out.fresh()], **settings)
        if op in ("Conv", "Gemm") and len(inputs) == 2:
            self._makers[node.output[0]] = (op, inputs, settings)
        self._out.nodes.append(node)
        return str(node.output[0])
