"""Facts of a machine and a request become a plan: the steps of each role on the machines that there are."""

import contextlib
import dataclasses
import pathlib
import tomllib
from typing import Any

import pytest

from raceday.install.certificates import PlaceCertificates
from raceday.install.facts import MachineFacts, refusal
from raceday.install.machine_files.broker_files import DROP_IN
from raceday.install.plan import InstallPlan, install_plan
from raceday.install.releases.program_wheel import ProgramWheel
from raceday.install.releases.release import MakeRelease
from raceday.install.request import AccessPoint, GateRequest, InstallRequest
from raceday.install.role_steps import TakeOver
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import (
    DisableService,
    EnableService,
    MakeLink,
    RemoveFile,
    ReplaceLines,
    WriteConfig,
    WriteFile,
)
from shared.errors import OperatorError

PROGRAM = ProgramWheel(pathlib.Path("raceday-0.1.0-py3-none-any.whl"), "0.1.0", "0123abcd", dict.fromkeys(ROLES, ""))
PI = MachineFacts(groups=frozenset({"gpio", "i2c", "video", "dialout"}), modules=frozenset({"cdc_acm", "i2c_dev"}))
PLAIN_DEBIAN = MachineFacts(processor="x86_64", groups=frozenset({"video", "dialout"}))
STOCK_CAR = MachineFacts(system="Ubuntu 24.04", processor="x86_64", python_version=(3, 12), has_stock_core=True)
ALL_CERTIFICATES = frozenset({"ca.pem", "crl.pem", "broker.pem", "broker.key", "station-1.pem", "station-1.key"})


def plan(request: InstallRequest, facts: MachineFacts = PI) -> InstallPlan:
    return install_plan(request, facts, MakeRelease(PROGRAM, (request.role,), facts.python, facts.python_version, None))


def written(made: InstallPlan) -> dict[str, str]:
    return {step.path: step.text for step in made.steps if isinstance(step, WriteFile | WriteConfig)}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ""),
        ({"processor": "x86_64", "python_version": (3, 13)}, ""),
        ({"python_version": (3, 10)}, "this machine has 3.10"),
        ({"python_version": (3, 8)}, "this machine has 3.8"),
        ({"python_version": (3, 14)}, "this machine has 3.14"),
        ({"bits": 32}, "a 32-bit system on aarch64"),
        ({"processor": "armv7l", "bits": 32}, "a 32-bit system on armv7l"),
        ({"processor": "armv7l"}, "this is armv7l"),
        ({"processor": "i686", "bits": 32}, "a 32-bit system on i686"),
        ({"processor": "riscv64"}, "this is riscv64"),
    ],
)
def test_a_machine_that_cannot_run_it_hears_so_in_one_sentence(facts: dict[str, Any], words: str) -> None:
    said = refusal(dataclasses.replace(PI, **facts))
    assert words in said
    assert "\n" not in said
    assert bool(said) == bool(words)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("facts", [PI, PLAIN_DEBIAN, STOCK_CAR])
def test_no_group_is_named_that_the_machine_lacks(role: Role, facts: MachineFacts) -> None:
    made = plan(InstallRequest(role, gates=(GateRequest("gpio", (17,)),)), facts)
    for text in written(made).values():
        named = {
            word for line in text.splitlines() if line.startswith("SupplementaryGroups=") for word in line[20:].split()
        }
        assert named <= facts.groups


def test_a_station_with_a_gpio_gate_on_a_pi() -> None:
    made = plan(InstallRequest("station", gates=(GateRequest("gpio", (17, 27)),)))
    files = written(made)
    assert made.services == ("raceday-station.service",)
    assert "DeviceAllow=char-gpiochip rw" in files["/etc/systemd/system/raceday-station.service.d/devices.conf"]
    assert "SupplementaryGroups=gpio\n" in files["/etc/systemd/system/raceday-station.service.d/devices.conf"]
    assert 'GROUP="gpio"' in files["/etc/udev/rules.d/99-raceday-station.rules"]
    assert "listener 1883 127.0.0.1" in files["/etc/mosquitto/conf.d/raceday.conf"]
    assert "raceday-sync.service" not in str([step for step in made.steps if isinstance(step, EnableService)])
    assert any("raceday certs init" in note for note in made.notes)


