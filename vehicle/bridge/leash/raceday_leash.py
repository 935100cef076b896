#!/usr/bin/env python3
"""The leash of a stock car: it lets the motor's pulses through only while the bridge holds it.

One file, for the Python 3.8 of the stock car and the standard library alone; run as root by raceday-leash.service. The
stock software has no watchdog: its servo node repeats the last pulse for ever, whoever died. This program cuts the
outputs (1 on the enable line, then neutral, then the console's own stop) when the bridge orders it, and half a second
after the newest of its own time stamps that came back from the bridge: what a stalled network delivers late carries old
stamps, so it holds nothing. It starts cut, and a cut ends only by a new release.

    raceday_leash.py run --key FILE      what the unit starts
    raceday_leash.py ended               what the unit runs when it ended: cut, unless it was stopped in order

The bridge imports the datagrams of this file, so that both ends speak one protocol. PWM and line as in servo_mgr.cpp
and pwm.cpp of aws-deepracer-servo-pkg; kernel files: Documentation/admin-guide/gpio/sysfs.rst, driver-api/pwm.rst; the
line's chip: drivers/pinctrl/intel/pinctrl-broxton.c (Apollo Lake).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import stat
import struct
import sys
import threading
import time
from typing import NamedTuple

PORT = 8017
CONSOLE_PORT = 5001
SILENCE_NS = 500_000_000
TICK_S = 0.02
NS_PER_S = 1_000_000_000
KEY_BYTES = 32
NO_NONCE = bytes(16)

_HOLD = struct.Struct(">4s16sQQQ3s")  # magic, nonce, stamp, number, release, light
_STATE = struct.Struct(">4s16sQQBIBB")  # magic, nonce, stamp, number echoed, state, motor, line, fault
_HOLD_MAGIC, _STATE_MAGIC = b"RDL1", b"RDS1"
_MAC = hashlib.sha256().digest_size
HOLD_BYTES, STATE_BYTES = _HOLD.size + _MAC, _STATE.size + _MAC

STATES = ("cut at start", "cut by the bridge", "cut by silence", "released")
RELEASED = 3
NO_LINE = 255
FAULTS = (
    "",
    "it finds no PWM chip of the motor",
    "it cannot write the motor's pulse",
    "it cannot write the enable line",
)

NEUTRAL_NS = 1_446_000  # of a stock car without a calibration of its own
CALIBRATION = "opt/aws/deepracer/calibration.json"
BIOS_VERSION = "sys/class/dmi/id/bios_version"
STOCK_BUS, PI_BUS = "0000:00:17.0", "/i2c-1/"
CHIPS = (STOCK_BUS, "/i2c-0/", PI_BUS)  # where the motor's chip is: stock 20.04, 24.04, a Raspberry Pi
LINES = ((512, 514), (434, 436))  # a gpio chip's first number, and the enable line on it: 24.04, 20.04
LINE_CHIP = "INT3452:00"  # the label of that chip. Other computers count from 512 too: 514 is the I2C bus of a Pi
LIGHT_CHANNELS = (2, 3, 4)
LIGHT_MOST_NS = 10_000_000


class Hold(NamedTuple):
    """The bridge's datagram: `release` is the number of the release that it wants to last, 0: cut.

    `nonce` and `stamp_ns` are the newest that came from the leash; `number` rises. `light`: red, green, blue, 0 to 255.
    """

    nonce: bytes
    stamp_ns: int
    number: int
    release: int
    light: bytes = bytes(3)

    def pack(self, key: bytes) -> bytes:
        """The datagram, signed."""
        body = _HOLD.pack(_HOLD_MAGIC, self.nonce, self.stamp_ns, self.number, self.release, self.light)
        return body + _mac(key, body)


class LeashState(NamedTuple):
    """The leash's answer: `state` indexes STATES, `fault` FAULTS; `motor_ns`, `line` as read back (NO_LINE: none)."""

    nonce: bytes
    stamp_ns: int
    number: int
    state: int
    motor_ns: int
    line: int
    fault: int

    def pack(self, key: bytes) -> bytes:
        """The datagram, signed."""
        body = _STATE.pack(
            _STATE_MAGIC, self.nonce, self.stamp_ns, self.number, self.state, self.motor_ns, self.line, self.fault
        )
        return body + _mac(key, body)


def read_hold(datagram: bytes, key: bytes) -> Hold | None:
    """The bridge's datagram; None if it is not one, or not signed with this key."""
    body = _checked(datagram, key, HOLD_BYTES)
    if body is None:
        return None
    magic, *fields = _HOLD.unpack(body)
    return Hold(*fields) if magic == _HOLD_MAGIC else None


