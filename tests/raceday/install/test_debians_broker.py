"""Our part of the broker's configuration beside Debian's own file: the real mosquitto starts with both."""

import dataclasses
import datetime as dt
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import threading

import pytest

from raceday.broker import free_port, mosquitto_path
from raceday.certs.authority_folder import AuthorityFolder
from raceday.install.machine_files.broker_files import DROP_IN, broker_conf
from raceday.install.shipped_files import config_text
from shared.link.options import MqttOptions

# /etc/mosquitto/mosquitto.conf of Debian's packages 2.0.11-1.2+deb12u1 and 2.0.21-1, without its comments.
DEBIAN = """\
pid_file {folder}/mosquitto.pid
persistence true
persistence_location {folder}/
log_dest stderr
include_dir {folder}/conf.d
"""
LONGEST_S = next(each for each in dataclasses.fields(MqttOptions) if each.name == "keepalive_s").metadata["max"]
pytestmark = pytest.mark.broker


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "mosquitto.conf").write_text(DEBIAN.format(folder=tmp_path) + "user root\n")
    return tmp_path


def started(folder: pathlib.Path, ours: str) -> "subprocess.Popen[bytes]":
    (folder / "conf.d" / "raceday.conf").write_text(ours)
    words = [mosquitto_path() or "mosquitto", "-c", str(folder / "mosquitto.conf")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(words, stderr=log)


def listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Waits until the port takes a connection, or the broker has ended."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        threading.Event().wait(0.01)
    return False


@pytest.mark.parametrize("has_certs", [False, True])
def test_debians_broker_starts_with_our_file_beside_its_own(folder: pathlib.Path, has_certs: bool) -> None:
    port = free_port()
    if has_certs:
        now = dt.datetime.now(dt.UTC)
        AuthorityFolder(folder).initialise("test", ("localhost", "127.0.0.1"), now)
    ours = broker_conf(config_text("mosquitto.conf"), has_certs).replace("/etc/raceday", str(folder))
    ours = ours.replace("listener 8883", f"listener {port} 127.0.0.1").replace("1883 127.0.0.1", f"{port} 127.0.0.1")
    process = started(folder, ours)
    try:
        assert listens(process, port), (folder / "log").read_text()
    finally:
        process.terminate()
        process.wait(10)


def test_a_second_place_of_persistence_keeps_it_from_starting(folder: pathlib.Path) -> None:
    """What the shipped file did: `Error: Duplicate persistence_location value in configuration`."""
    process = started(folder, f"listener {free_port()} 127.0.0.1\npersistence_location {folder}/\n")
    assert process.wait(20) != 0


@pytest.mark.parametrize("keepalive_s", [1, 5, 60, LONGEST_S])
def test_no_keepalive_of_ours_goes_once_round_the_brokers_clock(keepalive_s: int) -> None:
    """Of 60 connections mosquitto 2.0.21 (Debian 13's) cut one to two at once under `max_keepalive 60`.

    It keeps who must speak until when in a ring of `max_keepalive * 3 // 2 + 1` seconds; a connection that has said
    nothing yet has 60. What comes round to the second before now is cut (its issues 3226 and 3286).
    """
    lines = [line.split() for line in config_text("mosquitto.conf").split("\n")]
    seconds = int(next(line[1] for line in lines if line[:1] == ["max_keepalive"])) * 3 // 2 + 1
    assert keepalive_s * 3 // 2 < seconds // 2


@pytest.mark.parametrize(("version", "is_restarted"), [("2.0.21", True), ("2.0.11", False), ("2.0.22", False)])
def test_a_reload_restarts_the_version_that_a_reload_damages(
    tmp_path: pathlib.Path, version: str, is_restarted: bool
) -> None:
    """As systemd runs it: a line that ends in a backslash goes on with the next one."""
    asked = tmp_path / "asked"
    for name, does in (
        ("mosquitto", f"echo mosquitto version {version}; exit 3"),
        ("systemd-run", f'echo "$@" > {asked}'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    last = DROP_IN.replace("\\\n", " ").strip().split("\n")[-1]
    words = shlex.split(last.removeprefix("ExecReload=").replace("/usr/sbin/mosquitto", str(tmp_path / "mosquitto")))
    with subprocess.Popen(["env", "--default-signal=HUP", "sleep", "60"]) as broker:  # also under nohup
        path = f"{tmp_path}:{os.environ['PATH']}"
        done = subprocess.run(words, env={"PATH": path, "MAINPID": str(broker.pid)}, check=False)
        if is_restarted:
            broker.kill()
    assert done.returncode == 0
    assert broker.returncode == (-signal.SIGKILL if is_restarted else -signal.SIGHUP)
    assert asked.exists() is is_restarted
    if is_restarted:
        assert asked.read_text().split()[-3:] == ["systemctl", "try-restart", "mosquitto.service"]
