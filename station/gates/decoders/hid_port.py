"""The port of a CP2110, a USB bridge that is a HID device and not a serial port (EasyLAP): `cp2110:///dev/hidraw0`.

Linux passes its reports on at /dev/hidraw. Feature reports configure the line; the number of a data report is its
length. It has those methods of pyserial's ports that port.py needs; pyserial's own handler needs another library.

Source: Silicon Labs AN434, "CP2110/4 Interface Specification"; linux/hidraw.h for the ioctl numbers.
"""

import fcntl
import os
import select
import struct
from collections.abc import Callable
from typing import Final

SCHEME: Final = "cp2110://"
SILABS: Final = 0x10C4
MAX_REPORT_BYTES: Final = 63  # bytes of one data report
ENABLE, CONFIGURE = 0x41, 0x50
PARITY: Final = {"N": 0, "O": 1, "E": 2}
RAW_INFO: Final = 0x80084803  # HIDIOCGRAWINFO: bus, vendor, product
SET_FEATURE: Final = 0xC0004806  # HIDIOCSFEATURE, with the length in bits 16 to 29

Ioctl = Callable[[int, int, bytearray], object]


class HidPort:
    """An open bridge. A read waits for at most `timeout` seconds."""

    def __init__(
        self,
        path: str,
        baud: int,
        form: tuple[int, str, int],
        timeout: float,
        ioctl: Ioctl = fcntl.ioctl,
        opened: Callable[[str, int], int] = os.open,
    ) -> None:
        """Opens the device and configures the line: `form` is data bits, parity, stop bits. Raises OSError."""
        self._fd, self._ioctl, self._timeout = opened(path, os.O_RDWR | os.O_CLOEXEC), ioctl, timeout
        self._buffer = bytearray()
        self.is_open = True
        try:
            self._begin(baud, form)
        except BaseException:
            self.close()
            raise

    def _begin(self, baud: int, form: tuple[int, str, int]) -> None:
        info = bytearray(8)
        self._ioctl(self._fd, RAW_INFO, info)
        if struct.unpack("=IHH", info)[1] != SILABS:
            raise OSError("this HID device is not a CP2110")
        bits, parity, stops = form
        self._feature(struct.pack(">BIBBBB", CONFIGURE, baud, PARITY[parity], 0, bits - 5, stops - 1))
        self._feature(bytes((ENABLE, 1)))

    @property
    def in_waiting(self) -> int:
        return len(self._buffer)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes that are already there, or arrive within the timeout; b"" if none do."""
        if size and not self._buffer and select.select([self._fd], [], [], self._timeout)[0]:
            report = os.read(self._fd, 1 + MAX_REPORT_BYTES)
            if not report:
                raise OSError("device disconnected")
            self._buffer += report[1 : 1 + report[0]] if report[0] <= MAX_REPORT_BYTES else b""
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def write(self, data: bytes) -> int:
        for at in range(0, len(data), MAX_REPORT_BYTES):
            part = data[at : at + MAX_REPORT_BYTES]
            os.write(self._fd, bytes((len(part),)) + part)
        return len(data)

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            os.close(self._fd)

    def _feature(self, report: bytes) -> None:
        self._ioctl(self._fd, SET_FEATURE | len(report) << 16, bytearray(report))
