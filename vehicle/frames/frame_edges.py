"""Counts the edges in a picture of 40 x 30 blocks, without those that light leaks explain. Used by frame_check.py.

At a leak at the rim of a cap, with glare or in a lamp's halo, the brightness rises or falls from the border inwards,
block by block. Such a slope is followed from all four borders and does not count. Around an overexposed place the halo
may end before the border: then no slope of five steps or more counts, wherever it lies. A plane of 1,200 booleans is
one integer, the first block its highest bit, so that a slope is followed for all blocks at once, in doubling strides.
"""

from typing import Final

import cv2
import numpy as np

from vehicle.hardware.frame import Pixels

COLUMNS, ROWS = 40, 30
STEP: Final = 8  # grey levels between two blocks that make an edge
SLOPE: Final = 5  # grey levels from block to block, without a break from the border on, that make a slope
BURNT_OUT: Final = 200  # a block this bright may have a halo; cameras of limited range clip at 235
HALO_STEPS: Final = 5  # of one slope, one after the other; out of focus a scene's own edges are as wide
STRIPS: Final = 4  # vertical ones, of ten columns

Planes = tuple[tuple[int, int], ...]  # strides in bits with the blocks that a stride from the border reaches


def _plane(rows: slice, columns: slice) -> int:
    blocks = np.zeros((ROWS, COLUMNS), np.bool_)
    blocks[rows, columns] = True
    return int.from_bytes(np.packbits(blocks).tobytes(), "big")


_ALL: Final = slice(None)
_FROM_TOP: Final[Planes] = tuple((COLUMNS * n, _plane(slice(n), _ALL)) for n in (1, 2, 4, 8, 16))
_FROM_BOTTOM: Final[Planes] = tuple((-COLUMNS * n, _plane(slice(-n, None), _ALL)) for n in (1, 2, 4, 8, 16))
_FROM_LEFT: Final[Planes] = tuple((n, _plane(_ALL, slice(n))) for n in (1, 2, 4, 8, 16, 32))
_FROM_RIGHT: Final[Planes] = tuple((-n, _plane(_ALL, slice(-n, None))) for n in (1, 2, 4, 8, 16, 32))
_BESIDE: Final = _plane(_ALL, slice(-1))  # blocks that have a neighbour on the right
_BELOW: Final = _plane(slice(-1), _ALL)
_BYTES: Final = ROWS * COLUMNS // 8
_STARTS: Final = range(0, 8 * _BYTES, _BYTES)
_WIDTH: Final = COLUMNS // STRIPS
_STRIPS: Final = tuple(_plane(_ALL, slice(_WIDTH * n, _WIDTH * (n + 1))) for n in range(STRIPS))

# The quick count has a byte for each step, whose highest bit means yes: the steps to the right, then those downwards.
_BYTE, _LINE = 8, 8 * COLUMNS
_MARGIN: Final = 2  # blocks from the border within which a step does not count here: it lacks neighbours


def _high_bits(beside: tuple[slice, slice], below: tuple[slice, slice]) -> int:
    steps = np.zeros((2, ROWS, COLUMNS), np.uint8)
    steps[0][beside] = steps[1][below] = 0x80
    return int.from_bytes(steps.tobytes(), "big")


_NONE: Final = (slice(0), slice(0))
_YES: Final = _high_bits((_ALL, _ALL), (_ALL, _ALL))
_REST: Final = _YES - (_YES >> 7)
_ONES: Final = _YES >> 7
_INNER_BESIDE: Final = _high_bits((_ALL, slice(_MARGIN, -1 - _MARGIN)), _NONE)
_INNER_BELOW: Final = _high_bits(_NONE, (slice(_MARGIN, -1 - _MARGIN), _ALL))
_COLUMNS: Final = tuple((_ALL, slice(_WIDTH * n, _WIDTH * (n + 1))) for n in range(STRIPS))
_BOTH_IN_STRIP: Final = tuple(_high_bits(columns, columns) for columns in _COLUMNS)


