"""Checks one tensor of an ONNX file by its bytes: its data are in the file and have the size that its shape says.

Called by scan.py. The data stay where they are; only their number is counted.
"""

import math
from typing import TypeVar

import numpy as np

from shared.errors import BadInput
from shared.text import Sentence, text
from vehicle.models.onnx_file.parts import OnnxPart
from vehicle.models.onnx_file.schema import MAX_RANK
from vehicle.models.protobuf_wire import BYTES, FIXED32, FIXED64, VARINT, Field, WireReader, encoded, printable, signed

Kept = TypeVar("Kept")

MAX_WEIGHTS = 64 << 20
FOLLOWED_ELEMENTS = 1024  # a tensor of no more may say shapes, so that its values stand in the outline
NOT_ONNX = text("The file is not an ONNX model, or it is damaged: export it again.")

FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16, DOUBLE = 1, 2, 3, 6, 7, 9, 10, 11  # TensorProto.DataType
BYTES_EACH = {FLOAT: 4, DOUBLE: 8, FLOAT16: 2, INT8: 1, UINT8: 1, INT32: 4, INT64: 8, BOOL: 1}
_DIMS, _DATA_TYPE, _SEGMENT, _TEXTS, _NAME, _RAW, _UNSIGNED = 1, 2, 3, 6, 8, 9, 11
_EXTERNAL, _LOCATION = 13, 14
_FLOATS, _INTEGERS32, _INTEGERS64, _DOUBLES = 4, 5, 7, 10
_LIST_OF = {FLOAT: _FLOATS, DOUBLE: _DOUBLES, INT64: _INTEGERS64}  # all others list their values as int32
_FIXED = {_FLOATS: 4, _DOUBLES: 8}
# The wire types of the data: packed, or one number a field.
_DATA = {
    _RAW: (BYTES,),
    _FLOATS: (BYTES, FIXED32),
    _DOUBLES: (BYTES, FIXED64),
    _INTEGERS32: (BYTES, VARINT),
    _INTEGERS64: (BYTES, VARINT),
}
_MAX_LISTED = 1 << 20  # numbers that are listed as varints; exporters write weights as raw data
_LONGEST_VARINT = 10


class TensorCheck:
    """Collects the fields of one TensorProto, then gives its parts."""

    def __init__(self, wire: WireReader, max_dims: int = MAX_RANK + 1) -> None:
        self._wire, self._max_dims = wire, max_dims
        self._dims: list[int] = []
        self._data_type: int | None = None
        self._name: memoryview | None = None
        self._lists: dict[int, list[memoryview]] = {}
        self._is_outside = self._is_other = False

    def add(self, field: Field) -> bool:
        """Takes one field; False if it is nothing that is kept. Raises BadInput."""
        number, wire, value, data = field
        if number == _DIMS:
            self._dims += [signed(value)] if wire == VARINT else self._wire.varints(_of_bytes(wire, data))
            del self._dims[self._max_dims :]  # more are refused, and need not be stored
        elif number == _DATA_TYPE:
            self._data_type = _once(self._data_type, _of_varint(wire, value))
        elif number == _NAME:
            self._name = _once(self._name, _of_bytes(wire, data))
        elif number in _DATA:
            if wire not in _DATA[number]:
                raise BadInput(NOT_ONNX)
            self._lists.setdefault(number, []).append(memoryview(encoded(value)) if wire == VARINT else data)
        elif number == _EXTERNAL:
            self._is_outside = True
        elif number == _LOCATION:
            self._is_outside |= value != 0
        elif number in (_SEGMENT, _TEXTS, _UNSIGNED):
            self._is_other = True
        else:
            return False
        return True

    def parts(self) -> list[OnnxPart]:
        """The parts of the tensor. Raises BadInput unless it may be kept."""
        name = "" if self._name is None else printable(self._name, text("a tensor's name"))
        shown = name[:40] or "constant"
        if self._is_outside:
            raise BadInput(
                text("The tensor {name!r} has its data outside the file, which is not supported.", name=shown)
            )
        kind = self._data_type or 0
        if kind not in BYTES_EACH or self._is_other or len(self._dims) > MAX_RANK or any(dim < 0 for dim in self._dims):
            raise BadInput(text("The tensor {name!r} is of a type or shape that is not supported.", name=shown))
        elements = math.prod(self._dims)
        if elements > MAX_WEIGHTS:
            raise BadInput(_too_large(shown, elements))
        parts = [OnnxPart(_DIMS, VARINT, encoded(dim)) for dim in self._dims]
        parts.append(OnnxPart(_DATA_TYPE, VARINT, encoded(kind)))
        if self._name is not None:
            parts.append(OnnxPart(_NAME, BYTES, bytes(self._name)))
        return parts + self._data(kind, elements, shown)

    def _data(self, kind: int, elements: int, shown: str) -> list[OnnxPart]:
        lists = {number: pieces for number, pieces in self._lists.items() if any(map(len, pieces))}
        number = _RAW if _RAW in lists else _LIST_OF.get(kind, _INTEGERS32)
        pieces = lists.pop(number, [])
        if lists or (number == _RAW and len(pieces) > 1):  # two readers need not agree on which of them count
            raise BadInput(text("The tensor {name!r} holds its data twice: export it again.", name=shown))
        data = pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))
        stored = self._stored(number, kind, data, shown)
        if stored != elements:
            raise BadInput(
                text(
                    "The tensor {name!r} says {elements} elements but holds {stored:g}.",
                    name=shown,
                    elements=elements,
                    stored=stored,
                )
            )
        return [OnnxPart(number, BYTES, data, is_weights=elements > FOLLOWED_ELEMENTS)] if len(data) else []

    def _stored(self, number: int, kind: int, data: memoryview, shown: str) -> float:
        """How many elements the data hold. Raises BadInput."""
        if number == _RAW:
            return len(data) / BYTES_EACH[kind]
        if number in _FIXED:
            return len(data) / _FIXED[number]
        if len(data) > _MAX_LISTED * _LONGEST_VARINT:
            raise BadInput(_listed(shown))
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) < 0x80)
        if len(ends) > _MAX_LISTED:
            raise BadInput(_listed(shown))
        if len(data) and (
            not len(ends) or ends[-1] != len(data) - 1 or np.diff(ends, prepend=-1).max() > _LONGEST_VARINT
        ):
            raise BadInput(NOT_ONNX)
        return len(ends)


def _of_bytes(wire: int, data: memoryview) -> memoryview:
    if wire != BYTES:
        raise BadInput(NOT_ONNX)
    return data


def _of_varint(wire: int, value: int) -> int:
    if wire != VARINT:
        raise BadInput(NOT_ONNX)
    return value


def _once(before: Kept | None, value: Kept) -> Kept:
    """A field that may stand once: two readers need not agree on which of two counts."""
    if before is not None:
        raise BadInput(NOT_ONNX)
    return value


def _too_large(name: str, elements: int) -> Sentence:
    return text(
        "The tensor {name!r} has {elements} elements; at most {max} are supported.",
        name=name,
        elements=elements,
        max=MAX_WEIGHTS,
    )


def _listed(name: str) -> Sentence:
    return text("The tensor {name!r} lists its values one by one: export it again with raw data.", name=name)
