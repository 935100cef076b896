"""Files of recorded bytes: raw, hex text with a frame a line, or a recording with the time of each piece.

A recording is JSON lines: `{"recording": 1, "protocol": ..., "device": ...}`, then `{"at_ns": ..., "hex": ...}` each.
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
    """The file's bytes as they come: a pipe gives what it has."""
    read = getattr(source, "read1", source.read)
    while piece := read(PIECE):
        yield piece


def hex_lines(source: Iterable[bytes], name: str, line_ends: bool, warn: Callable[[str], object]) -> Iterator[bytes]:
    """The bytes of each line of hex text (hex_text.py); `warn` takes a sentence for each that ends in half a byte.

    `line_ends`: frames are lines of text, so one that was written down without its end gets it. Raises BadInput.
    """
    rows = 0
    for number, line in enumerate(source, 1):
        found = hex_text.read(line, rows)
        if found is None:
            raise BadInput(
                f"{name}: line {number} is not hex text; leave out --hex if the file holds the bytes themselves."
            )
        if found.half:
            warn(f"{name}: line {number} ends in the middle of a byte, which is left out.")
        rows += len(found.data) if found.row else 0
        ended = found.row or not found.data or found.data.endswith((b"\r", b"\n"))
        yield found.data + b"\r\n" if line_ends and not ended else found.data


def pieces(path: pathlib.Path) -> Iterator[Piece]:
    """A recording, piece by piece. Raises BadInput."""
    try:
        with path.open("rb") as source:
            yield from recorded(source, str(path))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None


def recorded(source: Iterable[bytes], name: str) -> Iterator[Piece]:
    """The pieces of a recording's lines. Raises BadInput."""
    lines = iter(source)
    if not next(lines, b"").startswith(HEAD):
        raise BadInput(f"{name}: is no recording; `raceday gate record` makes one.")
    for number, line in enumerate(lines, 2):
        yield _piece(line, name, number)


def head(protocol: str, device: str) -> str:
    """The first line of a recording."""
    return json.dumps({"recording": 1, "protocol": protocol, "device": device}) + "\n"


def entry(piece: Piece) -> str:
    """One more line of a recording."""
    return json.dumps({"at_ns": piece.at_ns, "hex": piece.data.hex()}) + "\n"


def _piece(line: bytes, name: str, number: int) -> Piece:
    try:
        document: Any = json.loads(line)
        return Piece(int(document["at_ns"]), bytes.fromhex(document["hex"]))
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{name}: line {number} is no piece of a recording; the file is damaged.") from None
