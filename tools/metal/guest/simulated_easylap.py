"""An EasyLAP on a simulated USB port: the kernel's HID gadget with the reports of its bridge, a CP2110. For easylap.py.

A real USB device for the kernel, so that udev's rule sees its vendor and product. Sources: Silicon Labs AN434 (a data
report's number is its length, 1 to 63; feature reports 0x41 and 0x50 enable and configure the line), the kernel's
Documentation/usb/gadget_hid.rst and usb-gadget-hid of its ABI (`no_out_endpoint`: what the host writes comes by control
transfers, as the feature reports do), and for the packets station/gates/decoders/packet_protocols/robitronic.py.
"""

import os
import pathlib
import struct
import threading
import time

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
        (GADGET / "UDC").write_text("dummy_udc.0\n")
        wait_for(DEVICE)
        self._port = os.open(DEVICE, os.O_RDWR)
        threading.Thread(target=self._listen, args=(self._port,), daemon=True).start()
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
        """The cable is pulled."""
        (GADGET / "UDC").write_text("\n")
        self._began_ns = 0

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

    def _listen(self, port: int) -> None:
        """Reads what the host writes until the cable is pulled; the start starts the clock."""
        while True:
            try:
                report = os.read(port, 1 + REPORT_BYTES)
            except OSError:
                return
            self.reports.append(report)
            if report[: 1 + len(BEGIN)] != bytes((len(BEGIN),)) + BEGIN:
                continue
            self._send(b"\x00")
            if not self.has_begun:
                self._began_ns = time.monotonic_ns()
                threading.Thread(target=self._tell_time, daemon=True).start()

    def _tell_time(self) -> None:
        while self.has_begun:
            self._send(clock_packet(self._now_ms()))
            time.sleep(CLOCK_S)

    def _send(self, packet: bytes) -> None:
        """One report, padded as the bridge pads it; a pulled cable takes none."""
        with self._sending:
            try:
                os.write(self._port, (bytes((len(packet),)) + packet).ljust(REPORT_BYTES, b"\0"))
            except OSError:
                self._began_ns = 0
