"""How the layers and activations of a policy become ONNX: one rule for each TensorFlow operator.

Called by converter.py through RULES. A rule returns None for a form of its operator that is not known, and raises
BadInput for one that is known but not supported.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow import attributes
from vehicle.models.tensorflow.graph_builder import GraphBuilder, Rule, Value
from vehicle.models.tensorflow.graphdef import Node
from vehicle.models.tensorflow.tensor_layout import TracedTensor


def _conv(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, kernel = inputs
    if not isinstance(x, TracedTensor) or isinstance(kernel, TracedTensor):
        return None
    rows, columns = attributes.conv_size(node, x.shape, kernel.shape)
    weights = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)) * np.float32(x.scale)
    strides = list(attributes.conv_strides(node))
    name = builder.write("Conv", [x.name, builder.onnx.constant(weights)], strides=strides)
    return TracedTensor(name, (1, rows, columns, kernel.shape[3]), is_picture=True, size=(rows, columns))


def _matmul(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, weights = inputs
    if not isinstance(x, TracedTensor) or isinstance(weights, TracedTensor) or node.attributes.get("transpose_a"):
        return None
    weights = weights.T if node.attributes.get("transpose_b") else weights
    if len(x.shape) != 2 or weights.ndim != 2 or x.channels != weights.shape[0]:
        raise BadInput(text("The dense layer {name!r} does not fit its input.", name=node.name[:80]))
    if x.scale != 1.0:
        weights = weights * np.float32(x.scale)
    shape = (x.shape[0], weights.shape[1])
    if x.is_picture:  # a dense layer on every place of a picture is a convolution of one place
        kernel = np.ascontiguousarray(weights.T)[:, :, None, None]
        return TracedTensor(
            builder.write("Conv", [x.name, builder.onnx.constant(kernel)]), shape, is_picture=True, size=x.size
        )
    rows = weights if x.order is None else weights[x.order]
    return TracedTensor(builder.write("Gemm", [x.name, builder.onnx.constant(rows)]), shape)


def _normalise(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, *parts = inputs
    constants = [part for part in parts if not isinstance(part, TracedTensor)]
    if not isinstance(x, TracedTensor) or not x.is_picture or len(constants) != 4:
        return None
    if any(part.shape != (x.channels,) for part in constants):
        raise BadInput(text("The normalisation {name!r} does not fit its input.", name=node.name[:80]))
    x = builder.apply_scale(x)
    names = [x.name, *map(builder.onnx.constant, constants)]
    return x.with_name(builder.write("BatchNormalization", names, epsilon=attributes.epsilon(node)))


def _softmax(builder: GraphBuilder, _node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    (x,) = inputs
    if not isinstance(x, TracedTensor) or x.is_picture:
        return None
    return builder.unary("Softmax", x, axis=-1)


def _leaky(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor:
    assert isinstance(inputs[0], TracedTensor)
    return builder.unary("LeakyRelu", inputs[0], alpha=attributes.slope(node))


def _relu6(builder: GraphBuilder, _node: Node, inputs: Sequence[Value]) -> TracedTensor:
    assert isinstance(inputs[0], TracedTensor)
    return _clipped(builder, inputs[0], np.float32(0), np.float32(6))


def _clip(builder: GraphBuilder, _node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, low, high = inputs
    if not isinstance(x, TracedTensor) or isinstance(low, TracedTensor) or isinstance(high, TracedTensor):
        return None
    if low.size * high.size != 1:
        return None
    return _clipped(builder, x, low, high)


def _clipped(builder: GraphBuilder, x: TracedTensor, *bounds: Any) -> TracedTensor:
    x = builder.apply_scale(x)
    names = [builder.onnx.constant(np.reshape(bound, ())) for bound in bounds]
    return x.with_name(builder.write("Clip", [x.name, *names]))


def _square(builder: GraphBuilder, _node: Node, inputs: Sequence[Value]) -> TracedTensor:
    assert isinstance(inputs[0], TracedTensor)
    x = builder.apply_scale(inputs[0])
    return x.with_name(builder.write("Mul", [x.name, x.name]))


def _add_all(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    flows = [part for part in inputs if isinstance(part, TracedTensor)]
    if len(flows) != len(inputs) or not all(part.shape == flows[0].shape for part in flows):
        return None
    total = flows[0]
    for part in flows[1:]:
        total = builder.combine(node, "Add", total, part)
    return total


RULES: dict[str, Rule] = {
    "AddN": _add_all,
    "ClipByValue": _clip,
    "Conv2D": _conv,
    "FusedBatchNorm": _normalise,
    "FusedBatchNormV2": _normalise,
    "FusedBatchNormV3": _normalise,
    "LeakyRelu": _leaky,
    "MatMul": _matmul,
    "Relu6": _relu6,
    "Softmax": _softmax,
    "Square": _square,
}
