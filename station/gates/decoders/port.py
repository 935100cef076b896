"""Opens ports by a path or URL, as in pyserial: `/dev/ttyUSB0`, `socket://host:port`, `rfc2217://`, `loop://`.

Also opens the USB bridge that is not a serial port, `cp2110:///dev/hidraw0` (hid_port.py), and a ZeroMQ publisher,
`zmq://host:5556` (zmq_port.py).
"""

import socket
import termios
import urllib.parse

import serial
from serial.urlhandler import protocol_socket

from shared.errors import ConfigError, HardwareMissing
from shared.text import text
from station.gates.decoders.hid_port import SCHEME, HidPort
from station.gates.decoders.zmq_port import SCHEME as ZMQ_SCHEME
from station.gates.decoders.zmq_port import ZmqPort

READ_S = 0.05
FORM = {"8N1": (8, "N", 1), "7N2": (7, "N", 2), "7E1": (7, "E", 1), "8E1": (8, "E", 1), "8N2": (8, "N", 2)}
TRY = text("try /dev/serial/by-id/... (`raceday gate list`) or socket://host:port")
PORT_ERRORS = (serial.SerialException, OSError, termios.error)

# Texts in the errors of pyserial and the operating system -> what to do. The first match counts.
WHY = (
    (
        ("returned no data", "disconnected", "Input/output error"),
        text("the device is gone; check its cable and its power."),
    ),
    (("Permission denied",), text("permission denied; add this user to the group `dialout` and log in again.")),
    (("no ZeroMQ publisher",), text("what answers there publishes nothing by ZeroMQ; check the port number.")),
    (("takes no requests",), text("a ZeroMQ publisher only sends; with zmq:// the protocol is openstint.")),
    (("not a CP2110",), text("it is another HID device; `ls -l /sys/class/hidraw` names those of this machine.")),
    (("exclusively lock",), text("another program is reading it; stop that one first.")),
    (
        ("ioctl", "Is a directory"),
        text("it is not a serial port; `raceday gate list` names those of this machine."),
    ),
    (
        ("No such file",),
        text("it is not there; plug it in, or see `raceday gate list` for the ports of this machine."),
    ),
    (
        ("refused", "timed out", "No route"),
        text("nothing answers there; check that the decoder is on, its cable and its address."),
    ),
    (("not known", "name resolution"), text("no machine of this name is known; check the name, or give its address.")),
    # Without a port number, pyserial compares None with numbers.
    (("'<='",), text("its host or its port number is missing; write it as socket://192.168.1.10:5403.")),
)


class TcpPort(protocol_socket.Serial):
    """pyserial's `socket://`, except that opening it does not discard what a decoder sends as soon as one connects."""

    _socket: socket.socket | None

    def reset_input_buffer(self) -> None:
        """Discards nothing: pyserial calls this when it opens the port."""

    def close(self) -> None:
        """Closes the socket even if the peer is gone (pyserial would leave it open), and without pyserial's pause."""
        if self.is_open and self._socket is not None:
            self._socket.close()
            self._socket = None
        self.is_open = False


Port = serial.Serial | TcpPort | HidPort | ZmqPort


def open_port(url: str, baud: int, form: str = "8N1") -> Port:
    """Opens a port; its reads have a short timeout. `form`: a key of FORM.

    Raises HardwareMissing if it cannot be opened now, ConfigError for a URL of an unknown kind.
    """
    bytesize, parity, stopbits = FORM[form]
    url = f"socket://{url.removeprefix('tcp://')}" if url.startswith("tcp://") else url
    if url.startswith(SCHEME):
        return _hid(url, baud, form)
    if url.startswith(ZMQ_SCHEME):
        return _zmq(url)
    try:
        port = TcpPort() if url.startswith("socket://") else serial.serial_for_url(url, do_not_open=True)
        port.baudrate, port.bytesize, port.parity, port.stopbits = baud, bytesize, parity, stopbits
        if isinstance(port, TcpPort):
            port.port = url
        port.timeout, port.write_timeout = READ_S, 1.0
        if "://" not in url:
            port.exclusive = True  # two readers would each get half of the bytes
        port.open()
    except PORT_ERRORS as error:
        raise HardwareMissing(f"{url}: cannot be opened: {why(error)}") from None
    except ValueError as error:
        raise ConfigError(f"{url} is not a known kind of port ({error}); {TRY}.") from None
    return port


def _hid(url: str, baud: int, form: str) -> HidPort:
    try:
        return HidPort(url.removeprefix(SCHEME), baud, FORM[form], READ_S)
    except OSError as error:
        raise HardwareMissing(f"{url}: cannot be opened: {why(error)}") from None


def _zmq(url: str) -> ZmqPort:
    host, port = _zmq_address(url)
    try:
        return ZmqPort(host, port, READ_S)
    except OSError as error:
        raise HardwareMissing(f"{url}: cannot be opened: {why(error)}") from None


def _zmq_address(url: str) -> tuple[str, int]:
    """Host and port number of `zmq://host:port`. Raises ConfigError."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port number that is none, or half an IPv6 address
        host = port = None
    if not host or not port or url.rpartition(":")[2] != str(port):
        raise ConfigError(f"{url} is not the address of a ZeroMQ publisher; write it as zmq://192.168.1.60:5556.")
    return host, port


def check_url(url: str) -> None:
    """Checks the form of a port's URL, without opening it. Raises ConfigError."""
    if url.startswith(SCHEME):
        if not url.removeprefix(SCHEME).startswith("/"):
            raise ConfigError(f"{url} is not a known kind of port; write the bridge as cp2110:///dev/hidraw0.")
        return
    if url.startswith(ZMQ_SCHEME):
        _zmq_address(url)
        return
    try:
        serial.serial_for_url(url, do_not_open=True)
    except PORT_ERRORS:
        return  # some look for their device already; it may come later
    except ValueError as error:
        raise ConfigError(f"{url} is not a known kind of port ({error}); {TRY}.") from None


def why(error: Exception) -> str:
    """What a port's error means and what to do, to end a sentence; the error's own text if it is an unknown one."""
    reported = str(error)
    found = next((sentence for signs, sentence in WHY if any(sign in reported for sign in signs)), None)
    return found or reported.rstrip(".") + "."
