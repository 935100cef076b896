"""A stock car on loopback: the mock console, its car in a folder of kernel files, bridge and leash as processes.

`LEASH_PYTHON` in the environment names the interpreter of the leash: the stock car's is 3.8.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

from shared.units import NS_PER_S
from vehicle.bridge.leash.raceday_leash import CALIBRATION
from vehicle.bridge.leash_kit import write_kit
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import ConsoleVersion, MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.bridge.mock_console.server import MockConsoleServer
from vehicle.bridge.secret_files import write_secret

CONFIG = """
device = "car-1"
[console]
host = "127.0.0.1"
port = {console}
password_file = "password"
certificate_file = "certificate"
model = "Sample_single_cam"
throttle_percent = 40
[leash]
{leash}
[mqtt]
port = {broker}
"""


def until(true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until the condition holds."""
    until_s, never = time.monotonic() + timeout_s, threading.Event()
    while not true():
        assert time.monotonic() < until_s, "it did not happen"
        never.wait(0.002)


class StockCarRig:
    """`outputs` say whether the car moves; `bridge` and `leash` are processes, None while they do not run."""

    def __init__(
        self,
        folder: pathlib.Path,
        broker_port: int,
        version: ConsoleVersion,
        *,
        is_leashed: bool,
        shows_log: bool = True,
    ) -> None:
        self.folder = folder
        self.root = folder / "root"
        (self.root / CALIBRATION).parent.mkdir(parents=True)
        self.outputs = CarOutputs(self.root)
        self.console = MockConsole(MockCar(self.outputs, load_ns=NS_PER_S // 5), version)
        self.server = MockConsoleServer(self.console)
        self.server.start()
        self.bridge: subprocess.Popen[str] | None = None
        self.leash: subprocess.Popen[str] | None = None
        self.log = folder / "bridge.log"
        self.log.touch()
        self._shows_log = shows_log
        # In systemd's place: it gets the line that `systemctl status` shows.
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._manager.bind(f"\0raceday-{id(self)}-{os.getpid()}")
        self._status = ""
        self.lines: list[str] = []  # of the leash
        write_secret(folder / "password", "deepracer")
        leash = f'key_file = "kit/raceday-leash.key"\nport = {self._start_leash()}' if is_leashed else ""
        self.config = folder / "bridge.toml"
        self.config.write_text(CONFIG.format(console=self.server.port, broker=broker_port, leash=leash))

    def start_bridge(self) -> None:
        words = [sys.executable, "-m", "raceday", "bridge", "--config", str(self.config)]
        with self.log.open("a") as log:
            environment = os.environ | {"NOTIFY_SOCKET": f"@raceday-{id(self)}-{os.getpid()}"}
            self.bridge = subprocess.Popen(words, stderr=log, text=True, env=environment)

    @property
    def status(self) -> str:
        """The last line that the bridge told its service manager."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._status = self._manager.recv(4096).decode().removeprefix("STATUS=")
        return self._status

    def kill_bridge(self) -> int:
        """`kill -9`; returns when, on the monotonic clock."""
        assert self.bridge is not None
        self.bridge.send_signal(signal.SIGKILL)
        killed_ns = time.monotonic_ns()
        self.bridge.wait()
        self.bridge = None
        return killed_ns

    def stop_bridge(self) -> int:
        """In order; returns the exit code."""
        assert self.bridge is not None
        self.bridge.send_signal(signal.SIGTERM)
        code = self.bridge.wait(60)
        self.bridge = None
        return code

    def close(self) -> None:
        for process in (self.bridge, self.leash):
            if process is not None:
                process.kill()
                process.wait()
        if self.leash is not None and self.leash.stdout is not None:
            self._reader.join()
            self.leash.stdout.close()
        self.server.close()
        self._manager.close()
        if self._shows_log:  # by pytest, beside a failure
            sys.stdout.write(self.log.read_text())

    def _start_leash(self) -> int:
        """The leash as the car would run it, from the kit; returns its port."""
        program, _, key = write_kit(self.folder / "kit")
        python = os.environ.get("LEASH_PYTHON", sys.executable)
        options = {"--key": key, "--root": self.root, "--host": "127.0.0.1", "--port": 0}
        words = [str(word) for option in options.items() for word in option]
        words += ["--console-port", str(self.server.direct_port)]
        self.leash = subprocess.Popen([python, str(program), "run", *words], stdout=subprocess.PIPE, text=True)
        assert self.leash.stdout is not None
        port = int(self.leash.stdout.readline().rsplit(maxsplit=1)[1])
        self._reader = threading.Thread(target=self._read, args=(self.leash.stdout,))
        self._reader.start()
        return port

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self.lines.append(line.strip())
