"""`./dev deb [--arch amd64|arm64]`: builds the Debian package of this commit into `dist/`, the same bytes each time."""

import argparse
import os
import pathlib
import subprocess
import sys
import tomllib

from raceday.install.shipped_files import ROLES, lock_file
from shared.errors import OperatorError, RacedayError
from tools.deb.package import build, package_files
from tools.deb.pins import Target, pins_for, read_lock
from tools.deb.wheelhouse import fetched, merged

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".deb"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PYTHONS = ((3, 11), (3, 12), (3, 13))  # of Debian 12, Ubuntu 24.04, Debian 13; as requires-python in pyproject.toml


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev deb", description=__doc__)
    parser.add_argument("--arch", action="append", choices=sorted(MACHINES), help="default: both")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=ROOT / "dist", help="folder; default: dist")
    arguments = parser.parse_args()
    if _git("status", "--porcelain"):
        print("./dev deb: the package holds changes that are in no commit.", file=sys.stderr)
    try:
        for arch in arguments.arch or sorted(MACHINES):
            _build_for(arch, arguments.output)
    except RacedayError as error:
        print(f"./dev deb: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _build_for(arch: str, folder: pathlib.Path) -> None:
    locks = [read_lock(lock_file(role)) for role in ROLES]
    targets = [Target(arch, MACHINES[arch], python) for python in PYTHONS]
    wheels = merged(fetched(target, pins_for(target, locks), CACHE / "wheels") for target in targets)
    at_s = commit_time_s()
    ours = own_wheel(CACHE / "own", at_s)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    path = build(folder, version, arch, package_files(version, (ours, *wheels), notice, at_s), at_s)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB, {len(wheels) + 1} wheels")


def commit_time_s() -> int:
    """The time that all files of the package have: $SOURCE_DATE_EPOCH, else the commit's. Raises OperatorError."""
    said = os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct")
    if not said.isascii() or not said.isdigit():
        raise OperatorError("No commit tells the package's time: set SOURCE_DATE_EPOCH to seconds since 1970.")
    return int(said)


def _git(*words: str) -> str:
    """What git says of this checkout; empty outside of one."""
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def own_wheel(folder: pathlib.Path, at_s: int) -> pathlib.Path:
    """Build Raceday's own wheel, reproducibly, by hatchling as pip would. Raises OperatorError with what it said."""
    for old in folder.glob("*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(at_s)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    built = list(folder.glob("*.whl"))
    if done.returncode or len(built) != 1:
        raise OperatorError(f"The wheel could not be built:\n{done.stdout}{done.stderr}")
    return built[0]


if __name__ == "__main__":
    sys.exit(main())
