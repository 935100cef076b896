"""A gzip file is read to its end, and the CRC and the length of each of its members hold; else no weight is taken.

An upload that lost a bit on its way was taken once: a model drove with another weight. Files of several members are
what bgzip and parallel compressors write, zeros at the end what tapes and block devices add (gzip manual, "Overview").
"""

import gzip
import io
import random
from collections.abc import Callable

import pytest

from shared.errors import BadInput
from tests.vehicle.models.importing.tars import Member, tar
from vehicle.models.importing.archive import extract_model

WEIGHTS = random.Random(17).randbytes(40_000)  # no two weights alike, and nothing that compresses
TAR = tar(Member(b"agent/model.pb", WEIGHTS), Member(b"model_metadata.json", b"{}"))
STORED = gzip.compress(TAR, compresslevel=0, mtime=0)
PACKED = gzip.compress(TAR, mtime=0)


def members(size: int) -> bytes:
    """The tar in gzip members of so many bytes."""
    return b"".join(gzip.compress(TAR[at : at + size], mtime=0) for at in range(0, len(TAR), size))


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "one bit of a weight": lambda content: flipped(content, 12_345),
    "the checksum": lambda content: flipped(content, len(content) - 8),
    "the length": lambda content: flipped(content, len(content) - 1),
    "no length": lambda content: content[:-4],
    "no trailer": lambda content: content[:-8],
    "a byte short": lambda content: content[:-1],
    "half of it": lambda content: content[: len(content) // 2],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("content", [STORED, PACKED, members(4096)], ids=["stored", "packed", "members"])
def test_what_was_damaged_on_the_way_is_refused(content: bytes, damage: Damage) -> None:
    with pytest.raises(BadInput, match=r"damaged on the way: it is cut off, or its checksum does not match\. Send it"):
        extract_model(io.BytesIO(damage(content)))


def test_a_member_in_the_middle_is_checked_too() -> None:
    first = gzip.compress(TAR[:4096], mtime=0)
    with pytest.raises(BadInput, match="damaged on the way"):
        extract_model(io.BytesIO(flipped(first, len(first) - 7) + gzip.compress(TAR[4096:], mtime=0)))


@pytest.mark.parametrize("content", [STORED, PACKED, members(4096)], ids=["stored", "packed", "members"])
@pytest.mark.parametrize("padding", [0, 1, 1000], ids=lambda count: f"{count} zeros")
def test_what_real_tools_write_is_taken(content: bytes, padding: int) -> None:
    assert extract_model(io.BytesIO(content + bytes(padding))).model == WEIGHTS


def test_what_follows_the_end_and_is_no_gzip_is_refused() -> None:
    with pytest.raises(BadInput, match="data that is not gzip: pack it again"):
        extract_model(io.BytesIO(PACKED + b"GARBAGE"))
