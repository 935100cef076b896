"""Reads the attributes of TensorFlow operators and checks that their values are supported. Shapes are channels last.

Called by the rules, by numpy_ops.py and by interpreter.py. Source: tensorflow/core/ops (attributes and defaults).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow.graphdef import MAX_RANK, Node, Tensor

Index = tuple[Any, ...]


def strided_index(node: Node, begin: Tensor, end: Tensor, strides: Tensor) -> Index:
    """The numpy index of a StridedSlice; `begin`, `end` and `strides` are its inputs."""
    masks = {key: integer(node, f"{key}_mask") for key in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
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
    """The strides (down, right) of a convolution. Raises BadInput unless it is VALID, undilated and channels last."""
    strides = node.attributes.get("strides")
    if not isinstance(strides, tuple) or len(strides) != 4 or strides[0] != 1 or strides[3] != 1 or min(strides) < 1:
        raise BadInput(text("The convolution {name!r} has strides that are not supported.", name=node.name[:80]))
    if node.attributes.get("padding") != b"VALID":
        raise BadInput(text("The convolution {name!r} is padded; only VALID is supported.", name=node.name[:80]))
    if node.attributes.get("data_format", b"NHWC") != b"NHWC":
        raise BadInput(
            text("The convolution {name!r} is not in NHWC order, which is not supported.", name=node.name[:80])
        )
    if any(size != 1 for size in integers(node, "dilations", (1, 1, 1, 1))):
        raise BadInput(text("The convolution {name!r} is dilated, which is not supported.", name=node.name[:80]))
    return strides[1], strides[2]


def conv_size(node: Node, picture: Sequence[int], kernel: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the output of a convolution, from the shapes of input and kernel. Raises BadInput."""
    down, right = conv_strides(node)
    if len(picture) != 4 or len(kernel) != 4 or picture[3] != kernel[2] or min(kernel) < 1:
        raise BadInput(text("The convolution {name!r} does not fit its input.", name=node.name[:80]))
    rows, columns = (picture[1] - kernel[0]) // down + 1, (picture[2] - kernel[1]) // right + 1
    if rows < 1 or columns < 1:
        raise BadInput(text("The convolution {name!r} is larger than its input.", name=node.name[:80]))
    return rows, columns


def reshaped(node: Node, shape: tuple[int, ...], wanted: Tensor) -> tuple[int, ...]:
    """The output shape of a Reshape to `wanted`. Raises BadInput if it does not fit."""
    try:
        return np.broadcast_to(np.int8(0), shape).reshape([int(size) for size in np.ravel(wanted)]).shape
    except (ValueError, TypeError, OverflowError):
        raise BadInput(text("The Reshape {name!r} does not fit its input.", name=node.name[:80])) from None


def expanded(node: Node, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape with an additional axis of size one at `axis`. Raises BadInput."""
    if not -len(shape) - 1 <= axis <= len(shape) or len(shape) >= MAX_RANK:
        raise BadInput(text("The {op} {name!r} does not fit its input.", op=node.op, name=node.name[:80]))
    place = axis % (len(shape) + 1)
    return (*shape[:place], 1, *shape[place:])


def squeezed(node: Node, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The output shape of a Squeeze: without the named axes, or without all of size one. Raises BadInput."""
    try:
        return np.squeeze(np.broadcast_to(np.int8(0), shape), axes_of(node) or None).shape
    except ValueError:
        raise BadInput(text("The Squeeze {name!r} does not fit its input.", name=node.name[:80])) from None


def sliced(node: Node, shape: tuple[int, ...], begin: Tensor, end: Tensor, strides: Tensor) -> Tensor:
    """The flat indices of the elements that a StridedSlice selects, in its output shape. Raises BadInput."""
    try:
        return np.asarray(np.arange(math.prod(shape)).reshape(shape)[strided_index(node, begin, end, strides)])
    except (IndexError, ValueError, TypeError):
        raise BadInput(text("The StridedSlice {name!r} does not fit its input.", name=node.name[:80])) from None


def epsilon(node: Node) -> float:
    """The epsilon of a batch normalisation. Raises BadInput if it is in training mode or not NHWC."""
    if node.attributes.get("is_training", True) is not False:
        raise BadInput(
            text("The normalisation {name!r} is in training mode: export the model for inference.", name=node.name[:80])
        )
    if node.attributes.get("data_format", b"NHWC") != b"NHWC":
        raise BadInput(
            text("The normalisation {name!r} is not in NHWC order, which is not supported.", name=node.name[:80])
        )
    value = node.attributes.get("epsilon", 0.0001)
    return float(value) if isinstance(value, float) else 0.0001


def slope(node: Node) -> float:
    """The slope of a LeakyRelu below 0."""
    alpha = node.attributes.get("alpha", 0.2)
    return float(alpha) if isinstance(alpha, float) else 0.2


def axes_of(node: Node) -> tuple[int, ...]:
    """The axes that a Squeeze removes; () for all of size one."""
    return integers(node, "squeeze_dims", ()) or integers(node, "axis", ())


def integer(node: Node, key: str) -> int:
    """An integer attribute, 0 if it is missing."""
    value = node.attributes.get(key, 0)
    return value if isinstance(value, int) else 0


def integers(node: Node, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
    """A list attribute of integers, `default` if it is missing or empty."""
    value = node.attributes.get(key)
    return value if isinstance(value, tuple) and value else default
