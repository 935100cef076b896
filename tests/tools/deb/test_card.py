"""The script of a Raspberry Pi's card, at its first start: stand-ins for what it calls write down each call."""

import pathlib
import shutil
import subprocess

import pytest

CARD = pathlib.Path(__file__).parents[3] / "tools" / "deb" / "card" / "vendor-data"
PACKAGE = "raceday_1.2.3_arm64.deb"
TOOLS = ("sh", "seq", "date", "rm")


class FirstStart:
    """A boot partition, and a system whose apt and `raceday` end with the codes that a test chooses."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.boot, self.bin, self.calls = folder / "boot", folder / "bin", folder / "calls"
        self.boot.mkdir()
        self.bin.mkdir()
        for name in TOOLS:
            found = shutil.which(name)
            assert found
            (self.bin / name).symlink_to(found)
        for name, line in {
            "apt-get": "",
            "raceday": "",
            "timedatectl": "echo yes",
            "sleep": "",
        }.items():
            self.stand_in(name, line)

    def stand_in(self, name: str, line: str) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{line}\n')
        path.chmod(0o755)

    def run(self, install: str = "station") -> tuple[int, str]:
        """Exit code, and what a person reads on the card."""
        script = CARD.read_text(encoding="utf-8").replace('INSTALL="station"', f'INSTALL="{install}"')
        environment = {"PATH": str(self.bin), "BOOT": str(self.boot)}
        done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
        assert done.stdout + done.stderr == ""
        return done.returncode, (self.boot / "raceday.log").read_text()


@pytest.fixture
def start(tmp_path: pathlib.Path) -> FirstStart:
    return FirstStart(tmp_path)


def test_the_package_is_installed_and_then_the_role(start: FirstStart) -> None:
    (start.boot / PACKAGE).touch()
    code, log = start.run("station --gate gpio:17,27")
    assert code == 0
    assert log.endswith("Raceday is installed.\n")
    assert start.calls.read_text().splitlines()[1:] == [
        "apt-get -o DPkg::Lock::Timeout=300 update",
        f"apt-get -o DPkg::Lock::Timeout=300 install -y {start.boot / PACKAGE}",
        "raceday install station --gate gpio:17,27",
    ]
    assert not (start.boot / PACKAGE).exists(), "the partition is small, and a kernel needs room in it"


@pytest.mark.parametrize(("name", "line"), [("apt-get", "echo E: no net; exit 100"), ("raceday", "echo no; exit 2")])
def test_what_failed_stands_on_the_card_and_can_be_tried_again(start: FirstStart, name: str, line: str) -> None:
    (start.boot / PACKAGE).touch()
    start.stand_in(name, line)
    code, log = start.run()
    assert code != 0
    assert log.endswith(
        f"Raceday is NOT installed: the line above says why. To try again: sudo sh {start.boot}/vendor-data\n"
    )
    assert (start.boot / PACKAGE).exists()


@pytest.mark.parametrize("packages", [[], [PACKAGE, "raceday_1.2.2_arm64.deb"], ["raceday_1.2.3_amd64.deb"]])
def test_a_card_with_no_package_or_two(start: FirstStart, packages: list[str]) -> None:
    for name in packages:
        (start.boot / name).touch()
    code, log = start.run()
    assert code == 1
    assert "There is no package, or more than one" in log
    assert "apt-get" not in start.calls.read_text()


def test_it_waits_for_the_clock_but_not_for_ever(start: FirstStart) -> None:
    (start.boot / PACKAGE).touch()
    start.stand_in("timedatectl", "echo no")
    assert start.run()[0] == 0
    assert start.calls.read_text().count("sleep 2\n") == 60
