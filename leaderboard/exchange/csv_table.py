"""Reads a CSV from outside as a table of raw cells, row by row: any encoding, separator and line ending in use.

Called by the importers. What the file looked like (`Dialect`) is kept, so that an export can look the same. Errors are
by line: what is not CSV is refused, nothing is guessed.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from shared.boards.board_file import plain
from shared.boards.board_text import called, possible_encodings, undecodable
from shared.boards.spreadsheet_cells import restored
from shared.errors import BadInput
from shared.text import text

MAX_BYTES = 128 * 1024 * 1024
MAX_ROWS = 500_000
_SEPARATORS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
_HEADING_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file from outside, open at any place, its name, hash and encoding, and whether its last line has an end."""

    name: str
    data: BinaryIO
    sha256: str
    encoding: str
    ends_with_line: bool


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a CSV file looks like beside its cells. `quoted`: every cell stands in quotation marks."""

    separator: str
    line_end: str
    marked: bool
    quoted: bool
    ends_with_line: bool


@dataclass(frozen=True, slots=True)
class RawRow:
    """The cells of a row as they are meant (formulas restored); `line`: where it begins in the file."""

    line: int
    cells: tuple[str, ...]


def examined(name: str, data: BinaryIO) -> UploadedFile:
    """The file with its hash and encoding, read once from its beginning. Raises BadInput."""
    data.seek(0)
    head = data.read(400)
    encodings = possible_encodings(head, name)
    decoders = {each: codecs.getincrementaldecoder(each)() for each in encodings}
    digest, size, tail = hashlib.sha256(), 0, b""
    data.seek(0)
    while chunk := data.read(_CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise BadInput(
                text(
                    "{name}: is larger than {max} MiB, which is too large to import.",
                    name=name,
                    max=MAX_BYTES // 2**20,
                )
            )
        digest.update(chunk)
        tail = (tail + chunk)[-2:]
        decoders = {each: decoder for each, decoder in decoders.items() if _decodes(decoder, chunk, final=False)}
    decoders = {each: decoder for each, decoder in decoders.items() if _decodes(decoder, b"", final=True)}
    if not decoders:
        raise undecodable(name)
    return UploadedFile(name, data, digest.hexdigest(), next(iter(decoders)), tail.rstrip(b"\0")[-1:] in (b"\n", b"\r"))


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def encoding_remark(file: UploadedFile) -> str:
    """A remark on an encoding that was concluded from the bytes; "" for UTF-8."""
    read_as = called(file.encoding)
    return f"was read as {read_as}: look at the names, or save it as CSV in UTF-8" if read_as else ""


class CsvTable:
    """A file as its heading and its rows. Raises BadInput for what is no table."""

    def __init__(self, file: UploadedFile, known: Collection[str]) -> None:
        """`known`: headings of which the file has some, as `plain` writes them; they tell the separator."""
        self._file = file
        file.data.seek(0)
        # The wrapper must not close the file, which is not ours.
        self._text = io.TextIOWrapper(
            io.BufferedReader(_Unclosed(file.data), _CHUNK), encoding=file.encoding, newline=""
        )
        self._above = 0
        separator, first = self._to_heading(known)
        self._reader = csv.reader(_from(first, self._text), delimiter=separator, strict=True)
        try:
            self.heading = tuple(next(self._reader, []))
        except csv.Error as error:
            raise BadInput(
                text("{name}, line {line}: is not CSV: {error}.", name=file.name, line=self._above + 1, error=error)
            ) from None
        line_end = first[len(first.rstrip("\r\n")) :]
        quoted = first.startswith('"') and first.rstrip("\r\n").endswith('"') and len(self.heading) > 0
        marked = file.encoding in ("utf-8-sig", "utf-16")
        self.dialect = Dialect(separator, line_end or "\n", marked, quoted, file.ends_with_line)

    def rows(self) -> Iterator[RawRow]:
        """The rows that are not empty. Raises BadInput where the file stops being CSV, or has too many."""
        count = 0
        while True:
            line = self._reader.line_num + self._above + 1
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                raise BadInput(
                    text("{name}, line {line}: is not CSV: {error}.", name=self._file.name, line=line, error=error)
                ) from None
            if cells is None:
                return
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise BadInput(
                    text(
                        "{name}: has more than {max} rows, too many to import at once.",
                        name=self._file.name,
                        max=MAX_ROWS,
                    )
                )
            yield RawRow(line, tuple(map(restored, cells)))

    def _to_heading(self, known: Collection[str]) -> tuple[str, str]:
        """The separator and the line of the heading; blank lines and `sep=;` above it are left out."""
        declared = ""
        while line := self._text.readline(_HEADING_LIMIT):
            bare = line.lstrip("\ufeff").strip()
            if bare.strip('"').lower().startswith("sep=") and len(bare.strip('"')) == 5:
                declared = bare.strip('"')[4]
            elif bare.strip(',;\t|" '):
                line = line.removeprefix("\ufeff")
                return declared or max(_SEPARATORS, key=lambda each: _known_columns(line, each, known)), line
            self._above += 1
        return declared or ",", ""


def _known_columns(line: str, separator: str, known: Collection[str]) -> tuple[int, int]:
    cells = line.strip().split(separator)
    return sum(plain(cell) in known for cell in cells), len(cells)


def _from(first: str, rest: TextIO) -> Iterator[str]:
    yield first
    yield from rest


class _Unclosed(io.RawIOBase):
    """A file read through a wrapper that would close it."""

    def __init__(self, data: BinaryIO) -> None:
        self._data = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        part = self._data.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)