def test_a_config_that_is_there_decides_and_not_what_is_asked() -> None:
    config = '[[gate]]\nname = "start"\ndriver = "pico"\n[gate.options]\nport = "/dev/ttyACM0"\n'
    facts = dataclasses.replace(PI, configs={"station": config})
    made = plan(InstallRequest("station", gates=(GateRequest("gpio", (17,)),)), facts)
    drop_in = written(made)["/etc/systemd/system/raceday-station.service.d/devices.conf"]
    assert "char-ttyACM" in drop_in
    assert "gpiochip" not in drop_in
    assert written(made)["/etc/modules-load.d/raceday-station.conf"].splitlines()[1:] == ["cdc_acm"]
    assert any("is there already and stays" in note for note in made.notes)


def test_a_drop_in_that_is_needed_no_more_is_removed() -> None:
    facts = dataclasses.replace(PI, configs={"station": 'gate = [{name = "start", driver = "mock"}]'})
    removed = {step.path for step in plan(InstallRequest("station"), facts).steps if isinstance(step, RemoveFile)}
    assert "/etc/systemd/system/raceday-station.service.d/devices.conf" in removed


def test_sync_starts_once_there_is_a_leaderboard() -> None:
    facts = dataclasses.replace(PI, configs={"station": '[sync]\nleaderboard_url = "https://b.example"'})
    assert plan(InstallRequest("station"), facts).services == ("raceday-station.service", "raceday-sync.service")


def test_certificates_open_the_broker_and_change_the_table_that_is_as_it_was_shipped() -> None:
    made = plan(InstallRequest("station"), dataclasses.replace(PI, certificates=ALL_CERTIFICATES))
    assert not [step for step in made.steps if isinstance(step, ReplaceLines)]
    conf = written(made)["/etc/mosquitto/conf.d/raceday.conf"]
    assert "\nlistener 8883\n" in conf
    assert "\ncrlfile /etc/raceday/tls/crl.pem\n" in conf
    assert "port = 8883" in written(made)["/etc/raceday/station.toml"]
    assert written(made)["/etc/systemd/system/mosquitto.service.d/raceday.conf"] == DROP_IN
    assert "user station-1\n" in written(made)["/etc/raceday/acl"]
    plain = written(plan(InstallRequest("station")))["/etc/raceday/station.toml"]
    later = dataclasses.replace(PI, certificates=ALL_CERTIFICATES, configs={"station": plain})
    (change,) = [step for step in plan(InstallRequest("station"), later).steps if isinstance(step, ReplaceLines)]
    assert change.old in plain
    assert plain.replace(change.old, change.new) == written(made)["/etc/raceday/station.toml"]


HALL = frozenset({"ca.pem", "crl.pem", "broker.pem", "broker.key", "hall-2.pem", "hall-2.key"})


def test_bridges_that_certificates_shut_out_are_said() -> None:
    bridges = {"car-1": "[mqtt]\nport = 1883\n", "car-2": '[mqtt]\nport = 8883\ncert = "/x"\n', "car-3": "[[["}
    made = plan(InstallRequest("station"), dataclasses.replace(PI, certificates=ALL_CERTIFICATES, bridges=bridges))
    (note,) = [note for note in made.notes if "the bridge of" in note]
    assert "sudo raceday install bridge car-1 --certs car-1.raceday-certs" in note
    plain = plan(InstallRequest("station"), dataclasses.replace(PI, bridges=bridges))
    assert not [note for note in plain.notes if "the bridge of" in note]


def test_a_station_keeps_the_name_of_its_config_and_its_broker_open() -> None:
    config = written(plan(InstallRequest("station", name="hall-2"), dataclasses.replace(PI, certificates=HALL)))
    text = config["/etc/raceday/station.toml"]
    assert 'name = "hall-2"' in text
    again = written(
        plan(InstallRequest("station"), dataclasses.replace(PI, certificates=HALL, configs={"station": text}))
    )
    assert "\nlistener 8883\n" in again["/etc/mosquitto/conf.d/raceday.conf"]
    assert "user hall-2\n" in again["/etc/raceday/acl"]


@pytest.mark.parametrize("config", ['name = "hall-2"', "", 'name = "station-1"'])
@pytest.mark.parametrize(
    "request_", [InstallRequest("station", certs="hall-3"), InstallRequest("station", name="hall-3")]
)
def test_another_name_than_the_configs_is_refused(config: str, request_: InstallRequest) -> None:
    facts = dataclasses.replace(PI, configs={"station": config} if config else {})
    with pytest.raises(OperatorError, match="by `name` in") if config else contextlib.nullcontext():
        plan(request_, facts)


