"""A machine below a root folder, for the tests of this folder."""

import os
import pathlib

import pytest

from raceday.install.machine import Machine

UID, GID = os.geteuid(), os.getegid()


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    """A root folder with users, whose numbers are ours: then every test may give files away."""
    for name, number in (("passwd", UID), ("group", GID)):
        (tmp_path / "etc").mkdir(exist_ok=True)
        users = ("root", "raceday", "mosquitto")
        (tmp_path / "etc" / name).write_text("".join(f"{user}:x:{number}:{number}::/:/bin/sh\n" for user in users))
    (tmp_path / "etc" / "mosquitto").mkdir()
    return Machine(tmp_path)
