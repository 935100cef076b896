"""Extracts the model and its metadata from an archive: tar.gz as the DeepRacer console exports it, or the tar or ZIP
that browsers and download buttons make of it (packing.py).

Called by source.py. All other members are ignored, whatever their names are, since nothing is ever written under a
name from the archive. An archive with links, devices or absurd sizes is refused as a whole.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.checkpoints import (
    MAX_NOTE_BYTES,
    NOTES,
    base_of,
    choose_checkpoint,
    count_checkpoints,
    fits,
    printable,
)
from vehicle.models.importing.packing import Member, regular_files
from vehicle.models.metadata import Metadata, parse_metadata
from vehicle.models.model_files import MAX_METADATA_BYTES, MAX_MODEL_BYTES, METADATA

MAX_NOTES = 50
MAX_FORMS = 20  # different texts of metadata that mean the same
MODEL_ENDS = (".pb", ".onnx")

_RENAMED = re.compile(r"model_metadata(?: ?\(\d{1,3}\)| - copy|_\d{1,3})?\.json", re.IGNORECASE)
_PACKED_ENDS = (".zip", ".tar", ".gz", ".tgz")


@dataclass(frozen=True, slots=True)
class ExtractedModel:
    """The model's name in the archive, its bytes, and the bytes of its metadata.

    `choice` explains why this model was chosen, if there were several; otherwise it is "".
    """

    name: str
    model: bytearray
    metadata: bytes
    choice: str = ""


@dataclass(slots=True)
class _Metadata:
    """The first metadata file of the archive, and the number of different texts that mean the same."""

    name: str = ""
    text: bytes = b""
    forms: int = 0

    def add(self, name: str, content: bytes) -> None:
        """Adds a metadata file, which must mean the same as the first. Raises BadInput."""
        if not self.name:
            self.name, self.text = name, content
            return
        self.forms += content != self.text
        if self.forms > MAX_FORMS:
            raise BadInput(
                text(
                    "The archive holds more than {max_forms} different files named {metadata}.",
                    max_forms=MAX_FORMS,
                    metadata=METADATA,
                )
            )
        if not _mean_the_same(self.text, content):
            if name == self.name:
                raise BadInput(text("The archive holds {name!r} twice, and they differ.", name=name[:60]))
            raise BadInput(text("The archive holds 2 different files named {metadata}.", metadata=METADATA))


@dataclass(slots=True)
class _ArchiveContents:
    """What has been read so far. The bytes of one model at most are in memory, of which a car has little.

    `models` are digests by name: equal digests are one model. `model_name` is the model in `content`. `renamed` are
    metadata files under the name that a browser or system gave them; they count only if none has the proper name.
    """

    wanted: str
    models: dict[str, bytes] = field(default_factory=dict)
    model_name: str = ""
    content: bytearray = field(default_factory=bytearray)
    metadata: _Metadata = field(default_factory=_Metadata)
    renamed: dict[str, bytes] = field(default_factory=dict)
    notes: dict[str, bytes] = field(default_factory=dict)
    packed: str = ""

    def different(self) -> list[str]:
        """The first name of each different model."""
        first = {digest: name for name, digest in reversed(self.models.items())}
        return [name for name, digest in self.models.items() if first[digest] == name]


def extract_model(file: BinaryIO, checkpoint: str = "") -> ExtractedModel:
    """The model and its metadata in an archive. Raises BadInput for an archive that is not acceptable or has no model.

    `checkpoint` names one of several; "" lets the archive's own notes decide.
    """
    contents = _read_contents(file, checkpoint)
    name, reason = choose_checkpoint(contents.models, contents.notes, contents.wanted)
    _settle_metadata(contents)
    count = count_checkpoints(contents.models)
    choice = f"{printable(name)} of {count} checkpoints: {reason}" if reason and count > 1 else ""
    content, contents.content = contents.content, bytearray()
    if contents.models[name] != contents.models.get(contents.model_name):
        content = _reread_model(file, name)
    return ExtractedModel(name, content, contents.metadata.text, choice)


def _read_contents(file: BinaryIO, checkpoint: str = "") -> _ArchiveContents:
    """All that counts in an archive. Raises BadInput if it has no model."""
    contents = _ArchiveContents(checkpoint)
    for name, member in regular_files(file):
        _read_member(contents, name, member)
    if not contents.models:
        if contents.packed:
            raise BadInput(
                text(
                    "The archive holds no model: it must have one .pb (or .onnx); unpack its {packed!r} first.",
                    packed=contents.packed[:60],
                )
            )
        raise BadInput(text("The archive holds no model: it must have one .pb (or .onnx)."))
    return contents


def _settle_metadata(contents: _ArchiveContents) -> None:
    """Let a renamed file of metadata stand in for one under the proper name. Raises BadInput without any."""
    if not contents.metadata.name:
        for renamed, document in contents.renamed.items():
            contents.metadata.add(renamed, document)
    if not contents.metadata.name:
        raise BadInput(text("The archive holds no {metadata}.", metadata=METADATA))


def model_names(file: BinaryIO) -> list[str]:
    """The names of the different models in an archive, each once, in its order. Raises BadInput."""
    contents = _ArchiveContents("")
    for name, member in regular_files(file):
        _read_member(contents, name, member)
    return contents.different()


def policy_files(file: BinaryIO) -> tuple[list[str], Iterator[tuple[str, Member]]]:
    """The names of the different models in an archive, and the files that a car makes use of: models, metadata, notes.

    A file's content is read before the next one is asked for. Raises BadInput, also while they are read.
    """
    contents = _read_contents(file)
    contents.content = bytearray()
    _settle_metadata(contents)
    used = {contents.metadata.name, *contents.models, *contents.notes}
    every = (("/".join(_parts(name)), member) for name, member in regular_files(file))
    return contents.different(), ((path, member) for path, member in every if path in used)


def _read_member(contents: _ArchiveContents, name: str, member: Member) -> None:
    base = base_of(name)
    if base == METADATA:
        contents.metadata.add(_safe_path(name), bytes(_read(member, MAX_METADATA_BYTES)))
    elif _RENAMED.fullmatch(base) and member.size <= MAX_METADATA_BYTES and len(contents.renamed) < MAX_FORMS:
        contents.renamed[_safe_path(name)] = bytes(_read(member, MAX_METADATA_BYTES))
    elif base in NOTES and member.size <= MAX_NOTE_BYTES and len(contents.notes) < MAX_NOTES:
        contents.notes[_safe_path(name)] = bytes(_read(member, MAX_NOTE_BYTES))
    elif base.lower().endswith(MODEL_ENDS):
        _read_model(contents, _safe_path(name), member)
    elif base.lower().endswith(_PACKED_ENDS):
        contents.packed = contents.packed or name


def _safe_path(name: str) -> str:
    """The normalised path of a member. Raises BadInput if it leads out of the archive's folder."""
    parts = _parts(name)
    if name.startswith("/") or ".." in parts:
        raise BadInput(text("The archive's {name!r} leads out of its folder.", name=name[:60]))
    return "/".join(parts)


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def _read_model(contents: _ArchiveContents, name: str, member: Member) -> None:
    if fits(name, contents.wanted) if contents.wanted else not contents.models:
        contents.model_name, contents.content = name, bytearray()
        contents.content = _read(member, MAX_MODEL_BYTES)
        digest = hashlib.sha256(contents.content).digest()
    else:
        hasher = hashlib.sha256()
        for piece in member.pieces(MAX_MODEL_BYTES):
            hasher.update(piece)
        digest = hasher.digest()
    if contents.models.setdefault(name, digest) != digest:
        raise BadInput(text("The archive holds {name!r} twice, and they differ.", name=name[:60]))


