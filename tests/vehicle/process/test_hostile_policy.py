"""A hijacked policy cannot touch its guard, the car's keys, nor what others share: tried by real processes.

As an ordinary user (65534, if the test runs as root) and as root. Each attempt is also made without restrictions, where
it must come off: only what nothing else holds back shows something when it fails.
"""

import json
import os
import pathlib
import select
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.vehicle.process.test_seccomp import needs_filter
from vehicle.process.landlock import LinuxLandlock, landlock_version

ORDINARY = 65534
POLICY = pathlib.Path(__file__).with_name("hostile_policy.py")
ABI = landlock_version(LinuxLandlock())[0]
pytestmark = [
    pytest.mark.slow,
    needs_filter,
    pytest.mark.skipif(ABI < 1, reason="this kernel has no Landlock: it cannot keep anybody from a file"),
]
IS_ROOT = os.geteuid() == 0
USERS = [ORDINARY, 0] if IS_ROOT else [os.geteuid()]
REFUSALS = {"EACCES", "EPERM", "EXDEV"}
GUARD = """
import ctypes, os, sys
uid = int(sys.argv[1])
secret = ctypes.create_string_buffer(b"SECRET--")
open(sys.argv[2], "w").write(str(ctypes.addressof(secret)))
os.chmod(sys.argv[2], 0o644)
if uid:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as if it had been started as this user
for line in sys.stdin:
    print(line.strip(), flush=True)
"""
FILES = ("mqtt.key", "console.json", "laps.db", "journal", "old", "models/mine/model.onnx", "models/theirs/model.onnx")


@dataclass(frozen=True, slots=True)
class AttackedCar:
    """A folder with a car's files, a process in place of its guard, and a channel that later pilots use too."""

    user: int
    folder: pathlib.Path
    guard: "subprocess.Popen[str]"
    laps: socket.socket

    def answers(self) -> bool:
        """Whether the guard does, which a stopped one never would."""
        assert self.guard.stdin is not None
        assert self.guard.stdout is not None
        self.guard.stdin.write("well?\n")
        self.guard.stdin.flush()
        assert select.select([self.guard.stdout], [], [], 60)[0], "the guard is stopped"
        return self.guard.stdout.readline() == "well?\n"

    def attack(self, word: str) -> dict[str, Any]:
        """How each attempt of the hostile policy ended."""
        words = [word, str(self.user), str(self.guard.pid), str(self.folder), str(self.laps.fileno())]
        done = subprocess.run(
            [sys.executable, str(POLICY), *words],
            pass_fds=[self.laps.fileno()],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert done.returncode == 0, done.stderr
        results: dict[str, Any] = json.loads(done.stdout)
        return results


@pytest.fixture(params=USERS)
def car(request: pytest.FixtureRequest) -> Iterator[AttackedCar]:
    user: int = request.param
    folder = pathlib.Path(tempfile.mkdtemp(prefix="raceday-attacked-"))  # pytest's own folders are closed to others
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"content")
    for device in ("i2c-1", "video0"):  # stand-ins: /dev/null by another name
        if IS_ROOT:
            os.mknod(folder / device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        else:
            (folder / device).touch()
    if IS_ROOT:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)
    guard = subprocess.Popen(
        [sys.executable, "-c", GUARD, str(user), str(folder / "address")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    attacked = AttackedCar(user, folder, guard, theirs)
    try:
        assert attacked.answers()
        yield attacked
    finally:
        guard.kill()
        guard.communicate()
        ours.close()
        theirs.close()
        shutil.rmtree(folder)


def test_nothing_comes_off_and_the_policy_goes_on(car: AttackedCar) -> None:
    results = car.attack("held")
    assert car.answers()
    assert {name: how for name, how in results["still"].items() if how != "done"} == {}
    assert {name: how for name, how in results["attempts"].items() if how not in REFUSALS} == {}
    kept_turns = any("CAP_SYS_NICE" in sentence for sentence in results["said"])
    assert {name for name, how in results["limited"].items() if how == "done"} == (
        {"before the guard"} if kept_turns else set()
    )
    assert len(results["said"]) == int(kept_turns)
    assert [(car.folder / name).read_bytes() for name in FILES] == [b"content"] * len(FILES)
    assert stat.S_IMODE((car.folder / "mqtt.key").stat().st_mode) != 0o666


def test_without_restrictions_each_attempt_comes_off(car: AttackedCar) -> None:
    results = car.attack("free")
    assert {name: how for name, how in results["attempts"].items() if how != "done"} == {}


@pytest.mark.skipif(ABI < 6, reason="this kernel's Landlock does not hold signals back; the filter does")
def test_landlock_alone_keeps_the_guard_and_the_files(car: AttackedCar) -> None:
    """On a machine for which there is no filter, as with 32 bits."""
    results = car.attack("landlock")
    came_off = {name for name, how in results["attempts"].items() if how == "done"}
    left = {"its limits", "its nice value", "its processors", "its policy", "its disk's turns", "a watch", "a queue"}
    left |= {"a key for all", "the times of a key", "an attribute", "a file in memory", "shared memory", "a lease"}
    left |= {"the disk's attention", "a descriptor in a message", "the lap channel's buffer", "the lap channel's end"}
    # These two are asked for without an error, and no signal is sent.
    assert came_off <= left | {"to outlive the guard", "signal of a socket", "kill all"}
    assert car.answers()
