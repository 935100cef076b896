"""What can be said of a model's archive without opening it: its hash, its size, how its first bytes look. Pure.

Whether a model is in it is the farm's to find out: it reads archives in isolation, and the leaderboard never does.
"""

import re
from typing import Literal

from shared.errors import BadInput
from shared.text import text

ArchiveKind = Literal["gzip", "zip", "tar", "onnx"]
# How much of its beginning is needed to tell; a shorter file is none of these.
HEAD_BYTES = 512
MB = 1_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# POSIX.1-1988 ustar: the magic of a header stands at 257.
_TAR_MAGIC, _TAR_AT = b"ustar", 257


def archive_kind(head: bytes) -> ArchiveKind | None:
    """What a file that begins so is; None if it is nothing that a model comes in."""
    if head[:3] == b"\x1f\x8b\x08":  # RFC 1952: the magic, and "deflate", the only method there is
        return "gzip"
    if head[:4] == b"PK\x03\x04":
        return "zip"
    if head[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        return "tar"
    # An ONNX file is a protobuf message whose first field is `ir_version`, a small number.
    if len(head) > 1 and head[0] == 0x08 and 1 <= head[1] < 64:
        return "onnx"
    return None


def check_head(head: bytes) -> None:
    """Check that a file that begins so may hold a model. Raises BadInput."""
    kind = archive_kind(head)
    if kind is None:
        raise BadInput(text("This is no model's archive: send the tar.gz, tar or zip file of a model."))
    if kind == "onnx":
        raise BadInput(text("An ONNX file alone does not say what it may do: pack it with its model_metadata.json."))


def check_sha256(sha256: str) -> str:
    """Return the hash if it is one. Raises BadInput."""
    if _SHA256.fullmatch(sha256) is None:
        raise BadInput(text("A model is named by its SHA-256: 64 of 0-9 and a-f."))
    return sha256


def check_size(size_bytes: int, max_mb: int) -> int:
    """Return the size if an archive may have it. Raises BadInput."""
    if size_bytes <= 0:
        raise BadInput(text("The archive is empty."))
    if size_bytes > max_mb * MB:
        raise BadInput(
            text(
                "The archive has {mb:.1f} MB; at most {max} MB are taken: send fewer checkpoints.",
                mb=-(-size_bytes * 10 // MB) / 10,  # rounded up: never "300.0 of 300"
                max=max_mb,
            )
        )
    return size_bytes
