"""A backup's file: compressed lines of JSON. The first says what it is, the last proves that all lines are as written.

line 1     a `Header`
then       [table's number, a value for each of its columns], table by table; bytes are {"b64": ...}
last line  how many rows each table has, and the SHA-256 of all lines before
"""

import base64
import binascii
import dataclasses
import gzip
import hashlib
import json
import pathlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from shared.errors import BadInput, StorageError

VERSION = 1
_MAX_LINE = 256 * 1024 * 1024
_KEY = "raceday_league_backup"


@dataclass(frozen=True, slots=True)
class BackupTable:
    """A table in a backup: its name and its columns."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackupHeader:
    """What a backup holds: tables of the database at one step of its migrations (`revision`), at one moment."""

    revision: str
    made_utc_ns: int
    tables: tuple[BackupTable, ...]


class BackupWriter:
    """Writes a backup to an open file."""

    def __init__(self, out: IO[bytes], header: BackupHeader) -> None:
        # No name and no time in the compression's head: the same content is the same file.
        self._out = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0)
        self._digest = hashlib.sha256()
        self._counts = [0] * len(header.tables)
        self._line({_KEY: VERSION} | dataclasses.asdict(header))

    def row(self, table: int, values: Sequence[Any]) -> None:
        """Add a row of the table with this number."""
        self._counts[table] += 1
        self._line([table, *map(_written, values)])

    def end(self) -> str:
        """Finish the file; returns the SHA-256 of its content."""
        digest = self._digest.hexdigest()
        self._line({"rows": self._counts, "sha256": digest})
        self._out.close()
        return digest

    def _line(self, document: object) -> None:
        line = json.dumps(document, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._out.write(line)


def _written(value: Any) -> Any:
    return {"b64": base64.b64encode(bytes(value)).decode()} if isinstance(value, bytes | memoryview) else value


class BackupReader:
    """Reads a backup. Raises BadInput for a file that is damaged, incomplete, newer, or something else."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self.header = self._header(next(self._lines(), b""))

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Every row with the number of its table. Only once the last is read, the file is known to be whole."""
        digest, counts = hashlib.sha256(), [0] * len(self.header.tables)
        before: bytes | None = None
        for number, line in enumerate(self._lines()):
            if before is not None:
                digest.update(before)
                if number > 1:
                    yield self._row(before, counts)
            before = line
        if before is None or self._document(before) != {"rows": counts, "sha256": digest.hexdigest()}:
            raise self._damaged()

    def check(self) -> dict[str, int]:
        """Read everything; how many rows each table has."""
        counts = [0] * len(self.header.tables)
        for table, _ in self.rows():
            counts[table] += 1
        return {table.name: count for table, count in zip(self.header.tables, counts, strict=True)}

    def _lines(self) -> Iterator[bytes]:
        try:
            with gzip.open(self._path) as file:
                while line := file.readline(_MAX_LINE):
                    yield line
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise self._damaged() from None
        except OSError as error:
            raise BadInput(f"{self._path}: cannot be read ({error.strerror}).") from None

    def _header(self, line: bytes) -> BackupHeader:
        document = self._document(line)
        version = document.get(_KEY) if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(version, int):
            raise BadInput(f"{self._path}: is no backup of a leaderboard.")
        if version > VERSION:
            raise BadInput(f"{self._path}: was made by a newer version; upgrade this one.")
        try:
            tables = tuple(BackupTable(each["name"], tuple(map(str, each["columns"]))) for each in document["tables"])
            return BackupHeader(str(document["revision"]), int(document["made_utc_ns"]), tables)
        except (KeyError, TypeError, ValueError):
            raise self._damaged() from None

    def _row(self, line: bytes, counts: list[int]) -> tuple[int, list[Any]]:
        document = self._document(line)
        table = document[0] if isinstance(document, list) and document else None
        if not isinstance(table, int) or not 0 <= table < len(counts):
            raise self._damaged()
        if len(document) != len(self.header.tables[table].columns) + 1:
            raise self._damaged()
        counts[table] += 1
        return table, [self._read(value) for value in document[1:]]

    def _read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            raise self._damaged() from None

    def _document(self, line: bytes) -> Any:
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise self._damaged() from None

    def _damaged(self) -> BadInput:
        return BadInput(f"{self._path}: is damaged or incomplete: it is not what was written. Use another backup.")


def not_writable(path: pathlib.Path, error: OSError) -> StorageError:
    """The error for a backup that the disk refuses."""
    return StorageError(f"{path}: the backup cannot be written ({error.strerror}).")
