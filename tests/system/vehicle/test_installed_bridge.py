"""A bridge as `raceday install bridge` leaves it, for real: its config, password, leash kit and certificate, beside a
mosquitto that wants certificates, before the mock console; and what the doctor then says of it.

The machine is a folder, so the paths of its config are moved there; all else is as it was written.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from raceday.broker import mosquitto_path
from raceday.certs.carried_file import place
from raceday.doctor.bridge_checks import BridgeProbes, bridge_findings
from raceday.doctor.installed import read_role
from raceday.doctor.machine_reader import ThisMachine
from raceday.install.bridges.bridge_plan import bridge_plan
from raceday.install.bridges.bridge_request import BridgeRequest
from raceday.install.facts import MachineFacts
from raceday.install.machine import Machine
from tests.secure_broker import NOW, SecureBroker
from tests.system.vehicle.bridge_rig import until
from vehicle.bridge.leash.raceday_leash import CALIBRATION
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.bridge.mock_console.server import MockConsoleServer
from vehicle.bridge.probe import models_of

pytestmark = [pytest.mark.slow, pytest.mark.broker]
KEY = "ab" * 32


@pytest.fixture
def broker() -> Iterator[SecureBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    running = SecureBroker(["station-1"])
    yield running
    running.end()


@pytest.fixture
def console(tmp_path: pathlib.Path) -> Iterator[MockConsoleServer]:
    root = tmp_path / "car"
    (root / CALIBRATION).parent.mkdir(parents=True)
    server = MockConsoleServer(MockConsole(MockCar(CarOutputs(root)), "stock"))
    server.start()
    yield server
    server.close()


def installed(folder: pathlib.Path, broker: SecureBroker, console_port: int) -> Machine:
    """A station's machine with the bridge of car-1, whose certificate was carried here."""
    for name, number in (("passwd", os.geteuid()), ("group", os.getegid())):
        (folder / "etc").mkdir(parents=True, exist_ok=True)
        (folder / "etc" / name).write_text(f"raceday:x:{number}:{number}::/:\n")
    machine = Machine(folder)
    place(broker.authority.issue("car", "car-1", NOW)[0], machine.path("/etc/raceday/tls"), None)
    station = f'name = "station-1"\n[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ncert = "/x"\n'
    certificates = frozenset({"car-1.pem", "car-1.key"})
    facts = MachineFacts(roles=("station",), configs={"station": station}, certificates=certificates)
    request = BridgeRequest(
        "car-1", console="127.0.0.1", port=console_port, is_leashed=True, password="deepracer", leash_key=KEY
    )
    for step in bridge_plan(request, facts).steps:
        step.do(machine)
    return machine


@contextlib.contextmanager
def killed(process: "subprocess.Popen[str]") -> Iterator[None]:
    """In here it runs, and afterwards it does not, whatever failed."""
    try:
        yield
    finally:
        process.kill()


@contextlib.contextmanager
def fitted_leash(machine: Machine, car: pathlib.Path, console_port: int) -> Iterator[int]:
    """The kit as it is carried to the car, run there as its unit runs it; gives its port."""
    kit = machine.path("/etc/raceday/leash-car-1")
    options = ["--key", str(kit / "raceday-leash.key"), "--root", str(car), "--host", "127.0.0.1", "--port", "0"]
    words = [sys.executable, str(kit / "raceday_leash.py"), "run", *options, "--console-port", str(console_port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as leash:
        assert leash.stdout is not None
        with killed(leash):
            yield int(leash.stdout.readline().rsplit(maxsplit=1)[1])


def moved(machine: Machine, leash_port: int) -> pathlib.Path:
    """The bridge's config with the paths and the port of this test."""
    text = machine.path("/etc/raceday/bridge-car-1.toml").read_text().replace("# port = 8017", f"port = {leash_port}")
    for folder in ("/etc/raceday", "/var/lib/raceday-bridge"):
        text = text.replace(f'"{folder}', f'"{machine.root}{folder}')
    path = machine.root / "bridge.toml"
    path.write_text(text)
    return path


def test_what_is_installed_is_a_car_at_a_broker_with_certificates(
    tmp_path: pathlib.Path, broker: SecureBroker, console: MockConsoleServer
) -> None:
    machine, station = installed(tmp_path / "machine", broker, console.port), broker.client("station-1")
    with (
        fitted_leash(machine, tmp_path / "car", console.direct_port) as leash_port,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        config = moved(machine, leash_port)
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        words = [sys.executable, "-m", "raceday", "bridge", "--config", str(config)]
        with subprocess.Popen(words, text=True, env=environment) as bridge, killed(bridge):
            while manager.recv(4096) != b"STATUS=disarmed, online":
                pass
            until(lambda: "raceday/cars/car-1/state" in station.topics)
            bridge.terminate()
            assert bridge.wait(60) == 0
        role = read_role(ThisMachine(), "car", str(config), bridge="car-1")
        found = {
            each.what: each
            for each in bridge_findings(
                ThisMachine(), role, None, is_running=False, probes=BridgeProbes(models=models_of)
            )
        }
    station.close()
    assert {what: each.seen for what, each in found.items() if not each.is_good} == {}
    assert list(found) == ["password file", f"console 127.0.0.1:{console.port}", "login", "leash's key", "leash"]
