"""Frames written from the protocols' descriptions alone (each protocol file names its source).

Nothing here is used by the decoders themselves.

Checks are worked out bit by bit, columns are laid by hand: where this file and a decoder agree, two readers of the same
text do.
"""


def amb_crc(data: bytes) -> int:
    """AMB's CRC: polynomial 1021h, initial FFFFh; each bit of the message enters at the low end; no zeros follow."""
    register = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            out = register & 0x8000
            register = (register << 1 | byte >> bit & 1) & 0xFFFF
            register ^= 0x1021 if out else 0
    return register


def p3(
    kind: int, fields: list[tuple[int, bytes]], *, version: int = 2, flags: int = 0, escaped: str = "8D8E8F"
) -> bytes:
    """A P3 frame; `escaped`: which bytes this sender escapes inside a frame (some escape 8Ah to 8Fh)."""
    body = b"".join(bytes((tag, len(value))) + value for tag, value in fields)
    length = 11 + len(body)
    head = bytes((0x8E, version)) + length.to_bytes(2, "little")
    tail = flags.to_bytes(2, "little") + kind.to_bytes(2, "little") + body + b"\x8f"
    crc = amb_crc(head + b"\0\0" + tail)
    plain = head + bytes((crc & 0xFF, crc >> 8)) + tail
    special = bytes.fromhex(escaped)
    inside = b"".join(bytes((0x8D, byte + 0x20)) if byte in special else bytes((byte,)) for byte in plain[1:-1])
    return b"\x8e" + inside + b"\x8f"


def p3_passing(
    number: int, transponder: int, rtc_us: int, strength: int = 100, hits: int = 20, decoder: int = 7, **how: str
) -> bytes:
    """A P3 PASSING record, as in captures."""
    widths = ((1, number, 4), (3, transponder, 4), (4, rtc_us, 8), (5, strength, 2), (6, hits, 2), (8, 0, 2))
    fields = [(tag, value.to_bytes(width, "little")) for tag, value, width in widths]
    return p3(1, [*fields, (0x81, decoder.to_bytes(4, "little"))], escaped=how.get("escaped", "8D8E8F"))


def p3_status(noise: int = 40, decoder: int = 7) -> bytes:
    """A P3 STATUS record, as in captures."""
    fields = [(1, noise.to_bytes(2, "little")), (7, b"\x16\0"), (0x0C, b"\x76"), (6, b"\0")]
    return p3(2, [*fields, (0x81, decoder.to_bytes(4, "little"))])


def rc4(*fields: object, end: bytes = b"\r\n", soh: bytes = b"\x01") -> bytes:
    """An RC-4 line of these fields, the type first."""
    checked = "".join(f"{field}\t" for field in fields).encode()
    return soh + checked + f"x{amb_crc(checked):04X}".encode() + end


def tranx2(transponder: int, ms: int, hits: int, strength: int, prefix: str = "0900") -> bytes:
    """A TranX-2 passing."""
    return f"${prefix}{transponder:06X}{ms:08X}{hits:02X}{strength:02X}00\r\n".encode()


def cano(transponder: int, quarter_ms: int) -> bytes:
    """A Cano record."""
    return f"{transponder:06X}{quarter_ms:08X}\r\n".encode()


def ilap(decoder: int, transponder: int, ms: int) -> bytes:
    """An I-Lap passing."""
    return f"\x01@\t{decoder}\t{transponder}\t{ms // 1000}.{ms % 1000:03d}\r\n".encode()


def zround(transponder: int, ms: int) -> bytes:
    """A lap of ZRound's open protocol, with the comma."""
    return f"%L{transponder:X},{ms:X}&".encode()


