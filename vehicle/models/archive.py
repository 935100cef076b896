"""Takes a model out of a DeepRacer archive (`tar.gz`). Our own reader of the format: it never writes, trusts nothing.

Regular files and folders with plain relative names only; links, devices, sparse files, absolute and climbing paths, and
names that come twice are refused, whatever else is in the archive. Two files are taken, the others are passed over, and
all of it counts against limits. Source: POSIX.1-2017 pax and ustar, GNU tar manual ("Basic Tar Format").
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from shared.errors import BadInput
from vehicle.models.bounds import METADATA, MOST_METADATA_BYTES, MOST_MODEL_BYTES
from vehicle.models.inflate import MOST_UNPACKED, NOT_AN_ARCHIVE, Inflated

MOST_MEMBERS = 500
MOST_DEPTH = 8
MOST_NAME = 200
MODEL_ENDS = (".pb", ".onnx")

_BLOCK = 512
_MOST_EXTENSION, _MOST_EXTENSIONS = 65_536, 1 << 20  # bytes of one, and of all
_MOST_RECORDS = 100
_REFUSED = {
    b"1": "a hard link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What was in the archive: the model's name there and its bytes, and those of the metadata."""

    name: str
    model: bytearray
    metadata: bytes


def take_model(file: BinaryIO) -> Taken:
    """The one model and the one metadata of an archive. Raises BadInput with one sentence."""
    models: dict[str, bytearray] = {}
    metadata: dict[str, bytes] = {}
    for member in _files(Inflated(file)):
        base = posixpath.basename(member.name)
        if base == METADATA:
            metadata[member.name] = bytes(member.read(MOST_METADATA_BYTES))
        elif base.endswith(MODEL_ENDS):
            if models:
                raise BadInput(f"The archive holds two models: {next(iter(models))!r} and {member.name!r}.")
            models[member.name] = member.read(MOST_MODEL_BYTES)
    if not models:
        raise BadInput("The archive holds no model: it must have one .pb (or .onnx).")
    if not metadata:
        raise BadInput(f"The archive holds no {METADATA}.")
    if len(set(metadata.values())) > 1:
        raise BadInput(f"The archive holds {len(metadata)} different files named {METADATA}.")
    ((name, model),) = models.items()
    return Taken(name, model, next(iter(metadata.values())))


def _files(stream: Inflated) -> Iterator["_Member"]:
    """The regular files, each name once."""
    seen: set[str] = set()
    for member in _members(stream):
        if member.name in seen:
            raise BadInput(f"The archive holds {member.name[:60]!r} twice.")
        seen.add(member.name)
        if len(seen) > MOST_MEMBERS:
            raise BadInput(f"The archive holds more than {MOST_MEMBERS} files.")
        # A Mac packs a twin of each file (`._model.pb`) that holds no model.
        if not member.is_folder and not posixpath.basename(member.name).startswith("._"):
            yield member


@dataclass(slots=True)
class _Member:
    """One entry; its bytes may be read while it is the newest."""

    name: str
    size: int
    is_folder: bool
    stream: Inflated
    left: int

    def read(self, most: int) -> bytearray:
        """All of it. Raises BadInput if it is larger than `most` or torn."""
        if self.size > most:
            raise BadInput(f"The archive's {self.name!r} has {self.size} bytes; at most {most} are taken.")
        content = self.stream.read(self.size)
        self.left = 0
        if len(content) != self.size:
            raise BadInput(NOT_AN_ARCHIVE)
        return content


def _members(stream: Inflated) -> Iterator[_Member]:
    """The entries with their real names and sizes; extensions of the format belong to the entry that follows."""
    extended: dict[str, str] = {}
    spent = 0
    while (header := _header(stream)) is not None:
        kind, size = header[156:157], _number(header[124:136])
        if kind in (b"x", b"g", b"L"):
            spent += size + _BLOCK
            if size > _MOST_EXTENSION or spent > _MOST_EXTENSIONS:
                raise BadInput("The archive's names are longer than any model's.")
            text = bytes(stream.read(size))
            stream.skip(-size % _BLOCK)
            extended |= {"path": _text(text)} if kind == b"L" else _records(text)
            continue
        member = _member(stream, header, kind, size, extended)
        extended = {}
        yield member
        stream.skip(member.left + -member.size % _BLOCK)


def _member(stream: Inflated, header: bytes, kind: bytes, size: int, extended: dict[str, str]) -> _Member:
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    name = extended.get("path") or (f"{prefix}/" if prefix else "") + _text(header[0:100])
    if kind not in (b"0", b"\0", b"7", b"5"):
        raise BadInput(
            f"The archive holds {_REFUSED.get(kind, 'something unknown')} ({name[:60]!r}), which is not taken."
        )
    if "size" in extended:
        size = _decimal(extended["size"])
    if size > MOST_UNPACKED:
        raise BadInput(f"The archive's {name[:60]!r} would have {size} bytes; that is too much.")
    if kind == b"5":
        size = 0
    return _Member(_plain(name), size, kind == b"5" or name.endswith("/"), stream, size)


def _plain(name: str) -> str:
    """The name, if it stays inside. Raises BadInput."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
        raise BadInput(f"The archive's {name[:60]!r} leads out of its folder.")
    if len(name) > MOST_NAME or len(parts) > MOST_DEPTH or not name.isprintable():
        raise BadInput(f"The archive's {name[:60]!r} is a name that is not taken.")
    return "/".join(parts)


def _header(stream: Inflated) -> bytes | None:
    """The next header; None at the end, which is a block of zeros."""
    header = bytes(stream.read(_BLOCK))
    if len(header) < _BLOCK:
        raise BadInput(NOT_AN_ARCHIVE)
    if not any(header):
        return None
    if _number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise BadInput(NOT_AN_ARCHIVE)
    return header


def _number(given: bytes) -> int:
    """Octal, or GNU's base 256; never negative."""
    if given[0] & 0x80:
        value = int.from_bytes(given, "big", signed=False) & ((1 << (8 * len(given) - 1)) - 1)
        if given[0] & 0x40 or value > 1 << 62:
            raise BadInput(NOT_AN_ARCHIVE)
        return value
    digits = given.strip(b" \0")
    if not all(digit in b"01234567" for digit in digits):
        raise BadInput(NOT_AN_ARCHIVE)
    return int(digits or b"0", 8)


def _decimal(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise BadInput(NOT_AN_ARCHIVE)
    return int(given)


def _text(given: bytes) -> str:
    """A field up to its first zero; what is no UTF-8 stays visible as such."""
    return given.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _records(text: bytes) -> dict[str, str]:
    """The `length key=value` lines of a pax header. Raises BadInput."""
    found: dict[str, str] = {}
    at = 0
    for _ in range(_MOST_RECORDS):
        if at >= len(text):
            return found
        length = text[at : at + 20].partition(b" ")[0]
        end = at + _decimal(length.decode("ascii", "replace"))
        key, equals, value = text[at + len(length) + 1 : end - 1].partition(b"=")
        if not equals or end > len(text) or text[end - 1 : end] != b"\n":
            raise BadInput(NOT_AN_ARCHIVE)
        if key.startswith((b"GNU.sparse", b"SCHILY.realsize")):
            raise BadInput("The archive holds a sparse file, which is not taken.")
        found[_text(key)] = _text(value)
        at = end
    raise BadInput(f"The archive says more than {_MOST_RECORDS} things of one file, which is not read.")
