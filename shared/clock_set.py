"""Is this machine's wall clock set? We ask the kernel and never set it.

A machine without a clock battery begins in 1970, or where it was switched off, and learns the time from a network
that a venue may not have. Two things confirm it: a time server disciplines the kernel's clock, or a battery-backed
clock agrees with it. https://man7.org/linux/man-pages/man2/adjtimex.2.html
"""

import contextlib
import ctypes
import functools
import pathlib
from collections.abc import Iterable

TIMESYNC_KEPT = pathlib.Path("/var/lib/systemd/timesync/clock")  # systemd notes the time in its date
BUILT_NS = 1_764_547_200_000_000_000  # 2025-12-01: no later program runs before it
AGREES_NS = 60_000_000_000
_UNSYNCHRONISED = 0x40  # STA_UNSYNC
_STATUS_AT = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20  # of `status` in struct timex
_TIMESYNCD = pathlib.Path("/run/systemd/timesync/synchronized")
_RTC = pathlib.Path("/sys/class/rtc/rtc0/since_epoch")


def is_set(utc_ns: int, rtc: pathlib.Path = _RTC) -> bool:
    """Does a time server or a battery-backed clock confirm this reading of the wall clock?"""
    if utc_ns < BUILT_NS:
        return False
    return is_synchronised() or _battery_agrees(utc_ns, rtc)


def certain_ns(utc_ns: int, kept: Iterable[pathlib.Path]) -> int:
    """The moment that is past for certain: the latest of the clock, of the program's making, and of what files date.

    A machine without a clock battery begins in 1970, while its own files, its certificates among them, are of later.
    """
    dates = [BUILT_NS]
    for path in (*kept, TIMESYNC_KEPT):
        with contextlib.suppress(OSError):  # not there, or not ours to see
            dates.append(path.stat().st_mtime_ns)
    return max(utc_ns, *dates)


def is_synchronised() -> bool:
    """Does a time server discipline the kernel's clock? Where adjtimex is not allowed, systemd's marker file says."""
    timex = ctypes.create_string_buffer(256)  # modes 0: only read
    if _libc().adjtimex(timex) < 0:
        return _TIMESYNCD.exists()
    return not int.from_bytes(timex.raw[_STATUS_AT : _STATUS_AT + 4], "little") & _UNSYNCHRONISED


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _battery_agrees(utc_ns: int, rtc: pathlib.Path) -> bool:
    try:
        battery_s = int(rtc.read_text())
    except (OSError, ValueError):
        return False  # no such clock
    return abs(battery_s * 1_000_000_000 - utc_ns) <= AGREES_NS
