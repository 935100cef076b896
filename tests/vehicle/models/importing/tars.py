"""Builds tar archives byte by byte, so that they can be wrong in every way."""

import gzip
import hashlib
from dataclasses import dataclass

BLOCK = 512


@dataclass(frozen=True, slots=True)
class Member:
    """One entry as it is written; `size` replaces the true size in the header."""

    name: bytes
    content: bytes = b""
    kind: bytes = b"0"
    link: bytes = b""
    size: int | None = None
    magic: bytes = b"ustar\x0000"
    prefix: bytes = b""


def entry(member: Member) -> bytes:
    """The bytes of one entry: header, content, padding."""
    size = len(member.content) if member.size is None else member.size
    header = bytearray(BLOCK)
    header[0:100] = member.name[:100].ljust(100, b"\0")
    header[100:108], header[108:116], header[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    header[124:136] = b"%011o\0" % size if 0 <= size < 8**11 else b"\x80" + size.to_bytes(11, "big", signed=True)
    header[136:148], header[148:156], header[156:157] = b"00000000000\0", b" " * 8, member.kind
    header[157:257] = member.link[:100].ljust(100, b"\0")
    header[257:265], header[345:500] = member.magic, member.prefix[:155].ljust(155, b"\0")
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + member.content + b"\0" * (-len(member.content) % BLOCK)


def tar(*members: Member, end: bytes = b"\0" * 2 * BLOCK) -> bytes:
    """An archive of these members, not compressed."""
    return b"".join(map(entry, members)) + end


def tar_gz(*members: Member, end: bytes = b"\0" * 2 * BLOCK) -> bytes:
    """An archive of these members, compressed as the console exports it."""
    return gzip.compress(tar(*members, end=end), 1, mtime=0)


def crowd(count: int, name: bytes = b"f%d", kind: bytes = b"0") -> list[Member]:
    """Many members that do not compress well, so that the limit on the ratio does not refuse them first."""
    return [Member(name % n, kind=kind, link=hashlib.sha256(b"%d" % n).digest()) for n in range(count)]


def pax(**records: str) -> Member:
    """The pax extended header for the entry that follows it."""
    lines = b""
    for key, value in records.items():
        body = f" {key.replace('__', '.')}={value}\n".encode()
        size = len(body) + 1
        while len(str(size)) + len(body) != size:
            size += 1
        lines += str(size).encode() + body
    return Member(b"PaxHeader", lines, b"x")
