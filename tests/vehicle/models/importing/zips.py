"""Builds zip archives byte by byte, so that they can be wrong in every way."""

import struct
import zlib
from collections.abc import Mapping


def zip_of(
    files: Mapping[str, bytes],
    *,
    method: int = 8,
    flags: int = 0,
    flags_of: Mapping[str, int] | None = None,
    modes: Mapping[str, int] | None = None,
    sizes: Mapping[str, int] | None = None,
    sums: Mapping[str, int] | None = None,
    begins: Mapping[str, int] | None = None,
    local_names: Mapping[str, str] | None = None,
    described: bool = False,
    large: bool = False,
) -> bytes:
    """An archive of `files`; the other mappings, by file name, replace true values with false ones.

    `described`: sizes follow the content in a data descriptor; `large`: ZIP64.
    """
    written, directory = bytearray(), bytearray()
    for name, content in files.items():
        packer = zlib.compressobj(9, wbits=-15)
        packed = content if method == 0 else packer.compress(content) + packer.flush()
        raw, at = name.encode(), len(written)
        flag = flags | (flags_of or {}).get(name, 0) | (8 if described else 0)
        crc = (sums or {}).get(name, zlib.crc32(content))
        size = (sizes or {}).get(name, len(content))
        local = (local_names or {}).get(name, name).encode()
        facts = (0, 0, 0) if described else (crc, len(packed), size)
        written += (
            b"PK\x03\x04" + struct.pack("<5H3L2H", 20, flag, method, 0, 0, *facts, len(local), 0) + local + packed
        )
        if described:
            written += b"PK\x07\x08" + struct.pack("<3L", crc, len(packed), size)
        place = (begins or {}).get(name, at)
        extra = struct.pack("<2H3Q", 1, 24, size, len(packed), place) if large else b""
        facts = (crc, 0xFFFF_FFFF, 0xFFFF_FFFF) if large else (crc, len(packed), size)
        mode = (modes or {}).get(name, 0o100644) << 16
        directory += b"PK\x01\x02" + struct.pack("<6H3L", 3 << 8 | 20, 20, flag, method, 0, 0, *facts)
        directory += struct.pack("<5H2L", len(raw), len(extra), 0, 0, 0, mode, 0xFFFF_FFFF if large else place)
        directory += raw + extra
    return bytes(written + directory) + _end(len(files), len(directory), len(written), large)


def _end(count: int, length: int, begins: int, large: bool) -> bytes:
    if not large:
        return b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, count, count, length, begins, 0)
    record = b"PK\x06\x06" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, length, begins)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, begins + length, 1)
    return record + locator + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, *[0xFFFF_FFFF] * 2, 0)
