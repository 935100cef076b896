"""What the doctor asks a stock car: the mock console over TLS and a leash over UDP, both as they are on the car."""

import dataclasses
import pathlib
import threading
from collections.abc import Iterator

import pytest

from shared.config import parse
from shared.errors import ConfigError, RetryLater
from vehicle.bridge.certificate_pin import CertificatePin
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.console_session import ConsoleSession
from vehicle.bridge.core.console_calls import ConsoleCall
from vehicle.bridge.leash.raceday_leash import Hold, LeashService, Outputs
from vehicle.bridge.leash_kit import write_kit
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.bridge.mock_console.server import MockConsoleServer
from vehicle.bridge.probe import fingerprint_of, leash_report, models_of
from vehicle.bridge.secret_files import write_secret


@pytest.fixture(scope="module")
def console() -> Iterator[MockConsoleServer]:
    server = MockConsoleServer(MockConsole(MockCar(CarOutputs(None)), "stock"))
    server.start()
    yield server
    server.close()


@pytest.fixture
def config(console: MockConsoleServer, tmp_path: pathlib.Path) -> BridgeConfig:
    write_secret(tmp_path / "password", "deepracer")
    lines = ['device = "car-1"', "[console]", 'host = "127.0.0.1"', f"port = {console.port}", 'model = "m"']
    lines += ['password_file = "password"', 'certificate_file = "certificate"', "[leash]", 'host = "127.0.0.1"']
    return parse("\n".join(lines), BridgeConfig, beside=tmp_path)


def session(config: BridgeConfig) -> ConsoleSession:
    pin = CertificatePin(config.console.certificate_file)
    return ConsoleSession(config.console.host, config.console.port, config.console.password_file, pin)


def test_a_console_whose_certificate_nobody_kept_is_sent_no_password(config: BridgeConfig) -> None:
    with pytest.raises(RetryLater, match="has not kept its certificate yet"):
        models_of(config)
    assert not config.console.certificate_file.exists(), "it looks, and keeps nothing"


def test_the_certificate_is_the_one_that_the_bridge_keeps_and_the_login_works(config: BridgeConfig) -> None:
    assert session(config).call(ConsoleCall("models")).outcome == "done"
    assert fingerprint_of("127.0.0.1", config.console.port) == config.console.certificate_file.read_text().strip()
    assert "Sample_single_cam" in models_of(config)


def test_what_keeps_it_out_is_said(config: BridgeConfig) -> None:
    assert session(config).call(ConsoleCall("models")).outcome == "done"
    write_secret(config.console.password_file, "wrong")
    with pytest.raises(RetryLater, match="refuses the password"):
        models_of(config)
    write_secret(config.console.certificate_file, "ab" * 32)
    with pytest.raises(RetryLater, match="its certificate has changed"):
        models_of(config)


def test_the_look_at_a_certificate_ends_nobodys_login(config: BridgeConfig) -> None:
    running = session(config)
    assert running.call(ConsoleCall("models")).outcome == "done"
    fingerprint_of("127.0.0.1", config.console.port)
    assert running.call(ConsoleCall("models", may_log_in=False)).outcome == "done"
    models_of(config)
    assert running.call(ConsoleCall("models", may_log_in=False)).outcome == "thrown_out", (
        "why a bridge that runs is not"
    )


@pytest.fixture
def leash(tmp_path: pathlib.Path) -> Iterator[LeashService]:
    root = tmp_path / "car"
    root.mkdir()
    CarOutputs(root)
    key = bytes.fromhex(write_kit(tmp_path / "kit")[2].read_text())
    service = LeashService(key, Outputs(root), "127.0.0.1", 0, console_port=1)
    thread = threading.Thread(target=service.run)
    thread.start()
    yield service
    service.ended.set()
    thread.join()


def leashed(config: BridgeConfig, leash: LeashService, tmp_path: pathlib.Path) -> BridgeConfig:
    port = leash.socket.getsockname()[1]
    file = str(tmp_path / "kit" / "raceday-leash.key")
    return dataclasses.replace(config, leash=dataclasses.replace(config.leash, key_file=file, port=port))


def test_a_leash_that_is_asked_is_held_by_nobody(
    config: BridgeConfig, leash: LeashService, tmp_path: pathlib.Path
) -> None:
    report = leash_report(leashed(config, leash, tmp_path))
    assert (report.has_line, report.fault) == (True, "")
    assert leash.leash.state == 0, "cut since its start: no datagram of a bridge has counted"


def test_a_released_leash_is_not_cut_by_a_question(leash: LeashService) -> None:
    released = Hold(leash.leash.nonce, 1, 1, 7, bytes(3))
    leash.leash.on_hold(released, 1)
    assert leash.leash.is_released
    leash.leash.on_hold(Hold(bytes(16), 0, 2**62, 0, bytes(3)), 2)  # as the first datagram of whoever asks
    assert leash.leash.is_released


def test_another_key_gets_no_answer(config: BridgeConfig, leash: LeashService, tmp_path: pathlib.Path) -> None:
    asked = leashed(config, leash, tmp_path)
    write_secret(pathlib.Path(asked.leash.key_file), "ab" * 32)
    with pytest.raises(TimeoutError, match="no answer with its key"):
        leash_report(asked)
    write_secret(pathlib.Path(asked.leash.key_file), "abc")
    with pytest.raises(ConfigError, match="no key of a leash"):
        leash_report(asked)
