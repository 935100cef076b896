"""A bundle's files, read piece by piece: from a zip that a stranger may have made, or from memory.

Everything is counted before it is read: how many files, how large each is, how long a line may be. What does not fit
is refused in a sentence. Used by verify.py; needs only the standard library: it is part of the protest bundle.
"""

import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Any, Protocol, cast

RECORDS, POINTS, MANIFEST = "journal.jsonl", "checkpoints.json", "manifest.json"
MAX_FILES = 100
MAX_UNPACKED_BYTES = 128 * 1024 * 1024  # of all files together
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024  # the manifest, and the signatures: some 14,000 of them
MAX_LINE_BYTES = 32 * 1024 * 1024  # of a record: new rules judge all runs of a race in one
_PIECE_BYTES = 1 << 16
# The two that a bundle is written with. Of the others a piece of input may unpack to any size.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1  # the bit of a file's flags


class BundleFiles(Protocol):
    """The files of a bundle, whose names and sizes were checked."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many bytes each file has, by name."""

    def open(self, name: str) -> IO[bytes]:
        """The file from its beginning. Raises ValueError if it is damaged, when that is read."""


class FilesInMemory:
    """The files of a bundle that is about to be written. Raises ValueError if no checker would take them."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents
        self.sizes = {name: len(data) for name, data in contents.items()}
        _check_sizes(self.sizes)

    def open(self, name: str) -> IO[bytes]:
        """The file from its beginning."""
        return io.BytesIO(self._contents[name])


class ZippedFiles:
    """The files of an open zip. Raises ValueError if it cannot be a bundle."""

    def __init__(self, bundle: zipfile.ZipFile) -> None:
        self._bundle = bundle
        entries = bundle.infolist()
        twice = [name for name, count in Counter(entry.filename for entry in entries).items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]} is in it twice.")
        if any(entry.compress_type not in _METHODS or entry.flag_bits & _ENCRYPTED for entry in entries):
            raise ValueError("a file is packed in a way that no station packs a bundle.")
        self.sizes = {entry.filename: entry.file_size for entry in entries}
        _check_sizes(self.sizes)

    def open(self, name: str) -> IO[bytes]:
        """The file from its beginning."""
        # Buffered once more: a zip's own reading of lines is several times slower.
        return cast(IO[bytes], io.BufferedReader(cast(Any, self._bundle.open(name)), _PIECE_BYTES))


def _check_sizes(sizes: Mapping[str, int]) -> None:
    if len(sizes) > MAX_FILES:
        raise ValueError(f"it holds {len(sizes)} files; no bundle has more than {MAX_FILES}.")
    if sum(sizes.values()) > MAX_UNPACKED_BYTES:
        raise ValueError("it is larger than any run's bundle.")
    for name in (MANIFEST, POINTS):
        if sizes.get(name, 0) > MAX_DOCUMENT_BYTES:
            raise ValueError(f"{name} is larger than that of any run's bundle.")


def document(files: BundleFiles, name: str) -> bytes:
    """The content of one of the small files, the manifest or the signatures."""
    with files.open(name) as file:
        return file.read(MAX_DOCUMENT_BYTES)


def sha256_of(files: BundleFiles, name: str) -> str:
    """The SHA-256 of a file, in hexadecimal; of one that is not there, that of nothing."""
    hashed = hashlib.sha256()
    if name in files.sizes:
        with files.open(name) as file:
            while piece := file.read(_PIECE_BYTES):
                hashed.update(piece)
    return hashed.hexdigest()


def lines(files: BundleFiles, name: str) -> Iterator[bytes]:
    """The lines of a file; no more than one is held. Raises ValueError at a line that is longer than any record."""
    with files.open(name) as file:
        while line := file.readline(MAX_LINE_BYTES):
            if len(line) == MAX_LINE_BYTES:
                raise ValueError(f"a line of {name} is longer than any record.")
            yield line
