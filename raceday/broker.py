"""The demo's MQTT broker on loopback: mosquitto where it is installed, the embedded amqtt otherwise.

A race in a hall runs mosquitto by itself with config/mosquitto.conf (TLS, certificates, ACL); this one is
for one machine and hears nobody else.
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
from shared.link.probe import answers

Kind = Literal["mosquitto", "amqtt"]
HOST = "127.0.0.1"
READY_S = 15.0
FREE_PORTS = 5  # a port that was free a moment ago may be another program's by now
STOP_S = 3.0
MAX_PACKET_BYTES = 16_384
_PR_SET_PDEATHSIG = 1

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
class Running:
    """A broker that answers."""

    process: subprocess.Popen[bytes]
    port: int
    kind: Kind

    def stop(self) -> None:
        """Ask it to end, then make it."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def mosquitto_path() -> str | None:
    """Debian keeps it in /usr/sbin, which is not on everybody's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def choose() -> Kind:
    """mosquitto when it is installed."""
    return "mosquitto" if mosquitto_path() else "amqtt"


def start_broker(
    run_dir: pathlib.Path, port: int = 0, kind: Kind | None = None, *, die_with_us: bool = False
) -> Running:
    """Start a broker and wait until it answers. `port` 0 is any free one. Raises OperatorError.

    Its log is `broker.log` in `run_dir`. The caller ends it; with `die_with_us` (main thread, Linux) so does
    the caller's own death, so that a killed wrapper leaves no broker on the port.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    kind = kind or choose()
    if port and taken(port):
        raise OperatorError(f"Port {port} is in use: stop the other program or choose another port for the broker.")
    preexec = _die_with_parent if die_with_us and sys.platform == "linux" else None
    for _ in range(1 if port else FREE_PORTS):
        running = _start(kind, run_dir, port or free_port(), preexec)
        if _came_up(running):
            return running
        is_hanging = running.process.poll() is None
        running.stop()
        if is_hanging:
            break
    raise OperatorError(f"The broker ({kind}) did not start; {run_dir / 'broker.log'} says why.")


def _start(kind: Kind, run_dir: pathlib.Path, port: int, preexec: Callable[[], None] | None) -> Running:
    with (run_dir / "broker.log").open("ab") as log:
        process = subprocess.Popen(
            _arguments(kind, run_dir, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=preexec,  # noqa: PLW1509  # one C call
        )
    return Running(process, port, kind)


def _came_up(running: Running) -> bool:
    until_s = time.monotonic() + READY_S
    while running.process.poll() is None and time.monotonic() < until_s:
        if answers(HOST, running.port):
            return running.process.poll() is None
        time.sleep(0.02)
    return False


def free_port() -> int:
    """A loopback port that nobody listens on now."""
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
    words = parser.parse_args(argv)
    kind: Kind = words.kind or choose()
    if not 0 <= words.port <= 65535:
        raise OperatorError(f"--port {words.port} is no port: give 0 to 65535.")
    if kind == "amqtt":
        return _embedded(words.port or free_port(), words.ready_file)
    with tempfile.TemporaryDirectory(prefix="raceday-broker-") as temporary:
        running = start_broker(words.run_dir or pathlib.Path(temporary), words.port, kind, die_with_us=True)
        try:
            _announce(running.port, words.ready_file)
            return running.process.wait()
        finally:
            running.stop()


def _arguments(kind: Kind, run_dir: pathlib.Path, port: int) -> list[str]:
    if kind == "amqtt":
        return [sys.executable, "-m", "raceday", "broker", "--kind", "amqtt", "--port", str(port)]
    path = mosquitto_path()
    if path is None:
        raise HardwareMissing("mosquitto is not installed: `apt install mosquitto`, or use --kind amqtt.")
    config = run_dir / "mosquitto.conf"
    # As root it would become the user mosquitto, which may not read our folder.
    user = "user root" if os.geteuid() == 0 else ""
    config.write_text(MOSQUITTO_CONF.format(port=port, host=HOST, max_packet=MAX_PACKET_BYTES, user=user))
    return [path, "-c", str(config)]


def taken(port: int) -> bool:
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
    """amqtt in this process. It speaks MQTT 3.1.1 only and has no ACL worth the name: loopback, demo."""
    if taken(port):
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
        broker = Broker(config)
        await broker.start()
        _announce(port, ready_file)
        try:
            await asyncio.Event().wait()
        finally:
            await broker.shutdown()

    asyncio.run(serve())
    return 0
