"""The demo's MQTT broker on loopback: mosquitto where it is installed, the embedded amqtt otherwise.

Called by the demo and by `raceday broker`. An event runs mosquitto by itself with config/mosquitto.conf (TLS,
certificates, ACL); this broker listens on loopback only.
"""

import argparse
import asyncio
import ctypes
import logging
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from shared.errors import HardwareMissing, OperatorError
from shared.files import write_ready_file
from shared.process.signals import wait_for_process

Kind = Literal["mosquitto", "amqtt"]
HOST = "127.0.0.1"
READY_S = 15.0
FREE_PORTS = 5  # attempts: another program may take a free port first
STOP_S = 3.0
MAX_PACKET_BYTES = 16_384
_PR_SET_PDEATHSIG = 1
# MQTT 3.1.1: CONNECT of a client "probe" with a clean session and a keep-alive of 5 s; the first byte of a CONNACK.
_CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x05\x00\x05probe"
_CONNACK = b"\x20"
_DISCONNECT = b"\xe0\x00"

MOSQUITTO_CONF = """\
# Written by raceday for one demo on this machine.
listener {port} {host}
allow_anonymous true
persistence false
max_packet_size {max_packet}
max_queued_messages 1000
set_tcp_nodelay true
connection_messages false
log_dest stderr
log_type error
log_type warning
{user}
"""


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """A broker process that answers."""

    process: subprocess.Popen[bytes]
    port: int
    kind: Kind

    def stop(self) -> None:
        """End the broker: SIGTERM, then SIGKILL after STOP_S."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def mosquitto_path() -> str | None:
    """The mosquitto program, also in folders that may not be on PATH: Debian installs it in /usr/sbin."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def choose() -> Kind:
    """mosquitto if it is installed, else amqtt."""
    return "mosquitto" if mosquitto_path() else "amqtt"


def start_broker(
    run_dir: pathlib.Path, port: int = 0, kind: Kind | None = None, *, die_with_us: bool = False
) -> RunningBroker:
    """Start a broker and wait until it answers. `port` 0 is any free one. Raises OperatorError.

    Its log is `broker.log` in `run_dir`. The caller ends it; with `die_with_us` (main thread, Linux) so does
    the caller's own death, so that a killed wrapper leaves no broker on the port.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    kind = kind or choose()
    if port and is_port_in_use(port):
        raise OperatorError(f"Port {port} is in use: stop the other program or choose another port for the broker.")
    preexec = _die_with_parent if die_with_us and sys.platform == "linux" else None
    for _ in range(1 if port else FREE_PORTS):
        running = _start(kind, run_dir, port or free_port(), preexec)
        if _wait_until_ready(running):
            return running
        is_hanging = running.process.poll() is None
        running.stop()
        if is_hanging:
            break
    raise OperatorError(f"The broker ({kind}) did not start; {run_dir / 'broker.log'} says why.")


def _start(kind: Kind, run_dir: pathlib.Path, port: int, preexec: Callable[[], None] | None) -> RunningBroker:
    with (run_dir / "broker.log").open("ab") as log:
        process = subprocess.Popen(
            _arguments(kind, run_dir, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=preexec,  # noqa: PLW1509  # one C call
        )
    return RunningBroker(process, port, kind)


def _wait_until_ready(running: RunningBroker) -> bool:
    until_s = time.monotonic() + READY_S
    while running.process.poll() is None and time.monotonic() < until_s:
        if is_broker_up(HOST, running.port):
            return running.process.poll() is None
        time.sleep(0.02)
    return False


def is_broker_up(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Does a broker at the address answer an MQTT 3.1.1 CONNECT, even with a refusal?

    The packet is written by hand (OASIS MQTT 3.1.1, section 3.1), since every broker speaks that version.
    """
    try:
        with socket.create_connection((host, port), timeout_s) as sock:
            sock.settimeout(timeout_s)
            sock.sendall(_CONNECT)
            answer = sock.recv(4)
            sock.sendall(_DISCONNECT)
    except OSError:
        return False
    return answer[:1] == _CONNACK


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def main(argv: list[str]) -> int:
    """`raceday broker`: run one in the foreground until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="raceday broker", description=__doc__)
    parser.add_argument("--port", type=int, default=1883, help="0: any free port (default 1883)")
    parser.add_argument("--kind", choices=get_args(Kind), help="default: mosquitto when it is installed")
    parser.add_argument("--run-dir", type=pathlib.Path, help="for its config and log; default: a temporary folder")
    parser.add_argument("--ready-file", type=pathlib.Path, help="written when the broker answers")
    chosen = parser.parse_args(argv)
    kind: Kind = chosen.kind or choose()
    if not 0 <= chosen.port <= 65535:
        raise OperatorError(f"--port {chosen.port} is not a port: give 0 to 65535.")
    if kind == "amqtt":
        return _embedded(chosen.port or free_port(), chosen.ready_file)
    with tempfile.TemporaryDirectory(prefix="raceday-broker-") as temporary:
        running = start_broker(chosen.run_dir or pathlib.Path(temporary), chosen.port, kind, die_with_us=True)
        try:
            _announce(running.port, chosen.ready_file)
            return wait_for_process(running.process)
        finally:
            running.stop()


def _arguments(kind: Kind, run_dir: pathlib.Path, port: int) -> list[str]:
    if kind == "amqtt":
        return [sys.executable, "-m", "raceday", "broker", "--kind", "amqtt", "--port", str(port)]
    path = mosquitto_path()
    if path is None:
        raise HardwareMissing("mosquitto is not installed: `apt install mosquitto`, or use --kind amqtt.")
    config = run_dir / "mosquitto.conf"
    # Started as root, mosquitto would switch to the user mosquitto, which may not read the folder.
    user = "user root" if os.geteuid() == 0 else ""
    config.write_text(MOSQUITTO_CONF.format(port=port, host=HOST, max_packet=MAX_PACKET_BYTES, user=user))
    return [path, "-c", str(config)]


def is_port_in_use(port: int) -> bool:
    """Does anything listen on this loopback port?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _announce(port: int, ready_file: pathlib.Path | None) -> None:
    url = f"mqtt://{HOST}:{port}"
    print(f"listening on {url}", flush=True)
    if ready_file is not None:
        write_ready_file(ready_file, url)


def _embedded(port: int, ready_file: pathlib.Path | None) -> int:
    """Runs amqtt in this process. It supports MQTT 3.1.1 only and no usable ACL, so it is for a demo on loopback."""
    if is_port_in_use(port):
        raise OperatorError(f"Port {port} is in use: stop the other program or choose another port for the broker.")
    try:
        from amqtt.broker import Broker  # noqa: PLC0415  # an extra, and slow to import
    except ImportError:
        raise HardwareMissing(
            "The embedded broker needs the Python package 'amqtt': install raceday[simulator], or install mosquitto."
        ) from None
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }

    async def serve() -> None:
        broker, asked = Broker(config), asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)  # wakes the loop, whenever it comes
        await broker.start()
        _announce(port, ready_file)
        try:
            await asked.wait()
        finally:
            await broker.shutdown()

    asyncio.run(serve())
    return 0
