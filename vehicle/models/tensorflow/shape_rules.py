"""How operators that only change or read a shape become ONNX: most of them write nothing at all.

Called by converter.py through RULES. A rule returns None for a form of its operator that is not known, and raises
BadInput for one that is known but not supported.
"""

import math
from collections.abc import Sequence

import numpy as np

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow import attributes
from vehicle.models.tensorflow.graph_builder import GraphBuilder, Rule, Value
from vehicle.models.tensorflow.graphdef import Node, Tensor
from vehicle.models.tensorflow.tensor_layout import TracedTensor, concatenated

FLOAT = 1  # float32 in tensorflow/core/framework/types.proto


def _cast(_builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> Value | None:
    return inputs[0] if attributes.integer(node, "DstT") == FLOAT else None


def _shape(_builder: GraphBuilder, _node: Node, inputs: Sequence[Value]) -> Tensor:
    assert isinstance(inputs[0], TracedTensor)
    return np.array(inputs[0].shape, np.int32)


def _rank(_builder: GraphBuilder, _node: Node, inputs: Sequence[Value]) -> Tensor:
    assert isinstance(inputs[0], TracedTensor)
    return np.array(len(inputs[0].shape), np.int32)


def _reshape(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, wanted = inputs
    if not isinstance(x, TracedTensor) or isinstance(wanted, TracedTensor):
        return None
    return builder.reshape(node, x, attributes.reshaped(node, x.shape, wanted))


def _pack(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    """A stack of one, as rl_coach makes of its middleware's only stream."""
    x = inputs[0]
    if len(inputs) != 1 or not isinstance(x, TracedTensor):
        return None
    return builder.reshape(node, x, attributes.expanded(node, x.shape, attributes.integer(node, "axis")))


def _expand(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, axis = inputs
    if not isinstance(x, TracedTensor) or isinstance(axis, TracedTensor) or axis.size != 1:
        return None
    return builder.reshape(node, x, attributes.expanded(node, x.shape, int(axis.item())))


def _squeeze(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor:
    (x,) = inputs
    assert isinstance(x, TracedTensor)
    return builder.reshape(node, x, attributes.squeezed(node, x.shape))


def _transpose(_builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, axes = inputs
    if not isinstance(x, TracedTensor) or isinstance(axes, TracedTensor):
        return None
    if axes.tolist() != list(range(len(x.shape))):
        raise BadInput(
            text("The Transpose {name!r} reorders the axes of its input, which is not supported.", name=node.name[:80])
        )
    return x


def _concat(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    *parts, axis = inputs
    flows = [builder.apply_scale(part) for part in parts if isinstance(part, TracedTensor)]
    if isinstance(axis, TracedTensor) or axis.size != 1 or len(flows) != len(parts):
        return None
    befores = {part.shape[:-1] for part in flows}
    last = int(axis.item()) in (-1, len(flows[0].shape) - 1)
    if any(part.is_picture for part in flows) or len(befores) != 1 or not last:
        raise BadInput(
            text("The ConcatV2 {name!r} joins something other than rows, which is not supported.", name=node.name[:80])
        )
    return concatenated(builder.write("Concat", [part.name for part in flows], axis=1), flows)


def _slice(builder: GraphBuilder, node: Node, inputs: Sequence[Value]) -> TracedTensor | None:
    x, *bounds = inputs
    constants = [bound for bound in bounds if not isinstance(bound, TracedTensor)]
    if not isinstance(x, TracedTensor) or len(constants) != 3:
        return None
    places = attributes.sliced(node, x.shape, *constants)
    if np.array_equal(places.ravel(), np.arange(math.prod(x.shape))):
        return builder.reshape(node, x, places.shape)
    row = places.ndim and all(size == 1 for size in places.shape[:-1])
    if x.is_picture or x.order is not None or not row or places.size == 0 or np.any(np.diff(places.ravel()) != 1):
        raise BadInput(
            text(
                "The StridedSlice {name!r} selects something other than columns, which is not supported.",
                name=node.name[:80],
            )
        )
    first, last = int(places.ravel()[0]), int(places.ravel()[-1]) + 1
    names = [builder.onnx.constant(np.array([at], np.int64)) for at in (first, last, 1)]
    x = builder.apply_scale(x)
    return TracedTensor(builder.write("Slice", [x.name, *names]), places.shape)


RULES: dict[str, Rule] = {
    "Cast": _cast,
    "ConcatV2": _concat,
    "ExpandDims": _expand,
    "Pack": _pack,
    "Rank": _rank,
    "Reshape": _reshape,
    "Shape": _shape,
    "Squeeze": _squeeze,
    "StridedSlice": _slice,
    "Transpose": _transpose,
}
