"""The real pilot and the real trial have no network: the camera driver of another package tries from within."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from raceday.broker import RunningBroker
from tests.system.vehicle.test_processes import REST, Car, broker, station
from tests.vehicle.process.test_seccomp import needs_filter
from tests.vehicle.sample_parts import Station, config_text, pulses, write_model

__all__ = ["broker", "station"]  # fixtures of the processes' tests
pytestmark = [pytest.mark.slow, needs_filter]

SPY = """
import errno, json, os, pathlib, socket
from vehicle.hardware.cameras.mock import MockCamera

FOUND = pathlib.Path(__file__).with_name("found.json")

def tried(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def look():
    deeds = {
        "inet": lambda: socket.socket(socket.AF_INET).close(),
        "unix": lambda: socket.socket(socket.AF_UNIX).close(),
        "fork": lambda: os._exit(0) if not os.fork() else None,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "reopen": lambda: open("/dev/null", "rb").close(),
    }
    part = FOUND.with_suffix(".part")
    part.write_text(json.dumps({name: tried(deed) for name, deed in deeds.items()}))
    part.rename(FOUND)

class Spy(MockCamera):
    frames = 0

    def read(self, timeout_s):
        self.frames += 1
        if self.frames == 3:
            look()
        return super().read(timeout_s)

def main(arguments):
    look()
    return 0
"""
REFUSED = {"inet": "EACCES", "unix": "EACCES", "fork": "EACCES", "exec": "EACCES", "reopen": "done"}


def spy_package(folder: pathlib.Path) -> str:
    """Writes a package with a camera driver, as pip would install it."""
    about = folder / "spy-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "spy.py").write_text(SPY)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: spy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[raceday.cameras]\nspy = spy:Spy\n")
    return str(folder)


@pytest.mark.broker
def test_the_pilot_drives_without_network(tmp_path: pathlib.Path, broker: RunningBroker, station: Station) -> None:
    write_model(tmp_path / "model")
    car = Car(
        tmp_path, config_text(tmp_path, broker.port, 'driver = "spy"'), PYTHONPATH=spy_package(tmp_path / "package")
    )
    try:
        station.drive(throttle_percent=40)
        station.wait(lambda: any(t.throttle > 0.3 for t in station.telemetry))  # the model answers behind the filter
        assert json.loads((tmp_path / "package" / "found.json").read_text()) == REFUSED
        tasks = pathlib.Path(f"/proc/{car.child('pilot')}/task")
        for task in tasks.iterdir():
            status = (task / "status").read_text()
            assert "Seccomp:\t2" in status
            assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" not in pathlib.Path(f"/proc/{car.child('comms')}/status").read_text()
    finally:
        car.end()
        assert car.process.stderr is not None
        log = car.process.stderr.read()
        car.process.stderr.close()
    assert "pilot: The" not in log  # the pilot reported no problem with its sandbox
    assert pulses(tmp_path)[-1] == REST


def test_a_trial_has_none_either(tmp_path: pathlib.Path) -> None:
    words = "from vehicle.models import run_isolated as r; r.JOBS['spy'] = 'spy'; raise SystemExit(r.main(['spy']))"
    environment = os.environ | {"PYTHONPATH": spy_package(tmp_path / "package")}
    subprocess.run([sys.executable, "-c", words], env=environment, timeout=60, check=True)
    assert json.loads((tmp_path / "package" / "found.json").read_text()) == REFUSED
