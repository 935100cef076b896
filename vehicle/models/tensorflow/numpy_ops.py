"""TensorFlow's operators in numpy; pictures are height, width, channels.

Used to fold constants, and to verify a converted policy: with arrays in place of the placeholders the interpreter
computes the whole graph. Source: tensorflow/core/ops/{nn,math,array}_ops.cc and their documentation.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow.attributes import (
    axes_of,
    conv_size,
    conv_strides,
    epsilon,
    integer,
    slope,
    strided_index,
)
from vehicle.models.tensorflow.graphdef import DTYPES, Node

Tensor = NDArray[Any]

MAX_ELEMENTS = 16 << 20

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "Elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "Exp": np.exp,
    "Neg": np.negative,
    "Relu": lambda x: np.maximum(x, 0),
    "Relu6": lambda x: np.clip(x, 0, 6),
    "Rsqrt": lambda x: 1 / np.sqrt(x),
    "Selu": lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0))),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Softplus": lambda x: np.logaddexp(x, np.zeros_like(x)),
    "Sqrt": np.sqrt,
    "Square": np.square,
    "Tanh": np.tanh,
}
BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": np.add,
    "AddV2": np.add,
    "BiasAdd": np.add,
    "Div": np.divide,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Sub": np.subtract,
}


def compute(node: Node, inputs: Sequence[Tensor]) -> Tensor | None:
    """The first output of one operator; None for an operator that is not known. Raises BadInput."""
    try:
        with np.errstate(all="ignore"):
            result = _compute(node, inputs)
        return None if result is None else np.asarray(result)  # for scalars numpy returns no array
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise BadInput(
            text(
                "{op} at {name!r} does not fit its inputs ({why}).",
                op=node.op,
                name=node.name[:80],
                why=str(error)[:80],
            )
        ) from None


def _compute(node: Node, inputs: Sequence[Tensor]) -> Tensor | np.generic | None:
    if node.op in UNARY:
        return UNARY[node.op](*inputs).astype(inputs[0].dtype, copy=False)
    if node.op in BINARY:
        check_size(np.broadcast_shapes(*(x.shape for x in inputs)))
        return BINARY[node.op](*inputs).astype(inputs[0].dtype, copy=False)
    rule = _RULES.get(node.op)
    return None if rule is None else rule(node, inputs)


def check_size(shape: Sequence[int]) -> None:
    """Raises BadInput if a tensor of this shape is larger than any in a policy."""
    if math.prod(shape) > MAX_ELEMENTS:
        raise BadInput(
            text(
                "The graph makes a tensor of {shape} elements, which is not supported.", shape="x".join(map(str, shape))
            )
        )


def _conv(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    x, kernel = inputs
    down, right = conv_strides(node)
    rows, columns = conv_size(node, x.shape, kernel.shape)
    check_size((x.shape[0], rows, columns, kernel.shape[3]))
    result = np.zeros((x.shape[0], rows, columns, kernel.shape[3]), np.float32)
    for y in range(kernel.shape[0]):
        for z in range(kernel.shape[1]):
            result += (
                x[:, y : y + down * rows : down, z : z + right * columns : right][:, :rows, :columns] @ kernel[y, z]
            )
    return result


def _matmul(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    left, right = inputs
    left = left.T if node.attributes.get("transpose_a") else left
    right = right.T if node.attributes.get("transpose_b") else right
    check_size((left.shape[0], right.shape[-1]))
    return np.asarray(left @ right)


def _softmax(_node: Node, inputs: Sequence[Tensor]) -> Tensor:
    (x,) = inputs
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _normalised(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    x, scale, offset, mean, variance = inputs
    return np.asarray((x - mean) * (scale / np.sqrt(variance + np.float32(epsilon(node)))) + offset)


def _concat(_node: Node, inputs: Sequence[Tensor]) -> Tensor:
    *parts, axis = inputs
    check_size([sum(part.size for part in parts)])
    return np.concatenate(parts, int(axis.item()))  # TensorFlow allows a scalar or a vector of one element


def _pack(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    check_size([sum(part.size for part in inputs)])
    return np.stack(inputs, integer(node, "axis"))


def _cast(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    kind = DTYPES.get(integer(node, "DstT"))
    if kind is None:
        raise BadInput(text("The Cast {name!r} is to a type that is not supported.", name=node.name[:80]))
    return inputs[0].astype(kind)


def _gather(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    given, places, axis = inputs
    check_size([places.size, given.size])
    if integer(node, "batch_dims") or places.size * given.size > MAX_ELEMENTS:
        raise BadInput(text("The GatherV2 {name!r} is not of a supported kind.", name=node.name[:80]))
    return np.asarray(np.take(given, places, int(axis)))


def _sum(_node: Node, inputs: Sequence[Tensor]) -> Tensor:
    total = inputs[0]
    for part in inputs[1:]:
        if part.shape != total.shape:
            raise ValueError("shapes differ")
        total = total + part
    return total


def _prod(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    given, axes = inputs
    keepdims = bool(node.attributes.get("keep_dims"))
    return np.asarray(np.prod(given, tuple(np.ravel(axes).tolist()), dtype=given.dtype, keepdims=keepdims))


_RULES: dict[str, Callable[[Node, Sequence[Tensor]], Tensor]] = {
    "AddN": _sum,
    "Cast": _cast,
    "ClipByValue": lambda _, x: np.clip(x[0], x[1], x[2]),
    "ConcatV2": _concat,
    "Conv2D": _conv,
    "ExpandDims": lambda _, x: np.expand_dims(x[0], int(x[1].item())),
    "FusedBatchNorm": _normalised,
    "FusedBatchNormV2": _normalised,
    "FusedBatchNormV3": _normalised,
    "GatherV2": _gather,
    "LeakyRelu": lambda node, x: np.where(x[0] > 0, x[0], x[0] * np.float32(slope(node))),
    "MatMul": _matmul,
    "Pack": _pack,
    "Prod": _prod,
    "Rank": lambda _, x: np.array(x[0].ndim, np.int32),
    "Reshape": lambda _, x: x[0].reshape([int(size) for size in np.ravel(x[1])]),
    "Shape": lambda _, x: np.array(x[0].shape, np.int32),
    "Softmax": _softmax,
    "Squeeze": lambda node, x: np.squeeze(x[0], axes_of(node) or None),
    "StridedSlice": lambda node, x: np.asarray(x[0][strided_index(node, *x[1:])]),
    "Transpose": lambda _, x: np.transpose(x[0], [int(axis) for axis in x[1]]),
}
