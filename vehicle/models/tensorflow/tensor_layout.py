"""A value that depends on what the car sees, while a graph is converted: where and what it is.

TensorFlow has pictures as height, width, channels; the ONNX graph has them as channels, height, width. The difference
is carried along here, so that no Transpose is ever written: it ends in the rows of a dense layer's weights. A
scale is carried too: a picture's (1/255) ends in the first layer's weights, and the two halves of rl_coach's gradient
rescaler, `(1 - r) x` and `r x`, add up to x itself.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput

Order = NDArray[np.int64]

_ROUNDING = 2.0**-22  # of (1 - r) + r in float32


@dataclass(frozen=True, slots=True)
class Flow:
    """`name` in the ONNX graph, times `scale`. `shape` is TensorFlow's, the batch being 1.

    A `picture` lies as (1, C, H, W), `size` being (H, W), behind a shape of (1, H, W, C), or of (H * W, C) inside a
    dense layer on pictures. A row, (1, N), may lie in another `order`: place n holds TensorFlow's element order[n].
    Further axes of size one may stand before either: they are in the shape only.
    """

    name: str
    shape: tuple[int, ...]
    picture: bool = False
    size: tuple[int, int] = (0, 0)
    order: Order | None = None
    scale: float = 1.0

    @property
    def channels(self) -> int:
        """The last axis."""
        return self.shape[-1]

    @property
    def tail(self) -> tuple[int, ...]:
        """The axes that are no more than a batch of one, or a stack of one, before them."""
        if not self.picture:
            return self.shape[-1:]
        return self.shape[-3:] if self.shape[-3:-1] == self.size else self.shape[-2:]

    def viewed(self, shape: tuple[int, ...]) -> "Flow | None":
        """The same under a shape that differs in its leading axes of size one; None if it is another."""
        before = len(shape) - len(self.tail)
        fits = before >= 0 and shape[before:] == self.tail and all(size == 1 for size in shape[:before])
        return replace(self, shape=shape) if fits else None

    def times(self, factor: float) -> "Flow":
        """The value times a number; what rounding alone keeps from being one is one."""
        scale = self.scale * factor
        return replace(self, scale=1.0 if abs(scale - 1.0) < _ROUNDING else scale)

    def named(self, name: str) -> "Flow":
        """The same shape and order, made by another operator."""
        return replace(self, name=name, scale=1.0)

    def flat(self, name: str) -> "Flow":
        """The picture as one row, in the order of its channels."""
        rows, columns = self.size
        count = rows * columns * self.channels
        order = np.arange(count).reshape(rows, columns, self.channels).transpose(2, 0, 1).ravel()
        return Flow(name, (1, count), order=order, scale=self.scale)

    def arranged(self, constant: NDArray[Any]) -> NDArray[Any]:
        """A constant that is broadcast over this value, as it must lie in ONNX. Raises BadInput."""
        if constant.size == 1:
            return constant.reshape(())
        if constant.shape[-1] != self.channels or constant.size != self.channels:
            raise BadInput(f"The graph joins values of shapes {self.shape} and {constant.shape}, which is not run.")
        row = constant.ravel()
        if self.picture:
            return row.reshape(-1, 1, 1)
        return row if self.order is None else row[self.order]


def joined(name: str, parts: list[Flow]) -> Flow:
    """Rows one after the other."""
    orders, start = [], 0
    for part in parts:
        orders.append(start + (np.arange(part.channels) if part.order is None else part.order))
        start += part.channels
    order = None if all(part.order is None for part in parts) else np.concatenate(orders)
    return Flow(name, (*parts[0].shape[:-1], start), order=order)


def same_place(first: Flow, second: Flow) -> bool:
    """Do two values lie alike, so that they can be added element by element?"""
    if first.tail != second.tail or first.picture != second.picture or first.size != second.size:
        return False
    if first.order is None or second.order is None:
        return first.order is second.order
    return bool(np.array_equal(first.order, second.order))
