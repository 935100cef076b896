"""The archive that is sent: the racer's file as it is, or the folder of a trained model, always packed alike."""

import contextlib
import gzip
import hashlib
import os
import pathlib
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from leaderboard.core.submissions.archive import HEAD_BYTES, check_head
from shared.errors import BadInput
from shared.text import text

_KEPT_ENDS = (".onnx", ".pb", ".json")


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """A file to send, open for reading."""

    file: IO[bytes]
    name: str
    size_bytes: int
    sha256: str


@contextlib.contextmanager
def opened_archive(path: pathlib.Path) -> Iterator[ModelArchive]:
    """The archive at `path`, or of the folder there, for as long as the block lasts. Raises BadInput."""
    with contextlib.ExitStack() as held:
        try:
            if path.is_dir():
                file: IO[bytes] = held.enter_context(tempfile.TemporaryFile())
                _pack(path, file)
                file.seek(0)
            else:
                file = held.enter_context(path.open("rb"))
        except OSError as error:
            raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None
        check_head(file.read(HEAD_BYTES))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a file that can be read
        yield ModelArchive(file, _plain_name(path), os.fstat(file.fileno()).st_size, digest)


def _pack(folder: pathlib.Path, packed: IO[bytes]) -> None:
    """The model's files, without owners and times, so that the same files are the same bytes."""
    kept = sorted(each for each in folder.iterdir() if each.suffix in _KEPT_ENDS and each.is_file())
    if not any(each.suffix in (".onnx", ".pb") for each in kept):
        raise BadInput(text("{folder}: holds no model: there is no .onnx or .pb file in it.", folder=str(folder)))
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for each in kept:
            entry = tarfile.TarInfo(each.name)
            entry.size = each.stat().st_size
            with each.open("rb") as content:
                archive.addfile(entry, content)


def _plain_name(path: pathlib.Path) -> str:
    name = path.absolute().name
    for end in (".gz", ".tgz", ".tar", ".zip", ".onnx"):
        name = name.removesuffix(end)
    return name[:100] or "model"
