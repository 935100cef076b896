"""A Pico on a simulated USB port: the kernel's ACM gadget, behind it the firmware as it is shipped. Used by scenarios.

`plug` and `unplug` do to the port what a hand does to the cable; each plug is a power-up, with a new boot of the gate.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

from tools.metal.guest.kernel_files import CONFIGFS, load, make, mount_configfs, wait_for

GADGET = CONFIGFS / "usb_gadget/pico"
CONTROL = pathlib.Path("/run/pico-pins")
BOARD = pathlib.Path("/run/pico-board.pid")
PORT = pathlib.Path("/dev/ttyACM0")
BY_ID = pathlib.Path("/dev/serial/by-id/usb-MicroPython_Board_in_FS_mode_e6614103e7452a2f-if00")
# As MicroPython's own USB descriptors have it.
VENDOR, PRODUCT, SERIAL = "0x2e8a", "0x0005", "e6614103e7452a2f"


class SimulatedPico:
    """The board and its cable, for whichever process asks: what is plugged is seen from the kernel's own files."""

    def __init__(self) -> None:
        mount_configfs()
        load("dummy_hcd", "libcomposite", "usb_f_acm")
        if not GADGET.exists():
            make(GADGET, idVendor=VENDOR, idProduct=PRODUCT)
            make(GADGET / "strings/0x409", serialnumber=SERIAL, manufacturer="MicroPython", product="Board in FS mode")
            make(GADGET / "functions/acm.usb0")
            make(GADGET / "configs/c.1")
            (GADGET / "configs/c.1/acm.usb0").symlink_to(GADGET / "functions/acm.usb0")

    def plug(self, firmware: pathlib.Path) -> None:
        """Power on: the board boots the firmware of this folder (main.py, gatewire.py); the machine finds its port."""
        (GADGET / "UDC").write_text("dummy_udc.0\n")
        CONTROL.unlink(missing_ok=True)
        wait_for(pathlib.Path("/dev/ttyGS0"))
        script = pathlib.Path(__file__).with_name("pico_board.py")
        command = [sys.executable, "-u", str(script), str(firmware), "/dev/ttyGS0", str(CONTROL)]
        board = subprocess.Popen(command, start_new_session=True)
        BOARD.write_text(str(board.pid))
        wait_for(PORT)
        wait_for(CONTROL)

    def unplug(self) -> None:
        """The cable is pulled: the port is gone, and the board has no power."""
        (GADGET / "UDC").write_text("\n")
        os.kill(int(BOARD.read_text()), signal.SIGKILL)

    def pull(self, pin: int, high: bool) -> None:
        """Sets the level at one of the board's pins (GP2 to GP5); the board stamps it when it sees it."""
        with CONTROL.open("w") as control:
            control.write(f"{pin} {int(high)}\n")

    def pulse(self, pin: int, width_s: float = 0.05) -> None:
        """A beam on this pin is broken for a while, as by a car."""
        self.pull(pin, high=False)
        time.sleep(width_s)
        self.pull(pin, high=True)
