"""Files of recorded bytes: raw, hex text with one frame a line, or a recording with the time of each piece.

A recording is JSON lines: `{"recording": 1, "protocol": ..., "device": ...}`, then `{"at_ns": ..., "hex": ...}` each.
"""

import json
import pathlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from shared.errors import BadInput

HEAD = b'{"recording"'
PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes, and when they were heard (monotonic ns of the machine that recorded)."""

    at_ns: int
    data: bytes


def raw(source: BinaryIO) -> Iterator[bytes]:
    """The file's bytes as they come: a pipe gives what it has."""
    read = getattr(source, "read1", source.read)
    while piece := read(PIECE):
        yield piece


def hex_lines(source: Iterable[bytes], name: str, line_ends: bool) -> Iterator[bytes]:
    """One frame a line; empty lines and those with `#` before them are skipped, spaces and colons too.

    `line_ends`: frames are lines of text, so one that was written down without its end gets it. Raises BadInput.
    """
    for number, line in enumerate(source, 1):
        text = line.strip().replace(b":", b"").removeprefix(b"0x")
        if not text or text.startswith(b"#"):
            continue
        try:
            frame = bytes.fromhex(text.decode("ascii"))
        except ValueError:
            raise BadInput(
                f"{name}: line {number} is not hex text; leave out --hex if the file holds the bytes themselves."
            ) from None
        yield frame + b"\r\n" if line_ends and not frame.endswith((b"\r", b"\n")) else frame


def pieces(path: pathlib.Path) -> Iterator[Piece]:
    """A recording, piece by piece. Raises BadInput."""
    try:
        with path.open("rb") as source:
            if not source.readline().startswith(HEAD):
                raise BadInput(f"{path}: is no recording; `raceday gate record` makes one.")
            for number, line in enumerate(source, 2):
                yield _piece(line, path, number)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None


def head(protocol: str, device: str) -> str:
    """The first line of a recording."""
    return json.dumps({"recording": 1, "protocol": protocol, "device": device}) + "\n"


def entry(piece: Piece) -> str:
    """One more line of a recording."""
    return json.dumps({"at_ns": piece.at_ns, "hex": piece.data.hex()}) + "\n"


def _piece(line: bytes, path: pathlib.Path, number: int) -> Piece:
    try:
        said: Any = json.loads(line)
        return Piece(int(said["at_ns"]), bytes.fromhex(said["hex"]))
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{path}: line {number} is no piece of a recording; the file is damaged.") from None