@pytest.mark.parametrize(("broker", "host"), [("", "station-1.local"), ("10.42.0.1", "10.42.0.1")])
def test_a_car_that_gets_its_certificates_later_uses_them_at_the_broker_that_it_has(broker: str, host: str) -> None:
    plain = written(plan(InstallRequest("car", name="car-1", broker="station-1.local")))["/etc/raceday/vehicle.toml"]
    assert 'host = "station-1.local"\nport = 1883\n' in plain
    made = plan(InstallRequest("car", broker=broker, certs="car-1"), dataclasses.replace(PI, configs={"car": plain}))
    (change,) = [step for step in made.steps if isinstance(step, ReplaceLines)]
    mqtt = tomllib.loads(plain.replace(change.old, change.new))["mqtt"]
    assert (mqtt["host"], mqtt["port"], mqtt["cert"]) == (host, 8883, "/etc/raceday/tls/car-1.pem")
    changed: dict[Role, str] = {"car": plain.replace(change.old, change.new)}
    after = plan(InstallRequest("car", certs="car-1"), dataclasses.replace(PI, configs=changed))
    assert not [step for step in after.steps if isinstance(step, ReplaceLines)]
    assert not [note for note in after.notes if "was edited" in note]


@pytest.mark.parametrize("certs", ["", "car-1"])
def test_a_car_is_brought_to_another_broker(certs: str) -> None:
    asked = InstallRequest("car", name="car-1", broker="station-1.local", certs=certs)
    first = written(plan(asked))["/etc/raceday/vehicle.toml"]
    there = dataclasses.replace(
        PI, configs={"car": first}, certificates=frozenset({"car-1.pem", "car-1.key"} if certs else set())
    )
    assert not [step for step in plan(asked, there).steps if isinstance(step, ReplaceLines)]
    moved = plan(InstallRequest("car", broker="10.42.0.1"), there)
    (change,) = [step for step in moved.steps if isinstance(step, ReplaceLines)]
    before, after = tomllib.loads(first), tomllib.loads(first.replace(change.old, change.new))
    assert after["mqtt"].pop("host") == "10.42.0.1"
    assert before["mqtt"].pop("host") == "station-1.local"
    assert after == before


def test_a_broker_that_cannot_be_written_is_said() -> None:
    tls = 'ca = "/a"\ncert = "/b"\nkey = "/c"\n'
    facts = dataclasses.replace(PI, configs={"car": f'device = "car-1"\n[mqtt]\nhost = "h"\nport = 8883\n{tls}'})
    made = plan(InstallRequest("car", broker="10.42.0.1"), facts)
    assert any("was edited" in note and 'host = "10.42.0.1"' in note for note in made.notes)
    assert not [note for note in plan(InstallRequest("car", broker="h"), facts).notes if "was edited" in note]


def test_a_table_mqtt_that_was_edited_is_said() -> None:
    config = 'device = "car-1"\n[mqtt]\nhost = "h"   # mine\nport = 1883\n'
    made = plan(InstallRequest("car", certs="car-1"), dataclasses.replace(PI, configs={"car": config}))
    assert not [step for step in made.steps if isinstance(step, ReplaceLines)]
    assert any("was edited" in note and "/etc/raceday/tls/car-1.key" in note for note in made.notes)


def test_sync_stops_once_there_is_no_leaderboard_any_more() -> None:
    assert DisableService("raceday-sync.service") in plan(InstallRequest("station")).steps
    facts = dataclasses.replace(PI, configs={"station": '[sync]\nleaderboard_url = "https://b.example"'})
    assert DisableService("raceday-sync.service") not in plan(InstallRequest("station"), facts).steps


def test_a_command_of_somebody_else_stays() -> None:
    made = plan(InstallRequest("station"), dataclasses.replace(PI, has_foreign_command=True))
    assert not [step for step in made.steps if isinstance(step, MakeLink) and step.path == "/usr/local/bin/raceday"]
    assert any("/usr/local/bin/raceday is not ours" in note for note in made.notes)


def test_a_stock_car_of_2404_does_not_run_beside_its_own_core() -> None:
    made = plan(InstallRequest("car", profile="deepracer-2404"), STOCK_CAR)
    assert (
        "Conflicts=deepracer-core.service"
        in written(made)["/etc/systemd/system/raceday-vehicle.service.d/devices.conf"]
    )


