"""`./dev test` says what it will install, asks before it installs, logs apt's output and can go on without."""

import os
import pathlib
import pty
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

FAKES = {
    "id": "echo 0",
    # $UNKNOWN: a package that this distribution does not have.
    "apt-get": """echo "apt-get $*" >> "$FOLDER/calls"; echo "E: a mirror is away"
case " $* " in *" ${UNKNOWN:-none} "*) exit 100 ;; esac; exit "${APT_CODE:-0}\"""",
    "python3": "exit 0",
}
PEERS = "mosquitto chromium-headless-shell postgresql espeak-ng redis-server"
SAYS = f"To be installed: the system packages {PEERS}, for the tests with the real broker, browser, database and voice."
SKIPS = f"Not installed, so their tests are skipped: {PEERS}. Run: sudo apt-get install {PEERS}"


class Machine:
    """A fresh machine on which we are root, with only a few tools; its apt-get only records how it was called."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        tools = folder / "bin"
        tools.mkdir()
        for name in ("sh", "cat", "cksum", "dirname", "tail", "env"):
            (tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")
        for name, text in FAKES.items():
            (tools / name).write_text(f"#!/bin/sh\n{text}\n")
            (tools / name).chmod(0o755)
        # `dev` also looks in the usual folders of these packages, where this machine may have them: point it elsewhere.
        text = (
            (ROOT / "dev").read_text().replace("/usr/sbin/", f"{folder}/none/").replace("/usr/lib/", f"{folder}/none/")
        )
        (folder / "dev").write_text(text)
        for name in ("requirements.lock", "pyproject.toml"):
            (folder / name).write_text("")
        (folder / ".venv" / "bin").mkdir(parents=True)
        # A virtual environment that exists already: its Python records how it was called.
        (folder / ".venv/bin/python").write_text('#!/bin/sh\necho "python $*" >> "$FOLDER/calls"\n')
        (folder / ".venv/bin/python").chmod(0o755)

    def run(self, *words: str, answer: str | None = None, **more: str) -> tuple[str, list[str]]:
        """Run `dev test`; return its messages and the commands it called. `answer` is typed at a terminal."""
        environment = {"PATH": str(self.folder / "bin"), "FOLDER": str(self.folder), **more}
        command = [str(self.folder / "bin/sh"), str(self.folder / "dev"), "test", *words]
        if answer is None:
            done = subprocess.run(
                command,
                check=False,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
            )
            output = done.stderr
        else:
            near, far = pty.openpty()
            os.write(near, answer.encode())
            process = subprocess.Popen(command, env=environment, stdin=far, stdout=far, stderr=far)
            os.close(far)
            output = _until_closed(near)
            process.wait(60)
        calls = self.folder / "calls"
        return output, calls.read_text().splitlines() if calls.exists() else []


def _until_closed(near: int) -> str:
    parts = []
    try:
        while part := os.read(near, 65536):
            parts.append(part)
    except OSError:  # a terminal whose other end is closed
        pass
    finally:
        os.close(near)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


def installs(calls: list[str]) -> list[str]:
    return [line for line in calls if line.startswith("apt-get install")]


@pytest.mark.parametrize("how", [{"CI": "true"}, {"CI": "1"}])
def test_in_ci_it_says_what_it_installs_and_does_it(machine: Machine, how: dict[str, str]) -> None:
    output, calls = machine.run("-q", **how)
    assert output.splitlines()[0].startswith("To be installed: the pinned Python packages")
    assert output.splitlines()[1] == SAYS
    assert installs(calls) == [f"apt-get install -y -qq --no-install-recommends {PEERS}"]
    assert calls[-1] == "python -m pytest -n 2 --dist worksteal -q"
    assert "skipped" not in output


def test_yes_says_it_once_and_for_all(machine: Machine) -> None:
    _, calls = machine.run("--yes", "-q")
    assert len(installs(calls)) == 1
    assert calls[-1] == "python -m pytest -n 2 --dist worksteal -q"


def test_where_the_headless_build_is_not_packaged_the_whole_browser_is_installed(machine: Machine) -> None:
    output, calls = machine.run("--yes", UNKNOWN="chromium-headless-shell")
    assert installs(calls)[1:] == [
        "apt-get install -y -qq --no-install-recommends mosquitto chromium postgresql espeak-ng redis-server"
    ]
    assert "skipped" not in output


@pytest.mark.parametrize("ci", ["", "false"])
def test_without_a_terminal_and_without_a_yes_it_goes_on_without(machine: Machine, ci: str) -> None:
    output, calls = machine.run(CI=ci)
    assert SAYS in output
    assert SKIPS in output
    assert installs(calls) == []
    assert calls[-1].startswith("python -m pytest")


@pytest.mark.parametrize(("answer", "does"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False)])
def test_at_a_terminal_it_asks_first(machine: Machine, answer: str, does: bool) -> None:
    output, calls = machine.run(answer=answer)
    assert output.index("To be installed") < output.index("Install them with apt-get now? [y/N]")
    assert bool(installs(calls)) == does
    assert (SKIPS in output) == (not does)
    assert calls[-1].startswith("python -m pytest")


def test_package_lists_that_cannot_be_fetched_are_said_and_the_packages_tried(machine: Machine) -> None:
    output, calls = machine.run("--yes", UNKNOWN="update")
    said = "apt-get update failed, so older package lists are used: E: a mirror is away (full log: .dev-install.log)"
    assert said in output.splitlines()
    assert len(installs(calls)) == 1
    assert "skipped" not in output


def test_what_apt_said_is_kept_and_shown_when_it_fails(machine: Machine) -> None:
    output, calls = machine.run("--yes", APT_CODE="100")
    assert "E: a mirror is away" in output
    assert f"apt-get could not install: {PEERS} (full log: .dev-install.log)" in output
    assert SKIPS.replace("chromium-headless-shell", "chromium") in output
    assert "E: a mirror is away" in (machine.folder / ".dev-install.log").read_text()
    assert calls[-1].startswith("python -m pytest")
