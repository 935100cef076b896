"""`./dev metal`: tries the product on Debian's own kernel and systemd, in virtual machines with simulated devices.

    ./dev metal                     everything, on every Debian
    ./dev metal pwm gpio            these scenarios; the machine is installed first if no disk with this package is kept
    ./dev metal --suite debian-13   on one Debian
    ./dev metal --list              the scenarios, and what each proves
    ./dev metal --prepare           make the machines, and run nothing
    ./dev metal arm64 atom          instead: the package on these processors, by emulation without a kernel

Runs as root on Linux on x86-64. What machines start from is kept in `.metal/`, the logs, results and journals of the
last run in `.metal/last/`. Exit code 1: something was not as it must be.
"""

import argparse
import hashlib
import pathlib
import shutil
import subprocess
import sys
import time

from shared.errors import BadInput, OperatorError
from tools.metal import commands, disks, scenarios
from tools.metal.emulator import accelerator
from tools.metal.machine import run_boot
from tools.metal.processors import __main__ as processors
from tools.metal.processors.emulated import PROCESSORS
from tools.metal.results import Verdict, summary, table
from tools.metal.scenarios import INSTALL, Boot

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".metal"


def main() -> int:
    if sys.argv[1:] and sys.argv[1] in {each.name for each in PROCESSORS}:
        return processors.main(sys.argv[1:])
    try:
        return _run(_arguments())
    except OperatorError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev metal", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios; all of them for none")
    parser.add_argument("--suite", action="append", default=[], help="debian-12 or debian-13; both for none")
    parser.add_argument(
        "--deb", type=pathlib.Path, help="the package to try; else `./dev deb` makes it of this checkout"
    )
    parser.add_argument("--list", action="store_true", help="the scenarios, and what each proves")
    parser.add_argument("--prepare", action="store_true", help="make the machines, and run nothing")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> int:
    wanted, suites = scenarios.chosen(arguments.names), scenarios.suites_of(arguments.suite)
    if arguments.list:
        print("\n".join(f"{each.name:<10} {each.proves}" for each in scenarios.SCENARIOS))
        print("\n".join(f"{each.name:<10} {each.what}, emulated; only by its name" for each in PROCESSORS))
        return 0
    commands.check_host()
    say = disks.Say()
    machines = {suite.name: disks.machine_files(suite, CACHE, say) for suite in suites}
    if arguments.prepare:
        return 0
    deb = _package(arguments.deb)
    key = hashlib.sha256(deb.read_bytes()).hexdigest()[:16]
    kept = [suite for suite in suites if machines[suite.name].installed(key).exists()]
    means = accelerator(machines[suites[0].name].kernel, CACHE / "probe.txt")
    say(f"machines run by {'hardware (KVM)' if means == 'kvm' else 'emulation (no KVM here): minutes for each boot'}")
    verdicts: list[Verdict] = []
    for boot in scenarios.boots(suites, wanted, kept):
        verdicts += _tried(boot, machines[boot.suite.name], deb, key, means)
    (CACHE / "last" / "table.md").write_text(table(verdicts) + "\n", encoding="utf-8")
    say(summary(verdicts))
    return 0 if all(each.is_good for each in verdicts) else 1


def _tried(boot: Boot, files: disks.MachineFiles, deb: pathlib.Path, key: str, means: str) -> list[Verdict]:
    """Runs one boot on a disk of its own; the disk of a good installation is kept for later runs."""
    log, disk = files.folder / "disks.log", files.folder / "disk.ext4"
    source = files.image if boot.number == 1 else files.installed(key)
    if not source.exists():
        return [Verdict(boot.suite.name, each.name, fault="the machine was not installed") for each in boot.scenarios]
    disks.copy_disk(source, disk, log)
    print(f"{boot.suite.name}, boot {boot.number}: {', '.join(each.name for each in boot.scenarios)} ...", flush=True)
    began_s = time.monotonic()
    verdicts = run_boot(boot, files, disk, deb, means, CACHE / "last" / f"{boot.suite.name}-{boot.number}")
    print(f"{summary(verdicts)}\n{boot.suite.name}, boot {boot.number}: {time.monotonic() - began_s:.0f} s", flush=True)
    if boot.number == 1 and any(each.scenario == INSTALL and each.is_good for each in verdicts):
        for old in files.folder.glob("installed-*.ext4"):
            old.unlink()
        disk.replace(files.installed(key))
    disk.unlink(missing_ok=True)
    return verdicts


def _package(given: pathlib.Path | None) -> pathlib.Path:
    """The package to try: the one that was named, or one that `./dev deb` makes of this checkout now."""
    if given is not None:
        if not given.is_file():
            raise BadInput(f"there is no package {given}: run ./dev deb --arch amd64, and give the file that it names.")
        return given
    folder = CACHE / "deb"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "tools.deb", "--arch", "amd64", "-o", str(folder)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise OperatorError("the package of this checkout could not be made: see above.")
    return next(folder.glob("*.deb"))


if __name__ == "__main__":
    sys.exit(main())