@pytest.mark.parametrize(
    ("role", "profile", "facts", "taken_over"),
    [
        ("car", "deepracer-2404", STOCK_CAR, True),
        ("car", "pi-pca9685", dataclasses.replace(PI, has_stock_core=True), True),
        ("car", "pi-pca9685", PI, False),
        ("car", "", STOCK_CAR, False),
        ("station", "", STOCK_CAR, False),
    ],
)
def test_a_stock_car_is_taken_over_before_ours_starts(
    role: Role, profile: str, facts: MachineFacts, taken_over: bool
) -> None:
    made = plan(InstallRequest(role, profile=profile), facts)
    kinds = [type(step) for step in made.steps]
    assert (TakeOver in kinds) == taken_over
    if taken_over:
        (step,) = [step for step in made.steps if isinstance(step, TakeOver)]
        assert (step.service, step.outbox) == ("deepracer-core", "/var/lib/raceday-vehicle/laps.db")
        assert (
            max(kinds.index(MakeRelease), kinds.index(WriteConfig)) < kinds.index(TakeOver) < kinds.index(EnableService)
        )
    assert any("no profile says so" in note for note in made.notes) == (role == "car" and profile == "")


def test_a_car_that_gets_its_certificates_from_a_file() -> None:
    request = InstallRequest(
        "car", broker="station-1.local", certs_file=pathlib.Path("/media/car-3.raceday-certs"), certs="car-3"
    )
    made = plan(request)
    assert PlaceCertificates("/media/car-3.raceday-certs") in made.steps
    config = written(made)["/etc/raceday/vehicle.toml"]
    assert 'device = "car-3"' in config
    assert 'host = "station-1.local"\nport = 8883\n' in config
    assert 'cert = "/etc/raceday/tls/car-3.pem"' in config


def test_an_access_point_has_its_passphrase_in_a_file_of_roots_alone() -> None:
    made = plan(InstallRequest("station", access_point=AccessPoint("Race Ä", "DE", "secret-passphrase")))
    (keyfile,) = [step for step in made.steps if isinstance(step, WriteFile) and step.path.endswith(".nmconnection")]
    assert keyfile.mode == 0o600
    assert f"ssid={';'.join(str(each) for each in 'Race Ä'.encode())};\n" in keyfile.text
    assert "psk=secret-passphrase\n" in keyfile.text
    assert not any("secret-passphrase" in step.description() for step in made.steps)


def test_without_a_broker_nothing_is_written_for_it() -> None:
    made = plan(InstallRequest("station"), dataclasses.replace(PI, has_broker=False))
    assert not any("mosquitto" in path for path in written(made))
    assert any("apt install mosquitto" in note for note in made.notes)


def test_a_driver_of_another_package_is_said() -> None:
    facts = dataclasses.replace(PI, configs={"station": 'gate = [{name = "start", driver = "mine"}]'})
    assert any("'mine' is of another package" in note for note in plan(InstallRequest("station"), facts).notes)


@pytest.mark.parametrize(("role", "table"), [("station", "web"), ("car", "console"), ("leaderboard", "server")])
def test_a_machine_with_a_certificate_for_browsers_has_protected_pages(role: Role, table: str) -> None:
    file = pathlib.Path("hall.raceday-certs")
    request = InstallRequest(role=role, certs_file=file, certs="hall", certs_for_pages=True)
    made = plan(request)
    config = next(text for path, text in written(made).items() if path.endswith(".toml"))
    change = next(step for step in made.steps if isinstance(step, ReplaceLines) and "protected" in step.what)
    told = tomllib.loads(config.replace(change.old, change.new))[table]
    assert told["tls_certificate"] == "/etc/raceday/tls/hall.web.pem"
    assert told["tls_key"] == "/etc/raceday/tls/hall.key"
    # One that names a certificate already keeps it; one that was edited is told what to write.
    path = f"/etc/raceday/{ {'station': 'station', 'car': 'vehicle', 'leaderboard': 'leaderboard'}[role] }.toml"
    own = config.replace(change.old, change.new.replace("hall.web.pem", "own.pem"))
    kept = plan(dataclasses.replace(request, certs=""), dataclasses.replace(PI, configs={role: own}))
    assert not [step for step in kept.steps if isinstance(step, ReplaceLines) and "protected" in step.what]
    edited = plan(dataclasses.replace(request), dataclasses.replace(PI, configs={role: config.replace(change.old, "")}))
    assert any(f"[{table}] of {path}" in note for note in edited.notes)
