"""The fail-safe process: a dead or silent guard means neutral, an orderly one is left alone."""

import pathlib
import socket
import subprocess
import sys
import threading

import pytest

from shared.config import load
from shared.errors import HardwareMissing
from tests.vehicle.sample_parts import config_text, pulses
from vehicle.config import VehicleConfig
from vehicle.core.pulses import STOCK_CALIBRATION, neutral_pulses
from vehicle.drivers import motors_factory
from vehicle.guard import failsafe
from vehicle.guard.failsafe import PreparedNeutral, watch_guard
from vehicle.guard.failsafe_link import GOODBYE, HEARTBEAT, FailsafeLink

REST = (neutral_pulses(STOCK_CALIBRATION).steering_ns, neutral_pulses(STOCK_CALIBRATION).throttle_ns)


def config(folder: pathlib.Path, hang_ms: int = 50) -> VehicleConfig:
    path = folder / "vehicle.toml"
    path.write_text(config_text(folder, 1883).replace("[safety]", f"[safety]\nhang_ms = {hang_ms}"))
    return load(path, VehicleConfig)


def start_watching(folder: pathlib.Path) -> tuple[socket.socket, threading.Thread]:
    ours, theirs = socket.socketpair()

    def watch() -> None:
        with theirs:
            settings = config(folder)
            watch_guard(theirs, PreparedNeutral(settings), settings.safety.hang_ms)

    thread = threading.Thread(target=watch)
    thread.start()
    return ours, thread


def pulses_set(folder: pathlib.Path) -> list[tuple[int, int]]:
    return pulses(folder) if (folder / "pulses.jsonl").exists() else []


@pytest.mark.parametrize(
    ("last_words", "times"), [(b"", 1), (HEARTBEAT, 1), (GOODBYE, 0), (HEARTBEAT * 9 + GOODBYE, 0)]
)
def test_an_end_without_goodbye_is_a_death(tmp_path: pathlib.Path, last_words: bytes, times: int) -> None:
    ours, thread = start_watching(tmp_path)
    ours.sendall(last_words)
    ours.close()
    thread.join(10)
    assert pulses_set(tmp_path) == [REST] * times


def test_a_silent_guard_is_set_to_neutral_once_each_time_that_it_hangs(tmp_path: pathlib.Path) -> None:
    ours, thread = start_watching(tmp_path)
    for hang in (1, 2):
        ours.sendall(HEARTBEAT)
        for _ in range(500):
            if len(pulses_set(tmp_path)) == hang:
                break
            threading.Event().wait(0.02)
        assert pulses_set(tmp_path) == [REST] * hang
    ours.sendall(GOODBYE)
    thread.join(10)
    ours.close()
    assert pulses_set(tmp_path) == [REST] * 2


def test_absent_motors_end_no_failsafe_process_and_are_taken_when_they_come(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vehicle.toml"
    text = config_text(tmp_path, 1883).replace("[safety]", "[safety]\nhang_ms = 50")
    path.write_text(text.replace("options = { record", f'options = {{ absent = "{tmp_path}/absent", record'))
    (tmp_path / "absent").touch()
    ours, theirs = socket.socketpair()
    prepared = PreparedNeutral(load(path, VehicleConfig))
    thread = threading.Thread(target=watch_guard, args=(theirs, prepared, 50))
    thread.start()
    ours.sendall(HEARTBEAT)
    logged = ""
    for _ in range(3_000):
        logged += capfd.readouterr().err
        if "set to be absent" in logged:
            break
        threading.Event().wait(0.02)
    assert "set to be absent" in logged
    assert thread.is_alive()
    assert pulses_set(tmp_path) == []
    (tmp_path / "absent").unlink()
    for _ in range(3_000):  # the guard still says nothing
        if pulses_set(tmp_path):
            break
        threading.Event().wait(0.02)
    ours.sendall(GOODBYE)
    thread.join(60)
    ours.close()
    theirs.close()
    assert pulses_set(tmp_path) == [REST]


def test_a_driver_without_its_library_ends_no_process(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(tmp_path)

    def absent(*_: object) -> object:
        raise HardwareMissing("the driver needs a package.")

    monkeypatch.setattr(failsafe, "motors_factory", absent)
    prepared = PreparedNeutral(settings)
    with pytest.raises(HardwareMissing, match="needs a package"):
        prepared.set_neutral("the guard is dead")
    monkeypatch.setattr(failsafe, "motors_factory", motors_factory)
    prepared.set_neutral("the guard is dead")
    assert pulses_set(tmp_path) == [REST]


@pytest.mark.slow
def test_a_failsafe_process_that_dies_is_started_again(tmp_path: pathlib.Path) -> None:
    config(tmp_path, hang_ms=5_000)  # however slow the machine is, this guard did not hang
    link = FailsafeLink(str(tmp_path / "vehicle.toml"))
    link.heartbeat()  # not started yet: nothing to do
    link.start()
    assert link._process is not None
    assert link._socket is not None
    first = link._process
    link._socket.setblocking(True)
    assert link.ready
    assert link.poll_exit() is None
    first.kill()
    first.wait()
    for _ in range(100):
        link.heartbeat()
    assert link._process.pid != first.pid
    link._socket.setblocking(True)
    assert link.ready
    link.close(10, neutral=True)
    assert pulses_set(tmp_path) == []


@pytest.mark.slow
def test_a_guard_that_ended_before_its_failsafe_process_was_ready_is_no_accident(tmp_path: pathlib.Path) -> None:
    config(tmp_path)
    ours, theirs = socket.socketpair()
    ours.sendall(GOODBYE)
    ours.close()
    arguments = ["--config", str(tmp_path / "vehicle.toml"), "--guard-fd", str(theirs.fileno()), "--lap-fd", "-1"]
    done = subprocess.run(
        [sys.executable, "-m", "vehicle.guard.failsafe", *arguments, "--parent", "0"],
        pass_fds=(theirs.fileno(),),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    theirs.close()
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert pulses_set(tmp_path) == []
