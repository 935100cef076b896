"""Runs the programs that make a machine (debootstrap, apt in a root, mke2fs), with one sentence when one fails.

Called by root_folder.py, kernel_modules.py and disks.py. What they print goes to a log; the sentence quotes its end.
"""

import os
import pathlib
import platform
import shutil
import subprocess
from collections.abc import Sequence

from shared.errors import OperatorError

# program -> the package of Debian that has it
NEEDED = {
    "debootstrap": "debootstrap",
    "dpkg-deb": "dpkg",
    "mke2fs": "e2fsprogs",
    "qemu-system-x86_64": "qemu-system-x86",
    "unshare": "util-linux",
}


def check_host() -> None:
    """Raises OperatorError if this machine cannot make a virtual machine: it says what is missing."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        raise OperatorError("./dev metal makes x86-64 machines and runs on Linux on x86-64 only: use such a machine.")
    if os.geteuid() != 0:
        raise OperatorError(
            "./dev metal makes roots of Debian, which only root may: run it as root (sudo ./dev metal)."
        )
    missing = [package for program, package in NEEDED.items() if shutil.which(program, path=_path()) is None]
    if missing:
        raise OperatorError(f"./dev metal needs {', '.join(missing)}: run apt-get install {' '.join(missing)}.")


def run(command: Sequence[str], log: pathlib.Path) -> None:
    """Runs one program to its end, its output added to the log. Raises OperatorError if it fails."""
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": _path()}
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
        ).returncode
    if code:
        ends = log.read_text(encoding="utf-8", errors="replace").split("\n")[-12:]
        raise OperatorError(f"{command[0]} failed (exit code {code}; all of it in {log}):\n" + "\n".join(ends))


def run_in_root(root: pathlib.Path, script: str, log: pathlib.Path) -> None:
    """Runs a shell script in a root, in a mount namespace of its own: nothing stays mounted, however it ends."""
    inner = 'set -e; mount -t proc proc "$1/proc"; exec chroot "$1" /bin/sh -ec "$2"'
    run(["unshare", "--mount", "sh", "-c", inner, "sh", str(root), script], log)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
