"""Files of recorded bytes: raw, hex text with one frame per line, or a recording with the time of each piece.

A recording is JSON lines: first `{"recording": 1, "protocol": ..., "device": ...}`, then one `{"at_ns": ..., "hex":
...}` for each piece.
"""

import json
import pathlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from shared.errors import BadInput
from station.commands.gate import hex_text

HEAD = b'{"recording"'
PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes, and when they were received (monotonic ns of the machine that recorded)."""

    at_ns: int
    data: bytes


def raw(source: BinaryIO) -> Iterator[bytes]:
    """The file's bytes, in blocks as they arrive: a pipe yields what it has."""
    read = getattr(source, "read1", source.read)
    while piece := read(PIECE):
        yield piece


def hex_lines(source: Iterable[bytes], name: str, line_ends: bool, warn: Callable[[str], object]) -> Iterator[bytes]:
    """The bytes of each line of hex text (hex_text.py); `warn` gets a sentence for each line that ends in half a byte.

    `line_ends`: the protocol's frames are lines of text, so a frame without its line end gets one. Raises BadInput.
    """
    rows = 0
    for number, line in enumerate(source, 1):
        hex_line = hex_text.read(line, rows)
        if hex_line is None:
            raise BadInput(
                f"{name}: line {number} is not hex text; leave out --hex if the file holds the bytes themselves."
            )
        if hex_line.half:
            warn(f"{name}: line {number} ends in the middle of a byte, which is left out.")
        data = hex_line.data
        rows += len(data) if hex_line.row else 0
        ended = hex_line.row or not data or data.endswith((b"\r", b"\n"))
        yield data + b"\r\n" if line_ends and not ended else data


def pieces(path: pathlib.Path) -> Iterator[Piece]:
    """The pieces of the recording in the file `path`. Raises BadInput."""
    try:
        with path.open("rb") as source:
            yield from recorded(source, str(path))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None


def recorded(source: Iterable[bytes], name: str) -> Iterator[Piece]:
    """The pieces of a recording, from its lines; `name` is for errors. Raises BadInput."""
    lines = iter(source)
    if not next(lines, b"").startswith(HEAD):
        raise BadInput(f"{name}: is not a recording; `raceday gate record` makes one.")
    for number, line in enumerate(lines, 2):
        yield _piece(line, name, number)


def head(protocol: str, device: str) -> str:
    """The first line of a recording."""
    return json.dumps({"recording": 1, "protocol": protocol, "device": device}) + "\n"


def entry(piece: Piece) -> str:
    """The line of a recording that holds this piece."""
    return json.dumps({"at_ns": piece.at_ns, "hex": piece.data.hex()}) + "\n"


def _piece(line: bytes, name: str, number: int) -> Piece:
    try:
        document: Any = json.loads(line)
        return Piece(int(document["at_ns"]), bytes.fromhex(document["hex"]))
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{name}: line {number} is not a piece of a recording; the file is damaged.") from None