def read_state(datagram: bytes, key: bytes) -> LeashState | None:
    """The leash's datagram; None if it is not one, or not signed with this key."""
    body = _checked(datagram, key, STATE_BYTES)
    if body is None:
        return None
    magic, *fields = _STATE.unpack(body)
    state = LeashState(*fields)
    if magic != _STATE_MAGIC or state.state >= len(STATES) or state.fault >= len(FAULTS):
        return None
    return state


def _checked(datagram: bytes, key: bytes, size: int) -> bytes | None:
    if len(datagram) != size:
        return None
    body, mac = datagram[:-_MAC], datagram[-_MAC:]
    return body if hmac.compare_digest(mac, _mac(key, body)) else None


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


class Leash:
    """When the outputs are let through: pure, times are ns of this machine's monotonic clock."""

    def __init__(self, nonce: bytes, silence_ns: int = SILENCE_NS) -> None:
        """`nonce`: of this start, so that datagrams of an earlier one count for nothing."""
        self.nonce = nonce
        self.state = 0
        self.light = bytes(3)
        self._silence_ns = silence_ns
        self._newest = (0, 0)  # stamp and number of the newest datagram that counted
        self._until_ns = 0
        self._release = 0
        self._used: set[int] = set()  # releases: each counts once
        self._ticked_ns = 0
        self.silent_ns = 0  # at the newest cut by silence: since the newest stamp, and since the tick before
        self.tick_ns = 0

    @property
    def is_released(self) -> bool:
        return self.state == RELEASED

    def on_hold(self, hold: Hold, now_ns: int) -> None:
        """Apply a datagram, if it answers a stamp of ours that is not too old, and is newer than the last."""
        fresh = hold.nonce == self.nonce and 0 <= now_ns - hold.stamp_ns <= self._silence_ns
        if not fresh or (hold.stamp_ns, hold.number) <= self._newest:
            return
        self._newest = (hold.stamp_ns, hold.number)
        self._until_ns = hold.stamp_ns + self._silence_ns
        self.light = hold.light
        if not hold.release:
            self.state = 1
        elif not self.is_released and hold.release not in self._used:
            self.state, self._release = RELEASED, hold.release
        elif self.is_released and hold.release != self._release:
            self.state = 1  # two bridges: neither
        self._used.add(hold.release)

    def tick(self, now_ns: int) -> None:
        """Cut when the bridge is silent for too long."""
        if self.is_released and now_ns > self._until_ns:
            self.state = 2
            self.silent_ns, self.tick_ns = now_ns - self._until_ns + self._silence_ns, now_ns - self._ticked_ns
        self._ticked_ns = now_ns

    def why_cut(self) -> str:
        """The state, and of a silence how long it was when it was noticed, and how long the tick before was ago."""
        cause = STATES[self.state]
        if self.state != 2:
            return cause
        silent_us, tick_us = self.silent_ns // 1000, self.tick_ns // 1000
        return f"{cause}: {silent_us} us after the newest stamp, {tick_us} us after the tick before"


