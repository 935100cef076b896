"""The world's clock in a file that every process maps: anchors of real and simulated time.

After each step the world writes (real time, simulated time, rate, cap). A reader continues from the anchor at that
rate, by at most `cap`, and the next anchor lies exactly there: so no reader is ever ahead of the world, none goes
backwards, and when the world stops so does its time.
"""

import mmap
import os
import pathlib
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import HardwareMissing

_MAGIC = b"raceclk1"
_BODY = struct.Struct("<qqqd36s")
_SIZE = len(_MAGIC) + _BODY.size + 4
STALE_NS = 500_000_000
DEAD_NS = 10_000_000_000
_QUICK_TRIES = 50  # a write takes some microseconds; if it takes longer than this, its writer was preempted
_WAIT_S = (0.0005, 0.02)  # the first and the longest wait for a preempted writer


@dataclass(frozen=True, slots=True)
class ClockAnchor:
    """At real (CLOCK_MONOTONIC) `wall_ns` it was `at_ns` in the world; `rate` simulated per real second."""

    wall_ns: int
    at_ns: int
    cap_ns: int
    rate: float
    boot: str

    def now_ns(self, wall_ns: int) -> int:
        """The world's time at a real instant."""
        return self.at_ns + max(0, min(int((wall_ns - self.wall_ns) * self.rate), self.cap_ns))


class ClockWriter:
    """The world's side: one file, written completely before it gets its name."""

    def __init__(self, path: pathlib.Path, boot: str, anchor: ClockAnchor) -> None:
        self._path = path
        self._boot = boot.encode()[:36]
        part = path.with_name(path.name + ".part")
        part.write_bytes(_MAGIC + bytes(_SIZE - len(_MAGIC)))
        with part.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self.write(anchor)
        part.replace(path)

    def write(self, anchor: ClockAnchor) -> None:
        body = _BODY.pack(anchor.wall_ns, anchor.at_ns, anchor.cap_ns, anchor.rate, self._boot)
        # A reader in the middle of this write sees a wrong checksum and reads again.
        self._map[len(_MAGIC) :] = body + zlib.crc32(body).to_bytes(4, "little")

    def close(self) -> None:
        """Remove the clock's file when the world ends."""
        self._map.close()
        self._path.unlink(missing_ok=True)


class ClockReader:
    """A device's side. A restarted world has a new file under the old name, which is then opened."""

    def __init__(
        self,
        path: pathlib.Path,
        real_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`real_ns` reads the real time, `sleep` waits for some seconds. Raises HardwareMissing."""
        self._path = path
        self._real_ns, self._sleep = real_ns, sleep
        self._map, self._inode = _open(path)
        self._anchor = self._read()
        if self._real_ns() - self._anchor.wall_ns > DEAD_NS:
            raise HardwareMissing(f"The world's clock {path} stands still: start `raceday world` again.")

    def anchor(self) -> ClockAnchor:
        """The newest anchor; the last known one while the world is not running."""
        self._anchor = self._read()
        if self._real_ns() - self._anchor.wall_ns > STALE_NS and self._replaced():
            self._open_again()
            self._anchor = self._read()
        return self._anchor

    def close(self) -> None:
        self._map.close()

    def _replaced(self) -> bool:
        try:
            return os.stat(self._path).st_ino != self._inode  # noqa: PTH116  # called at each reading of the time
        except FileNotFoundError:
            return False

    def _read(self) -> ClockAnchor:
        """The anchor, once it is completely written.

        The kernel may preempt a writer in its write for as long as others are busy: the file is not damaged then, and
        spinning would only keep the writer off the processor for longer.
        """
        for _ in range(_QUICK_TRIES):
            if (anchor := self._read_once()) is not None:
                return anchor
        ends_ns, wait_s = self._real_ns() + DEAD_NS, _WAIT_S[0]
        while self._real_ns() < ends_ns:
            self._sleep(wait_s)
            wait_s = min(2 * wait_s, _WAIT_S[1])
            if self._replaced():  # the writer was killed in its write, and the world was started again
                self._open_again()
            if (anchor := self._read_once()) is not None:
                return anchor
        raise HardwareMissing(f"The world's clock {self._path} is damaged: start `raceday world` again.")

    def _read_once(self) -> ClockAnchor | None:
        """The anchor in the file; None while it is half-written."""
        data = self._map[len(_MAGIC) :]
        body, total = data[:-4], data[-4:]
        if zlib.crc32(body).to_bytes(4, "little") != total:
            return None
        wall_ns, at_ns, cap_ns, rate, boot = _BODY.unpack(body)
        return ClockAnchor(wall_ns, at_ns, cap_ns, rate, boot.rstrip(b"\0").decode())

    def _open_again(self) -> None:
        self._map.close()
        self._map, self._inode = _open(self._path)


def _open(path: pathlib.Path) -> tuple[mmap.mmap, int]:
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), _SIZE, access=mmap.ACCESS_READ)
            inode = os.fstat(file.fileno()).st_ino
    except (OSError, ValueError) as error:
        raise HardwareMissing(f"The mock world has no clock at {path} ({error}): start `raceday world`.") from None
    if mapped[: len(_MAGIC)] != _MAGIC:
        raise HardwareMissing(f"{path} is not the clock of a mock world of this version.")
    return mapped, inode
