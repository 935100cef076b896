"""`raceday install`: what is refused before anything is done, and what a plan looks like, from the command line."""

import os
import pathlib
import subprocess
import sys

import pytest

from raceday.install import command, facts
from raceday.install.command import main
from raceday.install.facts import MachineFacts
from raceday.install.machine import Machine
from raceday.install.shipped_files import ROLES
from shared.errors import OperatorError
from tests.raceday.install.checkout import ROOT
from tests.raceday.install.releases.test_program_wheel import wheel


@pytest.fixture
def wheels(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with a wheel, on a machine that is a Pi with nothing installed."""
    pi = MachineFacts(groups=frozenset({"gpio"}), system="Debian GNU/Linux 12 (bookworm)")
    monkeypatch.setattr(command, "gathered", lambda _machine: pi)
    wheel(tmp_path, "0.1.0")
    return str(tmp_path)


@pytest.mark.parametrize("role", ROLES)
def test_a_dry_run_prints_the_plan_and_does_nothing(
    role: str, wheels: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "root").mkdir()
    assert main([role, "--dry-run", "--wheels", wheels, "--root", str(tmp_path / "root")]) == 0
    shown = capsys.readouterr().out
    assert "On Debian GNU/Linux 12 (bookworm), Python 3.11, aarch64:" in shown
    assert "install Raceday 0.1.0 for" in shown
    assert list((tmp_path / "root").rglob("*")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["station", "--dry-run", "--purge"], "--purge goes with --uninstall"),
        (["station", "--dry-run", "--uninstall"], "leave one of them out"),
        (["station", "--dry-run", "--gate", "gpio"], "write gpio:17"),
        (["station", "--dry-run", "--name", "a b"], "--name"),
        (["car", "--dry-run", "--profile", "of-nobody"], "no hardware profile"),
        (["car", "--dry-run", "--certs", "/nowhere/car-1.raceday-certs"], "is no file of certificates"),
    ],
)
def test_what_is_wrong_is_one_sentence(wheels: str, arguments: list[str], words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        main([*arguments, "--wheels", wheels])


def test_without_root_it_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(OperatorError, match="sudo raceday install station"):
        main(["station"])


def test_a_machine_that_cannot_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "gathered", lambda _machine: facts.MachineFacts(python_version=(3, 10)))
    with pytest.raises(OperatorError, match=r"this machine has 3\.10"):
        main(["station", "--dry-run"])


def test_the_command_needs_the_standard_library_alone() -> None:
    """It runs before any package is there, and says what is missing."""
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import raceday.install.command"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_access_point_says_which_of_debians_packages_is_missing(tmp_path: pathlib.Path) -> None:
    machine = Machine(tmp_path)
    rules = tmp_path / "lib/firmware/regulatory.db"
    for missing, make in (
        ("network-manager", lambda: (tmp_path / "etc/NetworkManager").mkdir(parents=True)),
        ("dnsmasq-base", lambda: machine.write("/usr/sbin/dnsmasq", b"", 0o755)),
        ("wireless-regdb", lambda: (rules.parent.mkdir(parents=True), rules.symlink_to("/etc/alternatives/nowhere"))),
    ):
        with pytest.raises(OperatorError, match=f"apt install {missing}"):
            command.require_wifi_packages(machine)
        make()
    command.require_wifi_packages(machine)
