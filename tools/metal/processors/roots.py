"""The Debian root of an emulated processor, and the package installed in it. Called by `smoke.py`, as root."""

import os
import pathlib
import shutil
import subprocess

from shared.errors import OperatorError
from tools.metal.processors.emulated import EmulatedProcessor, run_in

SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
NEEDED = {
    "debootstrap": "debootstrap",
    "proot": "proot",
    "qemu-aarch64-static": "qemu-user-static",
    "qemu-x86_64-static": "qemu-user-static",
    "unshare": "util-linux",
}
_SECOND_STAGE_S, _INSTALL_S = 3600.0, 3600.0
# The environment has the pins of all three roles, so that one installation tries them all.
_MAKE = """set -e
rm -rf /opt/tried
python3 -m venv /opt/tried
pip="/opt/tried/bin/python -m pip --isolated --disable-pip-version-check install --quiet --no-cache-dir --no-index"
wheels=/usr/share/raceday/wheels
$pip --find-links $wheels --require-hashes -r /tmp/station.lock -r /tmp/car.lock -r /tmp/leaderboard.lock
$pip --no-deps $wheels/raceday-*.whl
"""


def check_host() -> None:
    """Raises OperatorError if this machine cannot make or enter such a root: it says what is missing."""
    if os.geteuid() != 0:
        raise OperatorError("roots of Debian are made by root only: sudo ./dev metal arm64")
    missing = sorted({package for program, package in NEEDED.items() if shutil.which(program) is None})
    if missing:
        raise OperatorError(f"emulated processors need {', '.join(missing)}: apt-get install {' '.join(missing)}")


def debian_root(processor: EmulatedProcessor, cache: pathlib.Path) -> pathlib.Path:
    """A fresh Debian with Python, made once. Raises OperatorError."""
    root = cache / processor.arch
    mark = cache / f"{processor.arch}.made"
    if mark.exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    is_foreign = processor.arch != "amd64"
    first = ["debootstrap", f"--arch={processor.arch}", "--variant=minbase", f"--include={PACKAGES}"]
    first += ["--foreign"] if is_foreign else []
    done = subprocess.run([*first, SUITE, str(root)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperatorError(f"debootstrap failed: {(done.stdout + done.stderr)[-1500:]}")
    if is_foreign:
        if (root / "proc").is_symlink():  # debootstrap's stand-in for a root that is not entered yet
            (root / "proc").unlink()
            (root / "proc").mkdir()
        # As in an unprivileged LXC container, no device can be made in a user namespace: the host's are there already.
        run_in(processor, root, ["env", "container=lxc", "/debootstrap/debootstrap", "--second-stage"], _SECOND_STAGE_S)
    mark.write_text(SUITE, encoding="utf-8")
    return root


def install_package(
    processor: EmulatedProcessor, root: pathlib.Path, deb: pathlib.Path, locks: list[pathlib.Path]
) -> None:
    """dpkg unpacks the package in there, and an environment is made of its wheels alone. Raises OperatorError."""
    shutil.copy(deb, root / "tmp" / "raceday.deb")
    for lock in locks:
        shutil.copy(lock, root / "tmp")
    run_in(processor, root, ["dpkg", "-i", "/tmp/raceday.deb"], _INSTALL_S)  # noqa: S108  # the root's own /tmp
    run_in(processor, root, ["sh", "-c", _MAKE], _INSTALL_S)
