"""From a frozen TensorFlow policy to ONNX: each operator that we know, and a sentence for each that we do not.

The batch is 1, shapes are fixed, pictures are channels first (see flow.py). Known are the operators of rl_coach's
networks as TensorFlow 1.15, TensorFlow 2 in v1 mode, legacy Keras and Keras 3 freeze them (docs: bring-a-car.md).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, helper

from shared.errors import BadInput
from vehicle.models import attributes
from vehicle.models.evaluate import Evaluation
from vehicle.models.flow import Flow, joined, same_place
from vehicle.models.graphdef import Graph, Node, Tensor
from vehicle.models.heads import Head, find_head
from vehicle.models.metadata import Metadata
from vehicle.models.onnxwriter import OnnxWriter

Value = Flow | Tensor

_UNARY = {name: name for name in ("Elu", "Neg", "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt", "Tanh")}
_BINARY = {
    "Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "Sub": "Sub", "Mul": "Mul",
    "Div": "Div", "RealDiv": "Div", "Maximum": "Max", "Minimum": "Min",
}  # fmt: skip


def convert(graph: Graph, metadata: Metadata) -> tuple[bytes, Head]:
    """ONNX bytes, and the policy's head as it was found. Raises BadInput with one sentence."""
    head = find_head(graph, metadata)
    return Converter(head).convert(), head


