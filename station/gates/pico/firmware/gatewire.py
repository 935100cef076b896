"""The protocol of the Pico gate, and the gate without its pins: this one file runs on MicroPython and on CPython.

A line is `WORD FIELDS *CRC`, ASCII, with the CRC-16/CCITT-FALSE of all before ` *` in four hex digits:

    to the gate     P token                     a ping
                    R boot seq                  send again what comes after seq; for another boot: everything in memory
    from the gate   Q boot token us             the pong: `us` is when the ping was read
                    E boot seq sensor level us  one edge, stamped where it happened
                    H boot first last levels    heartbeat, each second and after R: the oldest and newest edge in
                                                memory, and the pins as they are now, sensor 0 in the lowest bit

`us` counts microseconds since the gate's boot and never wraps; `seq` counts its edges from 1, including those that
are no longer in memory.
"""

LINE_LIMIT = 96  # longer than any valid line: anything longer is noise
AT_ONCE = 8  # edges sent at a time, so that a long replay does not delay pings


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, from 0xFFFF; of b"123456789" it is 0x29B1."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc << 8 & 0xFF00) ^ TABLE[crc >> 8 ^ byte]
    return crc


def _table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        table.append(crc & 0xFFFF)
    return table


TABLE = _table()  # bit by bit, each line would take the Pico milliseconds


def pack(*fields: object) -> bytes:
    """The fields as one line with its CRC and line end."""
    body = " ".join([str(field) for field in fields]).encode()
    return body + " *{:04X}\n".format(crc16(body)).encode()  # noqa: UP032  # bytes of a nested f-string fail there


class CheckedLineReader:
    """Cuts bytes into lines, and gives those with a good CRC; accepts any split and any noise, counts what it drops."""

    def __init__(self) -> None:
        self.dropped_bytes = 0
        self.bad_lines = 0
        self._partial = b""

    def feed(self, data: bytes) -> list[list[str]]:
        """The fields of each line that these bytes complete and whose CRC is good."""
        good = []
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        if len(self._partial) > LINE_LIMIT:
            self.dropped_bytes += len(self._partial) - LINE_LIMIT
            self._partial = self._partial[-LINE_LIMIT:]
        for line in lines:
            fields = unpack(line)
            if fields:
                good.append(fields)
            elif line.strip():
                self.bad_lines += 1
                self.dropped_bytes += len(line) + 1
        return good

    def forget(self) -> None:
        """Drops half a line and counts it, because the connection was cut."""
        self.dropped_bytes += len(self._partial)
        self._partial = b""


def unpack(line: bytes) -> list[str]:
    """The fields of a line without its end; an empty list if its CRC is wrong."""
    body, star, check = line.rstrip(b"\r").rpartition(b" *")
    if not star or len(line) > LINE_LIMIT or check != "{:04X}".format(crc16(body)).encode():  # noqa: UP032
        return []
    try:
        return body.decode().split(" ")
    except UnicodeError:
        return []


class Counter:
    """Extends a wrapping counter of `bits` bits to one that never wraps. Read it more often than half a wrap."""

    def __init__(self, bits: int) -> None:
        self._mask = (1 << bits) - 1
        self._last = -1

    def extend(self, ticks: int) -> int:
        """The full count of a reading, whichever is nearest to the newest one; it may lie a little before that."""
        if self._last < 0:
            self._last = ticks & self._mask
            return self._last
        ahead = (ticks - self._last) & self._mask
        if ahead > self._mask >> 1:
            return max(0, self._last + ahead - self._mask - 1)
        self._last += ahead
        return self._last


class GateFirmware:
    """The gate's memory of edges and its answers. It sends edges only after a request (R)."""

    def __init__(self, boot: str, ring: int = 512) -> None:
        self._boot = boot
        self._ring: list[bytes] = [b""] * ring
        self._last = 0
        self._next = 0  # the next edge to send; 0: none was requested yet
        self._lines = CheckedLineReader()
        self.levels = 15  # a bit for each sensor's pin

    def edge(self, us: int, sensor: int, level: int) -> None:
        """Stores one level change at `us` (microseconds since boot); `next_edges` gives it for sending."""
        self._last += 1
        self.levels = self.levels & ~(1 << sensor) | level << sensor
        self._ring[self._last % len(self._ring)] = pack("E", self._boot, self._last, sensor, level, us)

    def on_data(self, data: bytes, us: int) -> bytes:
        """The answers to `data`, which was read at `us` (microseconds since boot)."""
        answers = b""
        for fields in self._lines.feed(data):
            if fields[0] == "P" and len(fields) == 2:
                answers += pack("Q", self._boot, fields[1], us)
            elif fields[0] == "R" and len(fields) == 3 and fields[2].isdigit():
                after = int(fields[2]) if fields[1] == self._boot else 0
                self._next = min(after, self._last) + 1
                answers += self.heartbeat()
        return answers

    def heartbeat(self) -> bytes:
        """The heartbeat line; sent each second, so that a loss shows even when no further edge follows."""
        return pack("H", self._boot, self._first(), self._last, self.levels)

    def next_edges(self) -> bytes:
        """The lines of the next few edges that were not sent yet; b"" if there are none."""
        if not self._next:
            return b""
        begin = max(self._next, self._first())
        self._next = min(self._last + 1, begin + AT_ONCE)
        return b"".join([self._ring[seq % len(self._ring)] for seq in range(begin, self._next)])

    def _first(self) -> int:
        return max(1, self._last - len(self._ring) + 1)