class Outputs:
    """The motor's PWM channel, the enable line and the tail light, as files below `root` (/ on the car)."""

    def __init__(self, root: pathlib.Path) -> None:
        self.fault = 0
        self._root = root
        self._neutral_ns = 0  # 0: to be read, since the car may have been calibrated meanwhile
        self._chip = find_chip(root)
        self._line = find_line(root, self._chip)
        self._light = b""

    def cut(self) -> None:
        """The line, then neutral, whatever fails of it; cheap to repeat. The stock software undoes both.

        The line goes first, since a write to the chip may hang with its bus.
        """
        self.fault = 0
        if self._line is None:
            self._line = find_line(self._root, self._chip)
        was_open = self._line is not None and self.line != 1
        is_cut = self._line is None or not was_open or _write(self._line / "value", 1)
        self._neutral_ns = self._neutral_ns or neutral_ns(self._root)
        if was_open or self.motor_ns != self._neutral_ns:
            self._set_neutral()
        if not is_cut:
            self.fault = 3

    def release(self) -> None:
        """Let the pulses through, beginning with neutral; the next cut reads neutral anew."""
        self.fault = 0
        self._neutral_ns = neutral_ns(self._root)
        self._set_neutral()
        self._neutral_ns = 0
        if self._line is not None and not self.fault and not _write(self._line / "value", 0):
            self.fault = 3

    def show(self, light: bytes) -> None:
        """The tail light. It is no part of stopping: a channel that is not there stays dark."""
        if light == self._light or self._chip is None:
            return
        self._light = light
        for place, channel in enumerate(LIGHT_CHANNELS):
            file = self._chip / f"pwm{channel}" / "duty_cycle"
            if file.exists():
                _write(file, light[place] * LIGHT_MOST_NS // 255)

    def _set_neutral(self) -> None:
        if self._chip is None:
            self._chip = find_chip(self._root)
        if self._chip is None:
            self.fault = 1
        elif not _write(self._chip / "pwm0" / "duty_cycle", self._neutral_ns):
            self.fault = 2

    @property
    def motor_ns(self) -> int:
        """The pulse that the chip repeats, in ns; 0 if it cannot be read."""
        return 0 if self._chip is None else _read(self._chip / "pwm0" / "duty_cycle", 0)

    @property
    def line(self) -> int:
        """0: the outputs are on; 1: they are cut; NO_LINE: this car has none, or it cannot be read."""
        return NO_LINE if self._line is None else _read(self._line / "value", NO_LINE)


def find_chip(root: pathlib.Path) -> pathlib.Path | None:
    """The PWM chip of the motor, by the device that it hangs on; its number varies. None if there is none."""
    folder = root / "sys/class/pwm"
    for device in CHIPS:
        for chip in sorted(folder.glob("pwmchip*")):
            if device in os.path.realpath(chip) + "/":
                return chip
    return None


def find_line(root: pathlib.Path, chip: pathlib.Path | None) -> pathlib.Path | None:
    """The enable line, exported as an output if it was not; None on a car without one (a Raspberry Pi).

    A number alone is no line of ours: it must be one of the stock computer's own chip. `chip`: of the motor.
    """
    bus = "" if chip is None else os.path.realpath(chip) + "/"
    if PI_BUS in bus and STOCK_BUS not in bus:
        return None
    folder = root / "sys/class/gpio"
    for base, number in LINES:
        if _text(folder / f"gpiochip{base}" / "label") != LINE_CHIP:
            continue
        line = folder / f"gpio{number}"
        if not line.exists():
            _write(folder / "export", number)
        if line.exists():
            if _text(line / "direction") != "out":
                _write_text(line / "direction", "high")  # an output that begins with 1: cut
            return line
    return None


def neutral_ns(root: pathlib.Path) -> int:
    """The motor's pulse at rest, from the car's calibration; the stock figure if there is none that counts.

    As the servo node does it, a file without a `version` counts only on a car of before BIOS 0.0.8.
    """
    try:
        document = json.loads((root / CALIBRATION).read_text())
        inner = document["Calibration"]
        mid = inner["Motor"]["mid"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return NEUTRAL_NS
    if "version" not in inner and "version" not in document and not _has_early_bios(root):
        return NEUTRAL_NS
    return mid if type(mid) is int and 500_000 <= mid <= 2_500_000 else NEUTRAL_NS


def _has_early_bios(root: pathlib.Path) -> bool:
    found = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", _text(root / BIOS_VERSION))
    return found is not None and tuple(map(int, found.groups())) < (0, 0, 8)


def read_key(path: pathlib.Path) -> bytes:
    """The shared key: 64 hexadecimal digits in a file that only its owner reads. Exits with a sentence."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            sys.exit(f"{path}: others can read the key: chmod 600 it, and make a new one if they did.")
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: the key cannot be read ({error}): make one with `raceday bridge leash`.")
    if len(key) != KEY_BYTES:
        sys.exit(f"{path}: the key must be {2 * KEY_BYTES} hexadecimal digits.")
    return key


def stop_console(port: int, timeout_s: float = 2.0) -> str:
    """The console's own stop, through the port that asks for no password; "" if it confirmed, else why it did not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/login")
        page = connection.getresponse()
        token = re.search(rb'name="csrf-token" content="([^"]+)"', page.read())
        cookie = (page.getheader("Set-Cookie") or "").split(";")[0]
        if token is None:
            return "the console's page has no token"
        headers = {"X-CSRFToken": token.group(1).decode(), "Cookie": cookie, "Content-Type": "application/json"}
        connection.request("PUT", "/api/start_stop", json.dumps({"start_stop": "stop"}), headers)
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if isinstance(answer, dict) and answer.get("success") is True else "the console refused the stop"


class LeashService:
    """The socket, the outputs and the console around the pure `Leash`; runs until SIGTERM."""

    def __init__(
        self,
        key: bytes,
        outputs: Outputs,
        host: str,
        port: int = PORT,
        console_port: int = CONSOLE_PORT,
    ) -> None:
        self.leash = Leash(secrets.token_bytes(16))
        self._key = key
        self._outputs = outputs
        self._console_port = console_port
        self._stop_console = threading.Event()
        self._was_released = True  # so that the first tick stops the console too
        self.ended = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.socket.settimeout(TICK_S)

    def run(self) -> None:
        """Serve until `ended`, cut from the first moment on."""
        threading.Thread(target=self._keep_console_stopped, daemon=True).start()
        told_ns = -NS_PER_S
        while not self.ended.is_set():
            self.step()
            if time.monotonic_ns() - told_ns > NS_PER_S // 4:
                told_ns = time.monotonic_ns()
                notify("READY=1\nWATCHDOG=1")
        self._outputs.cut()
        self.socket.close()

    def step(self) -> None:
        """Take one datagram, if one comes within a tick, and bring the outputs to where they belong."""
        try:
            datagram, sender = self.socket.recvfrom(2 * HOLD_BYTES)
        except OSError:
            datagram, sender = b"", None
        hold = read_hold(datagram, self._key) if datagram else None
        now_ns = time.monotonic_ns()
        if hold is not None:
            self.leash.on_hold(hold, now_ns)
        self.leash.tick(now_ns)
        self._apply()
        if hold is not None and sender is not None:
            self._answer(hold, sender, now_ns)

    def _apply(self) -> None:
        released = self.leash.is_released
        if not released:
            self._outputs.cut()
        elif not self._was_released:
            self._outputs.release()
        if self._was_released and not released:
            say(self.leash.why_cut())
            self._stop_console.set()
        self._was_released = released
        self._outputs.show(self.leash.light)

    def _answer(self, hold: Hold, sender: tuple[str, int], now_ns: int) -> None:
        outputs = self._outputs
        state = LeashState(
            self.leash.nonce, now_ns, hold.number, self.leash.state, outputs.motor_ns, outputs.line, outputs.fault
        )
        try:
            self.socket.sendto(state.pack(self._key), sender)
        except OSError as error:
            say(f"no answer to {sender[0]}: {error}")

    def _keep_console_stopped(self) -> None:
        """After each cut: the console's stop, in a thread of its own, since it may hang for ten seconds."""
        while True:
            self._stop_console.wait()
            self._stop_console.clear()
            if not self.leash.is_released and (why := stop_console(self._console_port)):
                say(f"the console did not stop: {why}")


def say(sentence: str) -> None:
    """One sentence for the journal."""
    sys.stdout.write(f"raceday-leash: {sentence}\n")
    sys.stdout.flush()


def notify(state: str) -> None:
    """Tell systemd (sd_notify(3)); nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    # A systemd that is busy or restarts must not hold up a cut: what is lost is said again in a quarter of a second.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        place = "\0" + address[1:] if address[0] == "@" else address
        systemd.sendto(state.encode(), socket.MSG_DONTWAIT, place)


_failing: set[str] = set()  # files that could not be written: said once, though tried 50 times a second


def _write(file: pathlib.Path, value: int) -> bool:
    return _write_text(file, str(value))


def _write_text(file: pathlib.Path, text: str) -> bool:
    try:
        file.write_text(text + "\n")
    except OSError as error:
        if str(file) not in _failing:
            _failing.add(str(file))
            say(f"{file} cannot be written: {error.strerror}")
        return False
    _failing.discard(str(file))
    return True


def _text(file: pathlib.Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _read(file: pathlib.Path, otherwise: int) -> int:
    text = _text(file)
    return int(text) if text.isdigit() else otherwise


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="raceday_leash.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("run", "ended"))
    parser.add_argument("--key", type=pathlib.Path, default=pathlib.Path("/etc/raceday-leash.key"))
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--console-port", type=int, default=CONSOLE_PORT)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), help="where /sys and /opt are")
    parsed = parser.parse_args(arguments)
    outputs = Outputs(parsed.root)
    if parsed.what == "ended":
        return _ended(outputs, parsed.console_port, os.environ.get("SERVICE_RESULT", ""))
    key = read_key(parsed.key)
    service = LeashService(key, outputs, parsed.host, parsed.port, parsed.console_port)
    signal.signal(signal.SIGTERM, lambda *_: service.ended.set())
    say(f"listens on UDP port {service.socket.getsockname()[1]}")
    service.run()
    return 0


def _ended(outputs: Outputs, console_port: int, result: str) -> int:
    """The unit ended. Stopped in order, the car is given back, once its console has stopped too; else it stays cut."""
    outputs.cut()
    if result != "success":
        return 0
    why = stop_console(console_port)
    if why:
        say(f"the outputs stay cut, since the console did not stop: {why}")
        return 1
    outputs.release()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
