"""A machine below a root folder, for the tests of this folder."""

import os
import pathlib
import subprocess
from collections.abc import Sequence

import pytest

from raceday.install.machine import Machine

UID, GID = os.geteuid(), os.getegid()


class RootFolder(Machine):
    """A root folder in which nothing is installed that a `chroot` could run: what the service does in its own folder is
    done by the commands of this system, and written down with its user."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root)
        self.ran = list[str]()

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        self.ran.append(" ".join([f"{user}:", *words]))
        if user != "raceday" or words[0] not in {"rm", "cp", "chmod", "mv", "sync"}:
            return super().attempt(words, user=user)
        there = [str(self.root / word[1:]) if word.startswith("/") else word for word in words]
        if words[0] == "sync":  # of all the files of this system: only that there is something to write
            return subprocess.CompletedProcess(words, int(not pathlib.Path(there[-1]).is_dir()), "", "")
        return subprocess.run(there, check=False, capture_output=True, text=True)


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> RootFolder:
    """A root folder with users, whose numbers are ours: then every test may give files away."""
    for name, number in (("passwd", UID), ("group", GID)):
        (tmp_path / "etc").mkdir(exist_ok=True)
        users = ("root", "raceday", "mosquitto")
        (tmp_path / "etc" / name).write_text("".join(f"{user}:x:{number}:{number}::/:/bin/sh\n" for user in users))
    (tmp_path / "etc" / "mosquitto").mkdir()
    return RootFolder(tmp_path)
