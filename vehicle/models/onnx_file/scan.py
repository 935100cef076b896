"""Reads an ONNX file's bytes before any protobuf library does: sizes and counts first, and only what the car needs.

Called by running/check.py and importing/make_model.py: `scan_model(content).outline` is small and may be parsed, and
`scan_model(content).pieces()` is the file written anew. A library allocates a hundred bytes for each empty message of
two, so that 40 MB of them take 4 GB; here a file may have no more parts than any policy has.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.errors import BadInput
from shared.text import text
from vehicle.models.onnx_file.parts import OnnxPart, pieces_of
from vehicle.models.onnx_file.schema import MESSAGES, REFUSED, FieldRule
from vehicle.models.onnx_file.tensors import NOT_ONNX, TensorCheck
from vehicle.models.protobuf_wire import BYTES, FIXED32, VARINT, BrokenWire, Field, WireReader, encoded, printable

MAX_DROPPED_BYTES = 16 << 20  # documentation, metadata and unknown fields; PyTorch's exporter writes some kB a layer
_MAX_TEXT_BYTES = 512
_FIXED32_BYTES = 4
_OPERATOR = 4  # a NodeProto's op_type, which exporters write before its attributes


@dataclass(frozen=True, slots=True)
class ScannedModel:
    """An ONNX file whose parts were checked. `dropped_bytes`: of what is not kept."""

    parts: Sequence[OnnxPart]
    dropped_bytes: int

    @property
    def outline(self) -> bytes:
        """The model without the data of its large weights, as an ONNX file."""
        return b"".join(pieces_of(self.parts, has_weights=False))

    def pieces(self) -> list[bytes | memoryview]:
        """The bytes of the file written anew: only what is known and was checked, in the order of field numbers."""
        return pieces_of(self.parts, has_weights=True)

    def is_written_in(self, content: memoryview) -> bool:
        """Whether these bytes are the file as it would be written anew."""
        at = 0
        for piece in self.pieces():
            if content[at : at + len(piece)] != piece:
                return False
            at += len(piece)
        return at == len(content)


def scan_model(content: bytes | bytearray | memoryview) -> ScannedModel:
    """The checked parts of an ONNX file, which are views of its bytes. Raises BadInput with one sentence."""
    scan = _Scan()
    try:
        parts = scan.message(memoryview(content), "ModelProto")
    except BrokenWire:
        raise BadInput(NOT_ONNX) from None
    return ScannedModel(parts, scan.dropped_bytes)


class _Scan:
    """Goes through the messages of one file, and counts what it has seen."""

    def __init__(self) -> None:
        self._wire = WireReader()
        self.dropped_bytes = 0
        self._operator = ""

    def message(self, data: memoryview, name: str) -> list[OnnxPart]:
        """The parts of one message that are kept. Raises BadInput."""
        rules, counts = MESSAGES[name], Counter[int]()
        parts: list[OnnxPart] = []
        for field in self._wire.fields(data):
            number = field[0]
            if (name, number) in REFUSED:
                raise BadInput(REFUSED[name, number](self._operator))
            rule = rules.get(number)
            if rule is None:
                self._drop(field)
                continue
            values = list(self._values(field, rule))
            counts[number] += len(values)
            if counts[number] > rule.max_count:
                raise BadInput(_too_many(rule))
            parts += values
            if (name, number) == ("NodeProto", _OPERATOR) and isinstance(values[0].content, bytes):
                self._operator = values[0].content.decode()
        return parts

    def _values(self, field: Field, rule: FieldRule) -> Iterator[OnnxPart]:
        """The values of one field, several if it is a packed list. Raises BadInput."""
        number, wire, value, data = field
        if rule.kind in ("integer", "integers"):
            if wire == BYTES and rule.kind == "integers":
                yield from (OnnxPart(number, VARINT, encoded(each)) for each in self._wire.varints(data))
            else:
                _expect(wire, VARINT)
                yield OnnxPart(number, VARINT, encoded(value))
        elif rule.kind in ("float", "floats"):
            if wire == BYTES and rule.kind == "floats":
                if len(data) % _FIXED32_BYTES or len(data) > rule.max_count * _FIXED32_BYTES:
                    raise BadInput(_too_many(rule) if len(data) > rule.max_count * _FIXED32_BYTES else NOT_ONNX)
                for at in range(0, len(data), _FIXED32_BYTES):
                    yield OnnxPart(number, FIXED32, bytes(data[at : at + _FIXED32_BYTES]))
            else:
                _expect(wire, FIXED32)
                yield OnnxPart(number, FIXED32, bytes(data))
        else:
            _expect(wire, BYTES)
            yield OnnxPart(number, BYTES, self._content(data, rule))

    def _content(self, data: memoryview, rule: FieldRule) -> bytes | list[OnnxPart]:
        if rule.kind == "message":
            return self.message(data, rule.message)
        if rule.kind == "tensor":
            return self._tensor(data)
        if rule.kind == "name":
            return printable(data, text("a name"), _MAX_TEXT_BYTES).encode()
        if len(data) > _MAX_TEXT_BYTES:
            raise BadInput(text("The model holds a text of {n} bytes, which is not supported.", n=len(data)))
        return bytes(data)

    def _tensor(self, data: memoryview) -> list[OnnxPart]:
        tensor = TensorCheck(self._wire)
        for field in self._wire.fields(data):
            if not tensor.add(field):
                self._drop(field)
        return tensor.parts()

    def _drop(self, field: Field) -> None:
        self.dropped_bytes += len(field[3])
        if self.dropped_bytes > MAX_DROPPED_BYTES:
            raise BadInput(
                text(
                    "The model carries more than {max} MB beside its network, such as notes: export it without them.",
                    max=MAX_DROPPED_BYTES >> 20,
                )
            )


def _expect(wire: int, expected: int) -> None:
    if wire != expected:
        raise BadInput(NOT_ONNX)


def _too_many(rule: FieldRule) -> str:
    if rule.max_count == 1:  # two readers need not agree on which of two counts
        return NOT_ONNX
    return text("The model has more than {max} {what}, which is not supported.", max=rule.max_count, what=rule.what)
