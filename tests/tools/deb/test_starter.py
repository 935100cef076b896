"""The package's command on machines of every kind: stand-ins for what it asks of the system, run by the system's sh."""

import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from tools.deb.package import script

TOOLS = ("sh", "mktemp", "rm", "tail", "cat", "mkdir", "chmod")
# A Python that says what it is, and makes an environment whose pip and `raceday` write down how they were called.
PYTHON = """#!/bin/sh
case "$*" in
  *struct*) echo "{facts}" ;;
  "-m venv "*) [ "{has_venv}" = yes ] || {{ echo "ensurepip is not available"; exit 1; }}
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\necho "pip $*" >> {calls}; echo "ERROR: from pip"; exit {pip_code}\\n' > "$3/bin/python"
    printf '#!/bin/sh\\necho "raceday $*" >> {calls}; exit 7\\n' > "$3/bin/raceday"
    chmod 755 "$3/bin/python" "$3/bin/raceday" ;;
esac
"""
NEEDS = "raceday: Raceday needs "


@dataclass(frozen=True, slots=True)
class Machine:
    """A folder that stands for a machine: its PATH, what is installed in it, and the calls that were recorded."""

    folder: pathlib.Path

    def has(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def has_python(self, facts: str, name: str = "python3", has_venv: str = "yes", pip_code: int = 0) -> None:
        self.has(name, PYTHON.format(facts=facts, calls=self.folder / "calls", has_venv=has_venv, pip_code=pip_code))

    def has_installed(self, body: str) -> None:
        path = self.folder / "opt" / "bin" / "raceday"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, *words: str, begin: str = "") -> tuple[int, str]:
        """Exit code, and all that was said; `begin`: what the person's shell does before."""
        text = script("raceday", "1.2.3").decode().replace("/opt/raceday/", f"{self.folder}/opt/")
        (self.folder / "raceday").write_text(text)
        environment = {"PATH": str(self.folder / "bin"), "TMPDIR": str(self.folder / "tmp")}
        start = ["sh", "-c", f'{begin}\nexec sh "$@"', "sh", str(self.folder / "raceday"), *words]
        done = subprocess.run(start, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    fresh = Machine(tmp_path)
    fresh.has("uname", "#!/bin/sh\necho x86_64")
    fresh.has("id", "#!/bin/sh\necho 0")
    fresh.has_python("3.11 64")
    return fresh


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ("3.8 64", NEEDS + "Python 3.11, 3.12 or 3.13, and this machine has 3.8: use Debian 12 or 13,"),
        ("3.10 64", NEEDS + "Python 3.11, 3.12 or 3.13, and this machine has 3.10: use"),
        ("3.14 64", NEEDS + "Python 3.11, 3.12 or 3.13, and this machine has 3.14: use"),
        ("3.11 32", NEEDS + "a 64-bit system, and this one is 32-bit on a 64-bit processor: install the 64-bit system"),
    ],
)
def test_a_wrong_python_is_refused_before_anything_is_made(machine: Machine, facts: str, sentence: str) -> None:
    machine.has_python(facts)
    code, said = machine.run("install", "station")
    assert code == 2
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert machine.calls() == []
    assert list((machine.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("kernel", "sentence"),
    [
        ("armv7l", "a 64-bit system, and this processor runs as armv7l: on a Raspberry Pi 3 or newer, use the 64-bit"),
        ("armv6l", "a 64-bit system, and this processor runs as armv6l:"),
        ("i686", "a 64-bit processor (x86-64 or ARM64), and this one is i686."),
        ("riscv64", "a 64-bit processor (x86-64 or ARM64), and this one is riscv64."),
    ],
)
def test_a_wrong_processor_is_refused(machine: Machine, kernel: str, sentence: str) -> None:
    machine.has("uname", f"#!/bin/sh\necho {kernel}")
    code, said = machine.run("install", "car")
    assert (code, said.count("\n"), machine.calls()) == (2, 1, [])
    assert said.startswith(NEEDS + sentence)


def test_no_python_at_all(machine: Machine) -> None:
    (machine.folder / "bin" / "python3").unlink()
    assert machine.run("install", "car") == (
        2,
        NEEDS + "Python 3.11, 3.12 or 3.13, and none is installed: sudo apt install python3 python3-venv\n",
    )


def test_a_second_python_that_fits_is_taken(machine: Machine) -> None:
    machine.has_python("3.14 64")
    machine.has_python("3.12 64", name="python3.12")
    assert machine.run("install", "station")[0] == 7


def test_a_fresh_machine_is_installed_from_the_wheels_alone(machine: Machine) -> None:
    code, said = machine.run("install", "station", "--gate", "gpio:17,27", "two words")
    assert code == 7, "the code of `raceday install` is the command's"
    pip, raceday = machine.calls()
    assert "--no-index --find-links /usr/share/raceday/wheels raceday==1.2.3" in pip
    assert raceday == "raceday install station --gate gpio:17,27 two words"
    assert said.startswith("Unpacking Raceday 1.2.3 ")
    assert list((machine.folder / "tmp").iterdir()) == [], "the first environment is removed again"


@pytest.mark.parametrize("is_installed", [False, True])
def test_a_folder_that_was_removed_is_not_taken_for_a_full_disk(machine: Machine, is_installed: bool) -> None:
    if is_installed:
        machine.has_installed("exit 0")
    gone = machine.folder / "gone"
    code, said = machine.run("install", "station", begin=f"mkdir {gone}; cd {gone}; rm -r {gone}")
    assert (code, machine.calls()) == (2, [])
    assert said.endswith(
        "raceday: the folder that you stand in was removed: go to another (cd ~), then run it again.\n"
    )


def test_installing_needs_root_but_a_plan_does_not(machine: Machine) -> None:
    machine.has("id", "#!/bin/sh\necho 1000")
    code, said = machine.run("install", "car", "--name", "car-1")
    assert (code, machine.calls()) == (2, [])
    assert said.endswith("run it as root: sudo raceday install car --name car-1\n")
    assert machine.run("install", "car", "--dry-run")[0] == 7


def test_python_without_venv_names_the_package(machine: Machine) -> None:
    machine.has_python("3.11 64", has_venv="no")
    code, said = machine.run("install", "station")
    assert code == 2
    assert "sudo apt install python3-venv" in said


def test_wheels_that_cannot_be_unpacked_show_what_pip_said(machine: Machine) -> None:
    machine.has_python("3.11 64", pip_code=1)
    code, said = machine.run("install", "station")
    assert code == 2
    assert "ERROR: from pip\n" in said
    assert said.endswith("Else: sudo apt install --reinstall raceday\n")
    assert list((machine.folder / "tmp").iterdir()) == []


def test_an_installed_program_is_run_as_it_is(machine: Machine) -> None:
    (machine.folder / "bin" / "python3").unlink()
    machine.has_installed('echo "installed: $*"; exit 3')
    assert machine.run("gate", "list", "a b") == (3, "installed: gate list a b\n")


def test_an_installed_program_installs_itself_further(machine: Machine) -> None:
    machine.has_installed('[ "$1" = --help ] || echo "installed: $*"')
    assert machine.run("install", "upgrade") == (0, "installed: install upgrade\n")


def test_an_installed_program_whose_python_is_gone_is_made_afresh(machine: Machine) -> None:
    machine.has_installed('echo "ModuleNotFoundError: raceday"; exit 1')
    assert machine.run("install", "station")[0] == 7
    assert machine.calls()[-1] == "raceday install station"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--version"], 0, "raceday 1.2.3 (its package; no role is installed yet)\n"),
        (
            ["station"],
            2,
            "raceday: not installed on this machine yet: sudo raceday install station (or car, or leaderboard)\n",
        ),
        ([], 2, "raceday: not installed on this machine yet: sudo raceday install station (or car, or leaderboard)\n"),
    ],
)
def test_other_commands_say_the_step_that_is_missing(
    machine: Machine, words: list[str], code: int, sentence: str
) -> None:
    assert machine.run(*words) == (code, sentence)


def test_the_shell_has_no_complaint(machine: Machine) -> None:
    for name in ("raceday", "postinst", "prerm", "postrm"):
        (machine.folder / name).write_bytes(script(name, "1.2.3"))
        done = subprocess.run(["sh", "-n", str(machine.folder / name)], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert os.access(pathlib.Path(__file__).parents[3] / "tools" / "deb" / "files" / name, os.X_OK)
