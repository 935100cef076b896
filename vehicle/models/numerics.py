"""What TensorFlow's operators compute, in numpy: height, width, channels last.

It folds what is constant in a graph, and it is the second opinion on a converted policy: with pictures in the place of
the placeholders everything is constant. Source: tensorflow/core/ops/{nn,math,array}_ops.cc and their documentation.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from vehicle.models.graphdef import DTYPES, Node

Tensor = NDArray[Any]
Index = tuple[Any, ...]

MOST_ELEMENTS = 16 << 20

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
            return _compute(node, inputs)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise BadInput(f"{node.op} at {node.name[:80]!r} does not fit its inputs ({str(error)[:80]}).") from None


def _compute(node: Node, inputs: Sequence[Tensor]) -> Tensor | None:
    if node.op in UNARY:
        return UNARY[node.op](*inputs).astype(inputs[0].dtype, copy=False)
    if node.op in BINARY:
        small(np.broadcast_shapes(*(x.shape for x in inputs)))
        return BINARY[node.op](*inputs).astype(inputs[0].dtype, copy=False)
    rule = _RULES.get(node.op)
    return None if rule is None else rule(node, inputs)


def small(shape: Sequence[int]) -> None:
    """Raises BadInput if nothing in a policy is that large."""
    if math.prod(shape) > MOST_ELEMENTS:
        raise BadInput(f"The graph makes a tensor of {'x'.join(map(str, shape))} elements, which is not run.")


def strided_index(node: Node, begin: Tensor, end: Tensor, strides: Tensor) -> Index:
    """The numpy index that a StridedSlice means."""
    masks = {key: _integer(node, f"{key}_mask") for key in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    index: list[Any] = []
    for place, (low, high, step) in enumerate(zip(begin.tolist(), end.tolist(), strides.tolist(), strict=True)):
        bit = 1 << place
        if masks["ellipsis"] & bit:
            index.append(Ellipsis)
        elif masks["new_axis"] & bit:
            index.append(None)
        elif masks["shrink_axis"] & bit:
            index.append(int(low))
        else:
            index.append(slice(None if masks["begin"] & bit else low, None if masks["end"] & bit else high, step))
    return tuple(index)


def conv_strides(node: Node) -> tuple[int, int]:
    """The strides (down, right) of a convolution that we run: unpadded, undilated, channels last. Raises BadInput."""
    strides = node.attributes.get("strides")
    if not isinstance(strides, tuple) or len(strides) != 4 or strides[0] != 1 or strides[3] != 1 or min(strides) < 1:
        raise BadInput(f"The convolution {node.name[:80]!r} has strides that are not run.")
    if node.attributes.get("padding") != b"VALID":
        raise BadInput(f"The convolution {node.name[:80]!r} is padded; only VALID is run.")
    if node.attributes.get("data_format", b"NHWC") != b"NHWC":
        raise BadInput(f"The convolution {node.name[:80]!r} is not in NHWC order, which is not run.")
    if any(size != 1 for size in _integers(node, "dilations", (1, 1, 1, 1))):
        raise BadInput(f"The convolution {node.name[:80]!r} is dilated, which is not run.")
    return strides[1], strides[2]


def conv_size(node: Node, picture: Sequence[int], kernel: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of what a convolution makes. Raises BadInput."""
    down, right = conv_strides(node)
    if len(picture) != 4 or len(kernel) != 4 or picture[3] != kernel[2] or min(kernel) < 1:
        raise BadInput(f"The convolution {node.name[:80]!r} does not fit its input.")
    rows, columns = (picture[1] - kernel[0]) // down + 1, (picture[2] - kernel[1]) // right + 1
    if rows < 1 or columns < 1:
        raise BadInput(f"The convolution {node.name[:80]!r} is larger than its input.")
    return rows, columns


def epsilon(node: Node) -> float:
    """The variance's floor of a normalisation that does not train. Raises BadInput if it trains."""
    if node.attributes.get("is_training", True) is not False:
        raise BadInput(f"The normalisation {node.name[:80]!r} is in training mode: export the model for inference.")
    if node.attributes.get("data_format", b"NHWC") != b"NHWC":
        raise BadInput(f"The normalisation {node.name[:80]!r} is not in NHWC order, which is not run.")
    value = node.attributes.get("epsilon", 0.0001)
    return float(value) if isinstance(value, float) else 0.0001


def slope(node: Node) -> float:
    """How steep a LeakyRelu is below 0."""
    alpha = node.attributes.get("alpha", 0.2)
    return float(alpha) if isinstance(alpha, float) else 0.2


def axes_of(node: Node) -> tuple[int, ...]:
    """The axes that a Squeeze takes out; () for all of size one."""
    return _integers(node, "squeeze_dims", ()) or _integers(node, "axis", ())


def is_plain_matmul(node: Node) -> bool:
    """Neither side is transposed."""
    return not node.attributes.get("transpose_a") and not node.attributes.get("transpose_b")


def _conv(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    x, kernel = inputs
    down, right = conv_strides(node)
    rows, columns = conv_size(node, x.shape, kernel.shape)
    small((x.shape[0], rows, columns, kernel.shape[3]))
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
    small((left.shape[0], right.shape[-1]))
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
    small([sum(part.size for part in parts)])
    return np.concatenate(parts, int(axis))


def _pack(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    small([sum(part.size for part in inputs)])
    return np.stack(inputs, _integer(node, "axis"))


def _cast(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    kind = DTYPES.get(_integer(node, "DstT"))
    if kind is None:
        raise BadInput(f"The Cast {node.name[:80]!r} is to a type that is not run.")
    return inputs[0].astype(kind)


def _gather(node: Node, inputs: Sequence[Tensor]) -> Tensor:
    given, places, axis = inputs
    small([places.size, given.size])
    if _integer(node, "batch_dims") or places.size * given.size > MOST_ELEMENTS:
        raise BadInput(f"The GatherV2 {node.name[:80]!r} is not of the kind that is run.")
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
    kept = bool(node.attributes.get("keep_dims"))
    return np.asarray(np.prod(given, tuple(np.ravel(axes).tolist()), dtype=given.dtype, keepdims=kept))


_RULES: dict[str, Callable[[Node, Sequence[Tensor]], Tensor]] = {
    "AddN": _sum,
    "Cast": _cast,
    "ConcatV2": _concat,
    "Conv2D": _conv,
    "ExpandDims": lambda _, x: np.expand_dims(x[0], int(x[1])),
    "FusedBatchNorm": _normalised,
    "FusedBatchNormV2": _normalised,
    "FusedBatchNormV3": _normalised,
    "GatherV2": _gather,
    "LeakyRelu": lambda node, x: np.where(x[0] > 0, x[0], x[0] * np.float32(slope(node))),
    "MatMul": _matmul,
    "Pack": _pack,
    "Prod": _prod,
    "Reshape": lambda _, x: x[0].reshape([int(size) for size in np.ravel(x[1])]),
    "Shape": lambda _, x: np.array(x[0].shape, np.int32),
    "Softmax": _softmax,
    "Squeeze": lambda node, x: np.squeeze(x[0], axes_of(node) or None),
    "StridedSlice": lambda node, x: np.asarray(x[0][strided_index(node, *x[1:])]),
    "Transpose": lambda _, x: np.transpose(x[0], [int(axis) for axis in x[1]]),
}


def _integer(node: Node, key: str) -> int:
    value = node.attributes.get(key, 0)
    return value if isinstance(value, int) else 0


def _integers(node: Node, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
    value = node.attributes.get(key)
    return value if isinstance(value, tuple) and value else default
