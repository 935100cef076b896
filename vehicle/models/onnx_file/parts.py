"""The parts of an ONNX file that were checked, and how they are written: with all data, or without the large weights.

Used by scan.py and tensors.py. Nothing is copied: the data of weights are views of the racer's bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vehicle.models.protobuf_wire import BYTES, encoded


@dataclass(frozen=True, slots=True)
class OnnxPart:
    """One field of a message: its number and wire type, and its content as it is written, or the parts within it.

    `is_weights`: the data of a tensor that is too large for the outline.
    """

    number: int
    wire: int
    content: bytes | memoryview | Sequence["OnnxPart"]
    is_weights: bool = False


def pieces_of(parts: Sequence[OnnxPart], has_weights: bool) -> list[bytes | memoryview]:
    """A message as the pieces of its bytes, fields in the order of their numbers, as protobuf's own libraries write.

    Without `has_weights` the data of large tensors are left out.
    """
    pieces: list[bytes | memoryview] = []
    for part in sorted(parts, key=lambda part: part.number):
        if part.is_weights and not has_weights:
            continue
        content = part.content
        inner = [content] if isinstance(content, bytes | memoryview) else pieces_of(content, has_weights)
        head = encoded(part.number << 3 | part.wire)
        if part.wire == BYTES:
            head += encoded(sum(map(len, inner)))
        pieces += [head, *inner]
    return _joined(pieces)


def _joined(pieces: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """The same bytes in fewer pieces: what is no view is put together."""
    joined: list[bytes | memoryview] = []
    small = bytearray()
    for piece in pieces:
        if isinstance(piece, memoryview):
            joined += [bytes(small), piece]
            small = bytearray()
        else:
            small += piece
    return [*joined, bytes(small)]