class Converter:
    """Writes one ONNX graph; each rule makes one TensorFlow operator."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._uses = Counter(ref for node in head.order for ref in node.inputs)
        self._out = OnnxWriter()
        self._makers: dict[str, NodeProto] = {}  # layers that may still take a bias in: nothing has read them yet
        self._rules: dict[str, Callable[[Node, Sequence[Value]], Value | None]] = {
            "AddN": self._add_all,
            "ConcatV2": self._concat,
            "Conv2D": self._conv,
            "FusedBatchNorm": self._normalise,
            "FusedBatchNormV2": self._normalise,
            "FusedBatchNormV3": self._normalise,
            "LeakyRelu": self._leaky,
            "MatMul": self._matmul,
            "Relu6": self._relu6,
            "Reshape": self._reshape,
            "Shape": self._shape,
            "Softmax": self._softmax,
            "StridedSlice": self._slice,
            "Transpose": self._transpose,
        }

    def convert(self) -> bytes:
        """The model. Raises BadInput."""
        flows: dict[str, Flow] = {}
        for sensor, placeholder in self._head.placeholders.items():
            shape = self._head.shapes[sensor]
            name = self._out.input(sensor, (1, shape[2], shape[0], shape[1]) if len(shape) == 3 else (1, *shape))
            flows[placeholder] = Flow(
                name, (1, *shape), picture=len(shape) == 3, size=(shape[0], shape[-2 % len(shape)])
            )
        answer = Evaluation[Flow](self._emit).run(self._head.order, flows)
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
        if isinstance(left, Flow) and isinstance(right, Flow):
            if not same_place(left, right):
                raise BadInput(
                    f"{node.op} at {node.name[:80]!r} joins values of shapes {left.shape} and {right.shape}."
                )
            names = [self._scaled(left).name, self._scaled(right).name]
            return left.named(self._write(_BINARY[node.op], names))
        if isinstance(left, Flow) and not isinstance(right, Flow):
            return self._with_constant(node, left, right)
        assert isinstance(right, Flow)
        assert not isinstance(left, Flow)
        x, constant = self._scaled(right), self._out.constant(right.arranged(left))
        return x.named(self._write(_BINARY[node.op], [constant, x.name]))

    def _with_constant(self, node: Node, x: Flow, constant: Tensor) -> Flow:
        """`x op constant`; scales are carried, nothing is done for nothing, and a layer takes its bias in."""
        op, arranged = _BINARY[node.op], x.arranged(constant)
        if arranged.ndim == 0:
            value = float(arranged)
            if (op in ("Add", "Sub") and value == 0.0) or (op in ("Mul", "Div") and value == 1.0):
                return x
            if op in ("Mul", "Div") and x.name in self._out.inputs and np.isfinite(value) and value != 0.0:
                return Flow(
                    x.name, x.shape, x.picture, x.size, x.order, x.scale * (value if op == "Mul" else 1 / value)
                )
        x = self._scaled(x)
        maker = self._makers.pop(x.name, None)
        if maker is not None and op == "Add" and arranged.ndim and self._uses[node.inputs[0]] == 1:
            maker.input.append(self._out.constant(arranged.ravel()))
            maker.output[0] = self._out.fresh()  # so that nothing can read what the layer gave without its bias
            return x.named(str(maker.output[0]))
        return x.named(self._write(op, [x.name, self._out.constant(arranged)]))

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
        if not isinstance(x, Flow) or x.picture or len(x.shape) != 2:
            return None
        return self._unary("Softmax", x, axis=-1)

    def _leaky(self, node: Node, inputs: Sequence[Value]) -> Flow:
        assert isinstance(inputs[0], Flow)
        return self._unary("LeakyRelu", inputs[0], alpha=attributes.slope(node))

    def _relu6(self, _node: Node, inputs: Sequence[Value]) -> Flow:
        assert isinstance(inputs[0], Flow)
        x = self._scaled(inputs[0])
        bounds = [self._out.constant(np.array(bound, np.float32)) for bound in (0, 6)]
        return x.named(self._write("Clip", [x.name, *bounds]))

    def _shape(self, _node: Node, inputs: Sequence[Value]) -> Tensor:
        assert isinstance(inputs[0], Flow)
        return np.array(inputs[0].shape, np.int32)

    def _reshape(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, wanted = inputs
        if not isinstance(x, Flow) or isinstance(wanted, Flow):
            return None
        shape = attributes.reshaped(node, x.shape, wanted)
        if shape == x.shape:
            return x
        if x.picture and shape in ((1, *x.size, x.channels), (x.size[0] * x.size[1], x.channels)):
            return Flow(x.name, shape, picture=True, size=x.size, scale=x.scale)
        if x.picture and len(shape) == 2 and shape[0] == 1:
            return x.flat(self._write("Flatten", [x.name], axis=1))
        raise BadInput(f"The Reshape {node.name[:80]!r} makes {shape} of {x.shape}, which is not run.")

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
        if isinstance(axis, Flow) or len(flows) != len(parts):
            return None
        if any(part.picture or len(part.shape) != 2 for part in flows) or int(axis) not in (-1, 1):
            raise BadInput(f"The ConcatV2 {node.name[:80]!r} joins something else than rows, which is not run.")
        return joined(self._write("Concat", [part.name for part in flows], axis=1), flows)

    def _add_all(self, _node: Node, inputs: Sequence[Value]) -> Flow | None:
        flows = [self._scaled(part) for part in inputs if isinstance(part, Flow)]
        if len(flows) != len(inputs) or not all(same_place(flows[0], part) for part in flows):
            return None
        name = flows[0].name
        for part in flows[1:]:
            name = self._write("Add", [name, part.name])
        return flows[0].named(name)

    def _slice(self, node: Node, inputs: Sequence[Value]) -> Flow | None:
        x, *bounds = inputs
        constants = [bound for bound in bounds if not isinstance(bound, Flow)]
        if not isinstance(x, Flow) or x.picture or len(x.shape) != 2 or x.order is not None or len(constants) != 3:
            return None
        places = np.arange(x.channels).reshape(1, -1)[attributes.strided_index(node, *constants)]
        if places.ndim != 2 or places.size == 0 or np.any(np.diff(places.ravel()) != 1):
            raise BadInput(f"The StridedSlice {node.name[:80]!r} takes something else than columns, which is not run.")
        first, last = int(places[0, 0]), int(places[0, -1]) + 1
        bounds_ = [self._out.constant(np.array([at], np.int64)) for at in (first, last, 1)]
        x = self._scaled(x)
        return Flow(self._write("Slice", [x.name, *bounds_]), (1, last - first))

    def _write(self, op: str, inputs: list[str], **settings: Any) -> str:
        node = helper.make_node(op, inputs, [self._out.fresh()], **settings)
        for name in inputs:
            self._makers.pop(name, None)
        if op in ("Conv", "Gemm"):
            self._makers[node.output[0]] = node
        self._out.nodes.append(node)
        return str(node.output[0])
