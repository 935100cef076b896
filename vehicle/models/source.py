"""What a racer brings: a DeepRacer archive, or a frozen graph or an ONNX file with its metadata beside it.

Needs no library beyond the standard one: it is read while the others are loaded.
"""

import hashlib
import pathlib
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from shared.errors import BadInput
from vehicle.models.archive import take_model
from vehicle.models.bounds import METADATA, MOST_METADATA_BYTES, MOST_MODEL_BYTES
from vehicle.models.inflate import MOST_PACKED
from vehicle.models.naming import fit_name

Kind = Literal["graph", "onnx"]
_GZIP = b"\x1f\x8b"
_ENDS = (".tar.gz", ".tgz", ".gz", ".pb", ".onnx")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes that were brought, and what they are. Nothing in them is checked yet."""

    name: str
    kind: Kind
    packing: str
    source_sha256: str
    content_sha256: str
    model: bytes | bytearray
    metadata: bytes


def read_source(path: pathlib.Path, metadata: pathlib.Path | None = None) -> Source:
    """The model in a file; a bare model's metadata lie beside it, or are `metadata`. Raises BadInput, one sentence."""
    try:
        return _read(path, metadata)
    except BadInput as error:
        sentence = str(error)
        raise BadInput(sentence if sentence.startswith(str(path.parent)) else f"{path}: {sentence}") from None
    except OSError as error:
        raise BadInput(f"{path}: the model cannot be read ({error.strerror}).") from None


def _read(path: pathlib.Path, metadata: pathlib.Path | None) -> Source:
    if not path.is_file():
        raise BadInput("there is no such file; give a DeepRacer archive (tar.gz), a .pb or an .onnx file.")
    if path.stat().st_size > MOST_PACKED:
        raise BadInput(f"The file is larger than {MOST_PACKED >> 20} MB, which is not read.")
    stem = next((path.name.removesuffix(end) for end in _ENDS if path.name.endswith(end)), path.name)
    with path.open("rb") as file:
        if file.read(2) == _GZIP:
            file.seek(0)
            return _unpacked(file, fit_name(stem))
        if path.suffix not in (".pb", ".onnx"):
            raise BadInput("The file is no tar.gz archive, no .pb and no .onnx file.")
        file.seek(0)
        model = file.read(MOST_MODEL_BYTES + 1)
    if len(model) > MOST_MODEL_BYTES:
        raise BadInput(f"The model is larger than {MOST_MODEL_BYTES >> 20} MB, which is not run.")
    beside = _beside(metadata or path.with_name(METADATA))
    kind: Kind = "graph" if path.suffix == ".pb" else "onnx"
    digest = hashlib.sha256(model).hexdigest()
    return Source(fit_name(stem), kind, "file", digest, _content(model, beside), model, beside)


def _unpacked(file: BinaryIO, name: str) -> Source:
    """The archive's model; the whole file is hashed on the way."""
    hashed = _Hashed(file)
    taken = take_model(cast(BinaryIO, hashed))
    kind: Kind = "onnx" if taken.name.endswith(".onnx") else "graph"
    content = _content(taken.model, taken.metadata)
    return Source(name, kind, "archive", hashed.hexdigest(), content, taken.model, taken.metadata)


class _Hashed:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """The next bytes."""
        found = self._file.read(size)
        self._digest.update(found)
        return found

    def hexdigest(self) -> str:
        """Of the whole file, also of what nobody asked for."""
        while self.read(_CHUNK):
            pass
        return self._digest.hexdigest()


def _beside(path: pathlib.Path) -> bytes:
    if not path.is_file():
        raise BadInput(f"The model's metadata are missing: put {METADATA} beside it, or name the file with --metadata.")
    with path.open("rb") as file:
        text = file.read(MOST_METADATA_BYTES + 1)
    if len(text) > MOST_METADATA_BYTES:
        raise BadInput(f"The {METADATA} is larger than {MOST_METADATA_BYTES} bytes; metadata are a few lines of JSON.")
    return text


def _content(model: bytes | bytearray, metadata: bytes) -> str:
    """One hash of both, whichever way they were packed."""
    digest = hashlib.sha256(len(model).to_bytes(8, "big"))
    digest.update(model)
    digest.update(metadata)
    return digest.hexdigest()
