"""An EasyLAP on a simulated USB port: the kernel's HID gadget with the reports of its bridge, a CP2110. For easylap.py.

A real USB device for the kernel, so that udev's rule sees its vendor and product. Sources: Silicon Labs AN434 (a data
report's number is its length, 1 to 63; feature reports 0x41 and 0x50 enable and configure the line), the kernel's
Documentation/usb/gadget_hid.rst and usb-gadget-hid of its ABI (`no_out_endpoint`: what the host writes comes by control
transfers, as the feature reports do), and for the packets station/gates/decoders/packet_protocols/robitronic.py.
"""

import os
import pathlib
import select
import struct
import threading
import time
from collections.abc import Callable

from tools.metal.guest.kernel_files import CONFIGFS, load, make, mount_configfs, wait_for

GADGET = CONFIGFS / "usb_gadget/easylap"
DEVICE = pathlib.Path("/dev/hidg0")  # the gadget's end of the cable
CLASS = pathlib.Path("/sys/class/hidraw")
VENDOR, PRODUCT, SERIAL = "0x10c4", "0x86b9", "00C0FFEE"
HID_ID = "HID_ID=0003:000010C4:000086B9"
REPORT_BYTES = 64  # the bridge pads each report to the size of its endpoint
BEGIN = b"\x03\xb9\x01"
TRANSPONDER = 2078
CLOCK_S = 1.0
LOOK_MS = 200  # the kernel wakes nobody who waits at its end of a cable that is pulled


def report_descriptor() -> bytes:
    """Data reports 1 to 63 of as many bytes, in and out; feature reports 0x41 (1 byte) and 0x50 (8 bytes)."""
    head = bytes.fromhex("0600FF 0901 A101 1500 26FF00 7508")  # a vendor's page; bytes from 0 to 255
    data = b"".join(bytes((0x85, n, 0x95, n, 0x09, 1, 0x81, 2, 0x09, 1, 0x91, 2)) for n in range(1, 64))
    features = b"".join(
        bytes((0x85, number, 0x95, count, 0x09, 1, 0xB1, 2)) for number, count in ((0x41, 1), (0x50, 8))
    )
    return head + data + features + b"\xc0"


def clock_packet(now_ms: int) -> bytes:
    """`0B .. 83`, the time, four more bytes; the check byte is not documented."""
    return struct.pack("<BBBI4x", 0x0B, 0x5C, 0x83, now_ms)


def passing_packet(transponder: int, at_ms: int) -> bytes:
    """`0D .. 84`, transponder, time, hits, strength."""
    return struct.pack("<BBBIIBB", 0x0D, 0xBD, 0x84, transponder, at_ms, 85, 249)


class SimulatedEasylap:
    """The counter and its cable. `reports`: what the host has written, as far as it was read before the next."""

    def __init__(self) -> None:
        mount_configfs()
        load("dummy_hcd", "libcomposite", "usb_f_hid", "usbhid", "hid-generic")
        self.reports: list[bytes] = []
        self._sending, self._began_ns = threading.Lock(), 0
        self._pulled = threading.Event()
        self._threads: list[threading.Thread] = []
        if not GADGET.exists():
            make(GADGET, idVendor=VENDOR, idProduct=PRODUCT)
            make(GADGET / "strings/0x409", serialnumber=SERIAL, manufacturer="Robitronic", product="EasyLAP")
            function = make(
                GADGET / "functions/hid.usb0", protocol=0, subclass=0, report_length=REPORT_BYTES, no_out_endpoint=1
            )
            (function / "report_desc").write_bytes(report_descriptor())
            make(GADGET / "configs/c.1")
            (GADGET / "configs/c.1/hid.usb0").symlink_to(function)

    def plug(self) -> pathlib.Path:
        """The cable is plugged: the counter waits for its start. The path at which the machine has it."""
        self._began_ns = 0
        self._pulled.clear()
        (GADGET / "UDC").write_text("dummy_udc.0\n")
        wait_for(DEVICE)
        self._port = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
        self._begin(self._listen)
        return self.path()

    def path(self) -> pathlib.Path:
        """The path at which the machine has it now; udev has seen it by then. Raises TimeoutError."""
        wait_for(CLASS)
        end_s = time.monotonic() + 30.0
        while time.monotonic() < end_s:
            for each in CLASS.iterdir():
                if HID_ID in (each / "device/uevent").read_text():
                    return wait_for(pathlib.Path("/dev") / each.name)
            time.sleep(0.1)
        raise TimeoutError("the machine has no HID device with the counter's numbers")

    def unplug(self) -> None:
        """The cable is pulled, once nobody holds the counter's end: the kernel makes that anew when it is plugged."""
        self._pulled.set()
        while self._threads:
            self._threads.pop().join()
        os.close(self._port)
        self._began_ns = 0
        (GADGET / "UDC").write_text("\n")

    @property
    def has_begun(self) -> bool:
        """Was it started?"""
        return self._began_ns > 0

    def pass_car(self) -> int:
        """A car with the transponder drives over the loop; when, in milliseconds of the counter's own clock."""
        at_ms = self._now_ms()
        self._send(passing_packet(TRANSPONDER, at_ms))
        return at_ms

    def _now_ms(self) -> int:
        return (time.monotonic_ns() - self._began_ns) // 1_000_000

    def _begin(self, work: Callable[[], None]) -> None:
        """Starts a thread that ends when the cable is pulled."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _wait_for(self, event: int) -> None:
        """Until the port may be read or written, but not for long."""
        waiting = select.poll()
        waiting.register(self._port, event)
        waiting.poll(LOOK_MS)

    def _listen(self) -> None:
        """Reads what the host writes until the cable is pulled; the start starts the clock."""
        while not self._pulled.is_set():
            self._wait_for(select.POLLIN)
            try:
                report = os.read(self._port, 1 + REPORT_BYTES)
            except BlockingIOError:
                continue
            self.reports.append(report)
            if report[: 1 + len(BEGIN)] != bytes((len(BEGIN),)) + BEGIN:
                continue
            self._send(b"\x00")
            if not self.has_begun:
                self._began_ns = time.monotonic_ns()
                self._begin(self._tell_time)

    def _tell_time(self) -> None:
        while not self._pulled.is_set():
            self._send(clock_packet(self._now_ms()))
            self._pulled.wait(CLOCK_S)

    def _send(self, packet: bytes) -> None:
        """One report, padded as the bridge pads it, once the one before was taken; a pulled cable takes none."""
        report = (bytes((len(packet),)) + packet).ljust(REPORT_BYTES, b"\0")
        with self._sending:
            is_sent = False
            while not is_sent and not self._pulled.is_set():
                try:
                    is_sent = os.write(self._port, report) > 0
                except BlockingIOError:
                    self._wait_for(select.POLLOUT)
