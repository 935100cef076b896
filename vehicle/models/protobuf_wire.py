"""Parses the wire format of protocol buffers within limits: no schema, no copies, no recursion.

Used by tensorflow/graphdef.py and onnx_file/. Source: protobuf.dev/programming-guides/encoding. The bytes are
untrusted: every length is checked, groups are refused, and the number of fields in a file is limited.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.text import text

MAX_FIELDS = 50_000  # DeepRacer networks have about 4,000
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_MAX_TAG = 1 << 32  # of a field's number and wire type
_TRUNCATED = text("The graph is truncated or not a protocol buffer.")

Field = tuple[int, int, int, memoryview]  # field number, wire type, value of a varint, bytes of all others


class BrokenWire(BadInput):
    """The bytes are cut off, or not a protocol buffer at all."""


class WireReader:
    """Splits messages into fields; the limit `max_fields` applies to the whole file."""

    def __init__(self, max_fields: int = MAX_FIELDS) -> None:
        self._left = max_fields

    def fields(self, data: memoryview) -> Iterator[Field]:
        """The fields of one message. Raises BadInput if it is truncated or there are too many."""
        at, end = 0, len(data)
        while at < end:
            self._spend(1)
            key, at = varint(data, at)
            number, kind = key >> 3, key & 7
            if number == 0 or key >= _MAX_TAG:
                raise BrokenWire(_TRUNCATED)
            if kind == VARINT:
                value, at = varint(data, at)
                yield number, kind, value, data[0:0]
                continue
            size, at = varint(data, at) if kind == BYTES else (_size(kind), at)
            if size > end - at:
                raise BrokenWire(_TRUNCATED)
            yield number, kind, 0, data[at : at + size]
            at += size

    def varints(self, data: memoryview) -> list[int]:
        """A packed list of signed varints. Raises BadInput."""
        at, values = 0, []
        while at < len(data):
            self._spend(1)
            value, at = varint(data, at)
            values.append(signed(value))
        return values

    def _spend(self, fields: int) -> None:
        self._left -= fields
        if self._left < 0:
            raise BadInput(text("The graph has more parts than any policy."))


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """The unsigned varint at offset `at`, and the offset behind it. Raises BadInput."""
    value = 0
    for place in range(_MAX_VARINT_BYTES):
        if at + place >= len(data):
            raise BrokenWire(_TRUNCATED)
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise BrokenWire(_TRUNCATED)


def encoded(value: int) -> bytes:
    """A varint's bytes, as few as there can be; a negative number is written as int64."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    content = bytearray()
    while value > 0x7F:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    content.append(value)
    return bytes(content)


def signed(value: int) -> int:
    """An unsigned varint reinterpreted as int64."""
    return value - (1 << 64) if value >= 1 << 63 else value


def numbers(data: memoryview, dtype: str) -> NDArray[np.generic]:
    """Packed fixed-size numbers of a numpy type such as `<f4`, as a view. Raises BadInput."""
    kind = np.dtype(dtype)
    if len(data) % kind.itemsize:
        raise BrokenWire(_TRUNCATED)
    return np.frombuffer(data, kind)


def printable(data: memoryview, what: str, max_bytes: int = 512) -> str:
    """A name as text; `what` describes it in a refusal. Raises BadInput if it is too long, not UTF-8, not printable."""
    if len(data) > max_bytes:
        raise BadInput(text("The graph has {what} of {n} bytes, which is not supported.", what=what, n=len(data)))
    try:
        name = str(data, "utf-8")
    except UnicodeDecodeError:
        raise BadInput(text("The graph has {what} that is not text.", what=what)) from None
    if not name.isprintable():
        raise BadInput(text("The graph has {what} that cannot be printed.", what=what))
    return name


def _size(kind: int) -> int:
    if kind not in (FIXED64, FIXED32):
        raise BrokenWire(_TRUNCATED)
    return 8 if kind == FIXED64 else 4