def alge(number: int, channel: str, clock: str, *, flag: str = " ", summed: bool = False) -> bytes:
    """An ALGE line of 26 columns; `summed`: with the two characters of its sum (CHK1)."""
    columns = f"{flag}{number:04d} {channel:<4}{clock:<13} 00"
    assert len(columns) == 26, columns
    total = sum(columns.encode()) % 256
    checked = chr(0x30 + total // 16) + chr(0x30 + total % 16) if summed else ""
    return (columns + checked + "\r").encode()


def tag(number: int | None, channel: int, clock: str, *, mark: str = " ", hand: bool = False) -> bytes:
    """A TAG Heuer CP 520 line of 30 columns: the channel in 12 to 14, the time in 15 to 27 (counted from 0)."""
    start = "" if number is None else str(number)
    columns = f"T{mark}{start:>9} {'M' if hand else ' '}{channel} {clock:>15}"
    return (columns + "\r\n").encode()


def thcom(
    number: int, channel: int, clock: str, days: int, *, kind: str = "TN", hand: bool = False, summed: bool = True
) -> bytes:
    """A THCOM08 line of 36 columns and a tab: sequence and start number, channel, 14 columns of time, days of 2000."""
    columns = f"{kind} {number % 10_000:4d} {number:4d} {'M' if hand else ' '}{channel} {clock:>14} {days:5d}"
    total = sum(columns.encode())
    return f"{columns}\t{f'{total:04X}' if summed else ''}\r\n".encode()


def arc(data: bytes) -> int:
    """CRC-16/ARC: polynomial 8005h, bits reflected, initial 0."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register


def laprf(slot: int, number: int, us: int, peak: int, gate: int = 0x3C0044, *, us_bytes: int = 8) -> bytes:
    """A LapRF passing; `us_bytes`: the width of its time, which is 8 in the maker's library."""
    parts = ((0x20, gate, 4), (0x01, slot, 1), (0x21, number, 4), (0x02, us, us_bytes), (0x22, peak, 2), (0x23, 0, 2))
    body = b"".join(bytes((what, width)) + value.to_bytes(width, "little") for what, value, width in parts)
    head = b"\x5a" + (8 + len(body)).to_bytes(2, "little")
    tail = (0xDA09).to_bytes(2, "little") + body + b"\x5b"
    plain = head + arc(head + b"\0\0" + tail).to_bytes(2, "little") + tail
    inside = b"".join(
        bytes((0x5C, byte + 0x40)) if byte in (0x5A, 0x5B, 0x5C) else bytes((byte,)) for byte in plain[1:-1]
    )
    return b"\x5a" + inside + b"\x5b"


def carrera(address: int, ms: int, sector: int, end: bytes = b"$") -> bytes:
    """A passing of the Carrera control unit: nibbles + 30h, the low one of each byte first, then their sum."""
    time = [nibble for byte in ms.to_bytes(4, "big") for nibble in (byte & 15, byte >> 4)]
    nibbles = [address, *time, sector]
    return b"?" + bytes(0x30 + nibble for nibble in (*nibbles, sum(nibbles) & 15)) + end


def ipico(tag_id: str, moment: str, hundredths: int, reader: str = "00", tto: str = "") -> bytes:
    """An IPICO line; `moment` is YYMMDDHHMMSS, `tto` index, page and status, two digits each."""
    body = f"{reader}{tag_id}0001{moment}{hundredths:02x}{tto}"
    return f"aa{body}{sum(body.encode()) & 0xFF:02x}\r\n".encode()


def drem(gpio: int, ms: int, number: int) -> bytes:
    """A lap of the DeepRacer Event Manager's timer."""
    return f'{{"event":"lap","timestamp":{ms},"gpio":{gpio},"lapNumber":{number},"sensorLapCount":1}}\n'.encode()


def openstint(transponder: int, ms: int, rssi_db: float, hits: int, us: int, kind: str = "OPN") -> bytes:
    """A passing as OpenStint's decoder publishes it, as a line."""
    return f"P {ms} {kind} {transponder} {rssi_db:.2f} {hits} {us}\n".encode()
