"""One byte a texel: which share of it is field, road, line, dash and start line, to a ninth; and what that looks like.

220 codes hold every mixture of field, road, line and dash in ninths, 28 those of start line, road and line in sevenths.
The floor of a track is stored once in these codes; each world lays its own colours over them with a table of 256.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch.compiled import call, compiled, compiled_part
from simulator.world.floor_masks import FloorMasks
from simulator.world.floor_texture import Appearance

FIELD, ROAD, LINE, DASH, START = range(5)
_NINTHS, _SEVENTHS = 9, 7
_START_FROM = 18  # of 255: less of the start line is counted as road

Codes = NDArray[np.uint8]
Weights = NDArray[np.uint8]
Table = NDArray[np.float32]


def _enumerated() -> tuple[Codes, Codes, Table]:
    """(code of ninths by field, road, line; code of sevenths by start, road; the shares of each code (256, 5))."""
    plain, start = np.zeros((10, 10, 10), np.uint8), np.zeros((8, 8), np.uint8)
    shares = np.zeros((256, 5), np.float32)
    code = 0
    for field in range(_NINTHS + 1):
        for road in range(_NINTHS + 1 - field):
            for line in range(_NINTHS + 1 - field - road):
                plain[field, road, line] = code
                shares[code, :4] = np.array([field, road, line, _NINTHS - field - road - line]) / _NINTHS
                code += 1
    for part in range(1, _SEVENTHS + 1):
        for road in range(_SEVENTHS + 1 - part):
            start[part, road] = code
            shares[code, [START, ROAD, LINE]] = np.array([part, road, _SEVENTHS - part - road]) / _SEVENTHS
            code += 1
    return plain, start, shares


_PLAIN, _STARTS, SHARES = _enumerated()
FIELD_CODE, ROAD_CODE = int(_PLAIN[_NINTHS, 0, 0]), int(_PLAIN[0, _NINTHS, 0])


@compiled
def weights_of(road: Any, lines: Any, dashes: Any, start: Any, weights: Any) -> Any:
    """Fill `weights` (5, H, W) uint8, of 255, from the coverages (h, w) laid over each other in this order."""
    for y in range(weights.shape[1]):
        for x in range(weights.shape[2]):
            left = 255.0
            if y >= road.shape[0] or x >= road.shape[1]:
                weights[FIELD, y, x] = 255
                continue
            if lines[y, x] == 0 and dashes[y, x] == 0 and start[y, x] == 0:  # as most of it is
                weights[ROAD, y, x], weights[FIELD, y, x] = road[y, x], 255 - road[y, x]
            else:
                for place, share in (
                    (START, start[y, x]),
                    (DASH, dashes[y, x]),
                    (LINE, lines[y, x]),
                    (ROAD, road[y, x]),
                ):
                    part = left * share / 255.0
                    weights[place, y, x] = np.uint8(part + 0.5)
                    left -= part
                weights[FIELD, y, x] = np.uint8(left + 0.5)


@compiled
def encode(weights: Any, codes: Any) -> Any:
    """Fill `codes` (H, W) uint8 with the nearest mixture of each texel's weights (5, H, W)."""
    for y in range(codes.shape[0]):
        _encode_row(weights, codes, y)


@compiled_part
def _encode_row(weights: Any, codes: Any, y: Any) -> Any:
    for x in range(codes.shape[1]):
        w = weights[:, y, x]
        if w[FIELD] == 255:
            codes[y, x] = FIELD_CODE
        elif w[ROAD] == 255:
            codes[y, x] = ROAD_CODE
        elif w[START] >= _START_FROM:
            part, road, _, _ = _in_steps(
                np.int64(_SEVENTHS), w[START], w[ROAD] + w[FIELD] + w[DASH], w[LINE], np.uint8(0)
            )
            codes[y, x] = _STARTS[part, road] if part else _PLAIN[0, _NINTHS, 0]
        else:
            field, road, line, _ = _in_steps(np.int64(_NINTHS), w[FIELD], w[ROAD] + w[START], w[LINE], w[DASH])
            codes[y, x] = _PLAIN[field, road, line]


@compiled_part
def _in_steps(steps: Any, first: Any, second: Any, third: Any, fourth: Any) -> Any:
    """Four amounts as whole steps that add up to `steps`, by the largest remainders."""
    total = float(first) + float(second) + float(third) + float(fourth)
    a, b, c, d = first * steps / total, second * steps / total, third * steps / total, fourth * steps / total
    i, j, k, n = int(a), int(b), int(c), int(d)
    while i + j + k + n < steps:
        largest = max(a - i, b - j, c - k, d - n)
        if a - i == largest:
            i += 1
        elif b - j == largest:
            j += 1
        elif c - k == largest:
            k += 1
        else:
            n += 1
    return i, j, k, n


def weights_from(masks: FloorMasks, height: int, width: int) -> Weights:
    """The weights of a floor, a plane of each, which are halved faster than five side by side; around it lies field."""
    weights = np.zeros((5, height, width), np.uint8)
    call(weights_of, masks.road, masks.lines, masks.dashes, masks.start_line, weights)
    return weights


def palette(appearance: Appearance, channel_weights: NDArray[np.float64]) -> Table:
    """What each code looks like: levels (C, 256) for channels that weigh blue, green and red as (C, 3) says."""
    one = appearance
    colours = np.array([one.field, one.road, one.line, one.dash, one.start_line], np.float64)
    return np.ascontiguousarray((channel_weights @ colours.T @ SHARES.T.astype(np.float64)).astype(np.float32))


def grain_strength(appearance: Appearance) -> Table:
    """The standard deviation of the grain at each code, grey levels, (256,)."""
    on_road = SHARES[:, FIELD] < 0.5
    return np.where(on_road, appearance.grain, appearance.field_grain).astype(np.float32)
