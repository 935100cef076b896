"""Reads a racer's file: an archive (tar.gz, tar or zip), or a frozen graph or ONNX file with its metadata next to it.

Called by prepare.py. Imports the standard library only, since it runs while the other libraries are loaded.
"""

import hashlib
import pathlib
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.archive import extract_model
from vehicle.models.importing.gzip_reader import MAX_PACKED
from vehicle.models.importing.packing import HEAD_BYTES, check_packing, is_archive
from vehicle.models.model_files import MAX_METADATA_BYTES, MAX_MODEL_BYTES, METADATA, fit_name

Kind = Literal["graph", "onnx"]
_ENDS = (".tar.gz", ".tgz", ".gz", ".tar", ".zip", ".pb", ".onnx")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelSource:
    """The racer's model and metadata, not yet checked.

    `choice` explains why this model was chosen, if the archive has several checkpoints.
    """

    name: str
    kind: Kind
    packing: str
    source_sha256: str
    content_sha256: str
    model: bytes | bytearray
    metadata: bytes
    choice: str = ""


def read_source(path: pathlib.Path, metadata: pathlib.Path | None = None, checkpoint: str = "") -> ModelSource:
    """The model in a file. The metadata of a bare model is in `metadata`, or in the same folder. Raises BadInput.

    `checkpoint` names one of several in an archive.
    """
    try:
        return _read(path, metadata, checkpoint)
    except BadInput as error:
        sentence = str(error)
        raise BadInput(
            sentence
            if sentence.startswith(str(path.parent))
            else text("{path}: {sentence}", path=path, sentence=sentence)
        ) from None
    except OSError as error:
        raise BadInput(
            text("{path}: the model cannot be read ({strerror}).", path=path, strerror=error.strerror)
        ) from None


def _read(path: pathlib.Path, metadata: pathlib.Path | None, checkpoint: str) -> ModelSource:
    if not path.is_file():
        raise BadInput(
            text("there is no such file; give a DeepRacer archive (tar.gz, tar or zip), a .pb or an .onnx file.")
        )
    if path.stat().st_size > MAX_PACKED:
        raise BadInput(text("The file is larger than {limit} MB, which is not supported.", limit=MAX_PACKED >> 20))
    stem = next((path.name[: -len(end)] for end in _ENDS if path.name.lower().endswith(end)), path.name)
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if is_archive(head):
            return _unpacked(file, fit_name(stem), checkpoint)
        check_packing(head)
        if suffix not in (".pb", ".onnx"):
            raise BadInput(text("The file is not a tar.gz, tar or zip archive, nor a .pb or .onnx file."))
        if checkpoint:
            raise BadInput(text("A checkpoint can be chosen only from an archive; this file is a single model."))
        file.seek(0)
        # A read of the most that is allowed would ask for as much memory at once.
        model = file.read(min(path.stat().st_size, MAX_MODEL_BYTES) + 1)
    if len(model) > MAX_MODEL_BYTES:
        raise BadInput(
            text("The model is larger than {limit} MB, which is not supported.", limit=MAX_MODEL_BYTES >> 20)
        )
    metadata_bytes = _read_metadata(metadata or path.with_name(METADATA))
    kind: Kind = "graph" if suffix == ".pb" else "onnx"
    digest = hashlib.sha256(model).hexdigest()
    return ModelSource(fit_name(stem), kind, "file", digest, _content(model, metadata_bytes), model, metadata_bytes)


def _unpacked(file: BinaryIO, name: str, checkpoint: str) -> ModelSource:
    """The model in an archive; the whole file is hashed while it is read. Raises BadInput."""
    hashed = _HashingFile(file)
    extracted = extract_model(cast(BinaryIO, hashed), checkpoint)
    kind: Kind = "onnx" if extracted.name.lower().endswith(".onnx") else "graph"
    content = _content(extracted.model, extracted.metadata)
    return ModelSource(
        name, kind, "archive", hashed.hexdigest(), content, extracted.model, extracted.metadata, extracted.choice
    )


class _HashingFile:
    """A file that is hashed while it is read; bytes that are read again do not count twice."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._at = self._hashed = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes from the current position."""
        piece = self._file.read(size)
        if self._at <= self._hashed < self._at + len(piece):
            self._digest.update(memoryview(piece)[self._hashed - self._at :])
            self._hashed = self._at + len(piece)
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves the position, as io.IOBase.seek does."""
        self._at = self._file.seek(offset, whence)
        return self._at

    def hexdigest(self) -> str:
        """SHA-256 of the whole file, including the parts that were never read."""
        self.seek(self._hashed)
        while self.read(_CHUNK):
            pass
        return self._digest.hexdigest()


def _read_metadata(path: pathlib.Path) -> bytes:
    if not path.is_file():
        raise BadInput(
            text(
                "The model's metadata is missing: put {metadata} beside it, or name the file with --metadata.",
                metadata=METADATA,
            )
        )
    with path.open("rb") as file:
        content = file.read(MAX_METADATA_BYTES + 1)
    if len(content) > MAX_METADATA_BYTES:
        raise BadInput(
            text(
                "The {metadata} is larger than {max_metadata_bytes} bytes; metadata is a few lines of JSON.",
                metadata=METADATA,
                max_metadata_bytes=MAX_METADATA_BYTES,
            )
        )
    return content


def _content(model: bytes | bytearray, metadata: bytes) -> str:
    """SHA-256 of model and metadata together, independent of how they were packed."""
    digest = hashlib.sha256(len(model).to_bytes(8, "big"))
    digest.update(model)
    digest.update(metadata)
    return digest.hexdigest()