def _read(member: Member, max_bytes: int) -> bytearray:
    content = bytearray()  # grows in place: a model of 230 MB must not be in memory twice
    for piece in member.pieces(max_bytes):
        content += piece
    return content


def _reread_model(file: BinaryIO, name: str) -> bytearray:
    """Reads the archive again for a model that only a later member named as the best."""
    for member_name, member in regular_files(file):
        if base_of(member_name) == base_of(name) and _safe_path(member_name) == name:
            return _read(member, MAX_MODEL_BYTES)
    raise BadInput(text("The archive changed while it was read."))


def _mean_the_same(first: bytes, second: bytes) -> bool:
    """Whether two metadata files are equal as far as a car reads them, or equal as JSON if a car cannot read them."""
    if first == second:
        return True
    with contextlib.suppress(BadInput):  # invalid metadata is refused where it is used
        return _driving_metadata(first) == _driving_metadata(second)
    try:
        one, other = (json.loads(content, object_pairs_hook=_all_pairs) for content in (first, second))
    except (ValueError, RecursionError):
        return False
    return bool(one == other)


def _driving_metadata(content: bytes) -> Metadata:
    """The metadata without network name and version, which do not influence driving."""
    return replace(parse_metadata(content, any_sensors=True), network="", version="")


def _all_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)
