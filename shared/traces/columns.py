"""Columns of integers as bytes: differences, zigzag, and seven bits a byte (LEB128), one spelling for each column."""

import numpy as np
from numpy.typing import NDArray

from shared.traces.trace import Column

LARGEST = 1 << 53  # of any value: exact in JSON and in a browser
_MAX_BYTES = 8  # of one difference: 56 bits hold twice the largest value and its sign
_MAX_SUM = float(1 << 62)


class NotCanonical(ValueError):
    """The bytes are not what `pack` writes."""


def pack(values: Column) -> bytes:
    """The column's bytes: each value as the difference from the one before it."""
    packed = bytearray()
    before = 0
    for value in values:
        difference = value - before
        before = value
        number = difference << 1 if difference >= 0 else ~(difference << 1)
        while number > 0x7F:
            packed.append(number & 0x7F | 0x80)
            number >>= 7
        packed.append(number)
    return bytes(packed)


def unpack(packed: bytes, limit: int) -> Column:
    """The values in the bytes, at most `limit`. Raises NotCanonical."""
    if not packed:
        return ()
    if len(packed) > limit * _MAX_BYTES:
        raise NotCanonical
    numbers = _numbers(np.frombuffer(packed, np.uint8))
    if len(numbers) > limit:
        raise NotCanonical
    differences = (numbers >> 1) ^ -(numbers & 1)
    if float(np.abs(differences).astype(np.float64).sum()) > _MAX_SUM:
        raise NotCanonical
    values = np.cumsum(differences)
    if int(np.abs(values).max()) > LARGEST:
        raise NotCanonical
    return tuple(values.tolist())


def _numbers(packed: NDArray[np.uint8]) -> NDArray[np.int64]:
    ends = np.flatnonzero(packed < 0x80)
    if not len(ends) or ends[-1] != len(packed) - 1:
        raise NotCanonical
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if int(lengths.max()) > _MAX_BYTES or bool(((packed[ends] == 0) & (lengths > 1)).any()):
        raise NotCanonical
    numbers = np.zeros(len(ends), np.int64)
    for place in range(int(lengths.max())):
        reaches = lengths > place
        numbers[reaches] |= (packed[starts[reaches] + place].astype(np.int64) & 0x7F) << (7 * place)
    return numbers
