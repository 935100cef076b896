"""How a file is packed, by its content and never by its name: tar or ZIP, the tar in gzip or not; and its members.

Called by archive.py, and by whoever looks at the first bytes of a file.
"""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.checkpoints import base_of
from vehicle.models.importing.gzip_reader import GZIP, Inflated, Unpacked
from vehicle.models.importing.tar_reader import is_tar, tar_members
from vehicle.models.importing.zip_reader import ZIP, zip_members

MAX_MEMBERS = 20_000  # an export has a trace for each iteration; the work is bounded by the sizes, not by this
HEAD_BYTES = 512

_OTHERS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}


class Member(Protocol):
    """One entry of an archive; its content can be read until the next entry is requested."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def is_folder(self) -> bool: ...

    def pieces(self, max_bytes: int) -> Iterator[bytes | bytearray]:
        """The content in pieces. Raises BadInput if it exceeds `max_bytes` or is incomplete."""


def is_archive(head: bytes) -> bool:
    """Whether a file whose first HEAD_BYTES are `head` holds an archive."""
    return head.startswith((GZIP, *ZIP)) or is_tar(head)


def regular_files(file: BinaryIO) -> Iterator[tuple[str, Member]]:
    """Names and members of the regular files in an archive. Raises BadInput."""
    for count, member in enumerate(_members(file), 1):
        if count > MAX_MEMBERS:
            raise BadInput(text("The archive holds more than {max_members} files.", max_members=MAX_MEMBERS))
        # macOS adds an AppleDouble file for each file (`._model.pb`), which holds no model.
        if not member.is_folder and not base_of(member.name).startswith("._"):
            yield member.name, member


def _members(file: BinaryIO) -> Iterator[Member]:
    """The members, read by the format that the content shows. Raises BadInput."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if head.startswith(ZIP):
        return zip_members(file)
    if not head.startswith(GZIP):
        check_packing(head)
        return tar_members(Unpacked(file))
    stream = Inflated(file)
    if stream.peek(len(GZIP)) == GZIP:  # compressed twice, as by a server with Content-Encoding: gzip
        stream = Inflated(stream)
    inner = stream.peek(HEAD_BYTES)
    if inner.startswith(ZIP):
        raise BadInput(text("The file is a zip archive within gzip: unpack it once."))
    check_packing(inner)
    return tar_members(stream)


def check_packing(head: bytes) -> None:
    """Raises BadInput if `head` is the beginning of a format that is known and not supported."""
    for magic, kind in _OTHERS.items():
        if head.startswith(magic) and not is_tar(head):  # a tar begins with a file name
            raise BadInput(
                text("The file is packed with {kind}, which is not supported: pack it as tar.gz or zip.", kind=kind)
            )
