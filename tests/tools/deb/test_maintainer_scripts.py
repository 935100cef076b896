"""What dpkg runs around an installation and a removal, in a folder that stands for the machine."""

import pathlib
import subprocess

import pytest

from tools.deb.package import script

UNITS = "/etc/systemd/system"


class DpkgRun:
    """A machine's root in a folder, and its `raceday`, which writes down how it was called."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.calls = folder, folder / "calls"

    def has_program(self, code: int = 0) -> None:
        path = self.folder / "opt/raceday/bin/raceday"
        path.parent.mkdir(parents=True)
        path.write_text(f'#!/bin/sh\necho "$*" >> {self.calls}\nexit {code}\n')
        path.chmod(0o755)

    def has(self, name: str) -> None:
        path = self.folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def run(self, name: str, action: str) -> str:
        """What the script said; it must end well, or dpkg leaves the package half removed."""
        text = script(name, "1.2.3").decode()
        for top in ("/opt/raceday", "/etc/raceday", "/var/lib/raceday", UNITS):
            text = text.replace(top, f"{self.folder}{top}")
        done = subprocess.run(["sh", "-c", text, name, action], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return (done.stdout + done.stderr).replace(str(self.folder), "")

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def dpkg(tmp_path: pathlib.Path) -> DpkgRun:
    return DpkgRun(tmp_path)


def test_the_next_step_is_said(dpkg: DpkgRun) -> None:
    assert dpkg.run("postinst", "configure") == (
        "raceday: one more step: sudo raceday install station (or car, or leaderboard)\n"
    )
    dpkg.has_program()
    assert dpkg.run("postinst", "configure").endswith("To change to this one: sudo raceday install upgrade\n")
    assert dpkg.run("postinst", "abort-upgrade") == ""


@pytest.mark.parametrize(
    ("units", "uninstalled"),
    [
        ([], []),
        (["raceday-station.service", "raceday-sync.service"], ["station"]),
        (["raceday-vehicle.service"], ["car"]),
        (["raceday-station.service", "raceday-leaderboard.service"], ["station", "leaderboard"]),
    ],
)
def test_roles_go_before_the_package_but_not_before_an_upgrade(
    dpkg: DpkgRun, units: list[str], uninstalled: list[str]
) -> None:
    dpkg.has_program()
    for unit in units:
        dpkg.has(f"{UNITS}/{unit}")
    dpkg.run("prerm", "upgrade")
    assert dpkg.called() == []
    dpkg.run("prerm", "remove")
    assert dpkg.called() == [f"install {role} --uninstall" for role in uninstalled]


def test_a_role_that_cannot_be_taken_away_is_said_and_keeps_nothing(dpkg: DpkgRun) -> None:
    dpkg.has_program(code=2)
    dpkg.has(f"{UNITS}/raceday-station.service")
    said = dpkg.run("prerm", "remove")
    assert said == "raceday: the station is still there; see: systemctl status raceday-station.service\n"


def test_a_purge_removes_the_program_and_no_evidence(dpkg: DpkgRun) -> None:
    dpkg.has_program()
    for name in ("/etc/raceday/ca/ca.key", "/var/lib/raceday/station.db"):
        dpkg.has(name)
    assert dpkg.run("postrm", "remove") == ""
    assert (dpkg.folder / "opt/raceday").exists()
    assert "are kept in /etc/raceday /var/lib/raceday. Delete them yourself" in dpkg.run("postrm", "purge")
    assert not (dpkg.folder / "opt/raceday").exists()
    assert (dpkg.folder / "var/lib/raceday/station.db").exists()
    assert (dpkg.folder / "etc/raceday/ca/ca.key").exists()