class EdgeCounter:
    """Counts edges with buffers that are allocated once; not thread-safe."""

    def __init__(self) -> None:
        self._sizes: Pixels = np.zeros((2, ROWS, COLUMNS), np.uint8)
        # 255: where there is no neighbour, a slope continues.
        self._steps: Pixels = np.full((4, ROWS, COLUMNS), 255, np.uint8)
        self._planes = np.empty((2, *self._steps.shape), np.bool_)

    def count_quickly(self, blocks: Pixels) -> tuple[int, tuple[int, ...]]:
        """All edges, and for each strip a lower bound of what `count` finds: quick, and enough for most pictures.

        `blocks`: uint8 (30, 40). An edge counts if, on both of its sides, at least one of the next two steps is less
        than SLOPE. Such an edge is in no halo either, since that has five steps in a row.
        """
        cv2.absdiff(blocks[:, 1:], blocks[:, :-1], dst=self._sizes[0, :, :-1])
        cv2.absdiff(blocks[1:], blocks[:-1], dst=self._sizes[1, :-1])
        sizes = int.from_bytes(self._sizes.tobytes(), "big")
        edges, slopes = _at_least(sizes, STEP), _at_least(sizes, SLOPE)
        beside = (slopes >> _BYTE & slopes >> 2 * _BYTE) | (slopes << _BYTE & slopes << 2 * _BYTE)
        below = (slopes >> _LINE & slopes >> 2 * _LINE) | (slopes << _LINE & slopes << 2 * _LINE)
        free = (edges & _INNER_BESIDE & ~beside) | (edges & _INNER_BELOW & ~below)
        return edges.bit_count(), tuple((free & strip).bit_count() for strip in _BOTH_IN_STRIP)

    def count(self, blocks: Pixels) -> tuple[int, tuple[int, ...]]:
        """All edges, and those of each strip that no slope explains; blocks as uint8 (30, 40)."""
        left, right, upper, lower = blocks[:, :-1], blocks[:, 1:], blocks[:-1], blocks[1:]
        steps = self._steps
        cv2.subtract(right, left, dst=steps[0, :, :-1])  # saturates at 0: a fall is not a negative rise
        cv2.subtract(left, right, dst=steps[1, :, :-1])
        cv2.subtract(lower, upper, dst=steps[2, :-1])
        cv2.subtract(upper, lower, dst=steps[3, :-1])
        np.greater_equal(steps, STEP, out=self._planes[0])
        np.greater_equal(steps, SLOPE, out=self._planes[1])
        packed = np.packbits(self._planes).tobytes()
        rise_right, fall_right, rise_down, fall_down, *slopes = (
            int.from_bytes(packed[at : at + _BYTES], "big") for at in _STARTS
        )
        beside, below = (rise_right | fall_right) & _BESIDE, (rise_down | fall_down) & _BELOW
        inner_beside = beside & ~_border_slopes(slopes[:2], _FROM_LEFT, _FROM_RIGHT)
        inner_below = below & ~_border_slopes(slopes[2:], _FROM_TOP, _FROM_BOTTOM)
        if cv2.norm(blocks, cv2.NORM_INF) >= BURNT_OUT:
            inner_beside &= ~_long_slopes(slopes[:2], 1)
            inner_below &= ~_long_slopes(slopes[2:], COLUMNS)
        strips = tuple((inner_beside & strip).bit_count() + (inner_below & strip).bit_count() for strip in _STRIPS)
        return beside.bit_count() + below.bit_count(), strips


def _at_least(sizes: int, level: int) -> int:
    """Which bytes are `level` or more, 1 to 128, as their highest bits; no byte carries into the next."""
    return ((sizes & _REST) + (0x80 - level) * _ONES | sizes) & _YES


def _border_slopes(slopes: list[int], *borders: Planes) -> int:
    """The steps that are part of a slope, rising or falling, from one of the two borders."""
    joined = 0
    for slope in slopes:
        for border in borders:
            reached = slope if slope & border[0][1] else 0
            for stride, near in border if reached else ():
                reached &= (reached >> stride if stride > 0 else reached << -stride) | near
            joined |= reached
    return joined


def _long_slopes(slopes: list[int], stride: int) -> int:
    """The steps that are part of a slope of HALO_STEPS or more, rising or falling, wherever it begins.

    A slope is taken to continue beyond the border: one that is long only by that is joined to the border anyway.
    """
    long_slopes = 0
    for slope in slopes:
        first = slope
        for ahead in range(1, HALO_STEPS):
            first &= slope << stride * ahead
        for behind in range(HALO_STEPS):
            long_slopes |= first >> stride * behind
    return long_slopes
