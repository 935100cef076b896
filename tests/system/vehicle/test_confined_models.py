"""The real pilot and the real trial reach nothing that is not theirs: a stranger's driver tries from within."""

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
import errno, json, os, pathlib, signal, socket, sys
from vehicle.hardware.cameras.mock import MockCamera

def tried(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

DATA, GUARD = os.environ["SPIED_ON"], os.getppid()

def opened(name, flags=os.O_RDONLY):
    return lambda: os.close(os.open(os.path.join(DATA, name), flags, 0o600))

def look():
    deeds = {
        "inet": lambda: socket.socket(socket.AF_INET).close(),
        "unix": lambda: socket.socket(socket.AF_UNIX).close(),
        "fork": lambda: os._exit(0) if not os.fork() else None,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "stop the guard": lambda: os.kill(GUARD, signal.SIGSTOP),
        "stop the group": lambda: os.kill(0, signal.SIGSTOP),
        "the guard's memory": opened(f"/proc/{GUARD}/mem", os.O_RDWR),
        "the guard's environment": opened(f"/proc/{GUARD}/environ"),
        "key": opened("mqtt.key"),
        "sessions": opened("console.json"),
        "config": opened("vehicle.toml"),
        "other model": opened("another/model.onnx"),
        "laps": opened("outbox.db", os.O_RDWR | os.O_CREAT),
        "write": opened("new", os.O_WRONLY | os.O_CREAT),
        "code": opened("numpy.py", os.O_WRONLY | os.O_CREAT),
        "reopen": opened("/dev/null", os.O_RDWR),
        "own model": opened("model/model.onnx"),
    }
    return json.dumps({name: tried(deed) for name, deed in deeds.items()})

class Spy(MockCamera):
    frames = 0

    def read(self, timeout_s):
        self.frames += 1
        if self.frames == 3:
            os.write(2, b"spy: " + look().encode() + b"\\n")
        return super().read(timeout_s)

def main(arguments):
    print(look())
    return 0
"""
ALLOWED = {"reopen", "own model"}
SECRETS = ("vehicle.toml", "mqtt.key", "console.json", "another/model.onnx")


def spy_package(folder: pathlib.Path) -> str:
    """Writes a package with a camera driver, as pip would install it."""
    about = folder / "spy-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "spy.py").write_text(SPY)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: spy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[raceday.cameras]\nspy = spy:Spy\n")
    return str(folder)


def secrets(folder: pathlib.Path) -> str:
    """Writes what nobody's model may read; returns the folder, as an environment variable."""
    for name in SECRETS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("secret")
    return str(folder)


def came_off(line: str) -> set[str]:
    """Which deeds of the spy did, of its line of JSON."""
    return {name for name, how in json.loads(line).items() if how not in ("EACCES", "EPERM")}


@pytest.mark.broker
def test_the_pilot_drives_and_reaches_nothing_but_its_model_and_camera(
    tmp_path: pathlib.Path, broker: RunningBroker, station: Station
) -> None:
    write_model(tmp_path / "model")
    car = Car(
        tmp_path,
        config_text(tmp_path, broker.port, 'driver = "spy"'),
        PYTHONPATH=spy_package(tmp_path / "package"),
        SPIED_ON=secrets(tmp_path),
    )
    try:
        station.drive(throttle_percent=40)
        station.wait(lambda: any(t.throttle > 0.3 for t in station.telemetry))  # the model answers behind the filter
        tasks = pathlib.Path(f"/proc/{car.child('pilot')}/task")
        for task in tasks.iterdir():
            status = (task / "status").read_text()
            assert "Seccomp:\t2" in status
            assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" not in pathlib.Path(f"/proc/{car.child('comms')}/status").read_text()
        scores = [int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in _family(car)]
        assert scores[0] < scores[1] < scores[2]  # when memory is short: the pilot, then comms, then the guard
    finally:
        car.end()
        assert car.process.stderr is not None
        log = car.process.stderr.read()
        car.process.stderr.close()
    (found,) = [line.removeprefix("spy: ") for line in log.splitlines() if line.startswith("spy: ")]
    assert came_off(found) == ALLOWED
    assert "pilot: The" not in log  # the pilot reported no problem with its sandbox
    assert pulses(tmp_path)[-1] == REST


def _family(car: Car) -> tuple[int, int, int]:
    return car.process.pid, car.child("comms"), car.child("pilot")


def test_a_trial_reaches_no_more(tmp_path: pathlib.Path) -> None:
    words = (
        "from vehicle.models import run_isolated as r; r.JOBS['spy'] = 'spy'; r._READ['spy'] = (0,);"
        f"raise SystemExit(r.main(['spy', {str(tmp_path / 'model')!r}]))"
    )
    write_model(tmp_path / "model")
    package, own = spy_package(tmp_path / "package"), tmp_path / "own"
    own.mkdir()
    environment = {"PYTHONPATH": package, "SPIED_ON": secrets(tmp_path), "TMPDIR": str(own)}
    told = subprocess.run(
        [sys.executable, "-c", words], env=os.environ | environment, timeout=60, check=True, capture_output=True
    )
    assert came_off(told.stdout.decode()) == ALLOWED
