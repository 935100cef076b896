"""A value that depends on the sensors, while a graph is converted: its name in ONNX, its shape, layout and scale.

TensorFlow stores pictures as height, width, channels; ONNX as channels, height, width. The difference is tracked here,
so that no Transpose is ever written: it ends up in the order of the rows of a dense layer's weights. A scale is tracked
as well: the 1/255 of a picture ends up in the first layer's weights, and the two halves of rl_coach's gradient
rescaler, `(1 - r) x` and `r x`, add up to x itself. Used by graph_builder.py and the rules.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.text import text

Order = NDArray[np.int64]

_ROUNDING = 2.0**-22  # of (1 - r) + r in float32


@dataclass(frozen=True, slots=True)
class TracedTensor:
    """The ONNX value `name`, times `scale`. `shape` is the one in TensorFlow, with a batch of 1.

    If `is_picture`, the value is (1, C, H, W) in ONNX, with `size` (H, W), for a `shape` of (1, H, W, C), or of
    (H * W, C) inside a dense layer on pictures. A row, (1, N), may have another `order` in ONNX: its element n is
    TensorFlow's element order[n]. Either may have further leading axes of size one, in `shape` only.
    """

    name: str
    shape: tuple[int, ...]
    is_picture: bool = False
    size: tuple[int, int] = (0, 0)
    order: Order | None = None
    scale: float = 1.0

    @property
    def channels(self) -> int:
        """The size of the last axis: the channels of a picture, or the values of a row."""
        return self.shape[-1]

    @property
    def tail(self) -> tuple[int, ...]:
        """The shape without the leading axes of a batch of one or a stack of one."""
        if not self.is_picture:
            return self.shape[-1:]
        return self.shape[-3:] if self.shape[-3:-1] == self.size else self.shape[-2:]

    def with_shape(self, shape: tuple[int, ...]) -> "TracedTensor | None":
        """The value under a shape that differs only in leading axes of size one; None if `shape` differs otherwise."""
        before = len(shape) - len(self.tail)
        fits = before >= 0 and shape[before:] == self.tail and all(size == 1 for size in shape[:before])
        return replace(self, shape=shape) if fits else None

    def scaled_by(self, factor: float) -> "TracedTensor":
        """The value times a number. A scale that differs from 1 by rounding alone becomes 1."""
        scale = self.scale * factor
        return replace(self, scale=1.0 if abs(scale - 1.0) < _ROUNDING else scale)

    def with_name(self, name: str) -> "TracedTensor":
        """The output of another operator that has the same shape and layout; its scale is 1."""
        return replace(self, name=name, scale=1.0)

    def flattened(self, name: str) -> "TracedTensor":
        """The picture as one row, (1, N), channel by channel."""
        rows, columns = self.size
        count = rows * columns * self.channels
        order = np.arange(count).reshape(rows, columns, self.channels).transpose(2, 0, 1).ravel()
        return TracedTensor(name, (1, count), order=order, scale=self.scale)

    def in_layout(self, constant: NDArray[Any]) -> NDArray[Any]:
        """A constant that is broadcast over this value, rearranged to the value's layout in ONNX. Raises BadInput."""
        if constant.size == 1:
            return constant.reshape(())
        if constant.shape[-1] != self.channels or constant.size != self.channels:
            raise BadInput(
                text(
                    "The graph joins values of shapes {one} and {other}, which is not supported.",
                    one=self.shape,
                    other=constant.shape,
                )
            )
        row = constant.ravel()
        if self.is_picture:
            return row.reshape(-1, 1, 1)
        return row if self.order is None else row[self.order]


def concatenated(name: str, parts: list[TracedTensor]) -> TracedTensor:
    """The rows in `parts`, (1, N) each, concatenated by the ONNX operator that writes `name`."""
    orders, start = [], 0
    for part in parts:
        orders.append(start + (np.arange(part.channels) if part.order is None else part.order))
        start += part.channels
    order = None if all(part.order is None for part in parts) else np.concatenate(orders)
    return TracedTensor(name, (*parts[0].shape[:-1], start), order=order)


def same_layout(first: TracedTensor, second: TracedTensor) -> bool:
    """Whether both have the same layout, so that they can be combined element by element."""
    if first.tail != second.tail or first.is_picture != second.is_picture or first.size != second.size:
        return False
    if first.order is None or second.order is None:
        return first.order is second.order
    return bool(np.array_equal(first.order, second.order))
