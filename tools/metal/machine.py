"""One boot from its plan to its verdicts: lays out the shared folder, runs the machine, reads what it wrote.

Called by __main__.py.
"""

import json
import pathlib
import shutil
import tempfile

from tools.metal.disks import MachineFiles
from tools.metal.emulator import Machine, run_machine
from tools.metal.newer_package import newer_package
from tools.metal.results import Verdict, verdicts_of
from tools.metal.scenarios import Boot

GUEST = pathlib.Path(__file__).resolve().parent / "guest"


def run_boot(
    boot: Boot, files: MachineFiles, disk: pathlib.Path, deb: pathlib.Path, means: str, out: pathlib.Path
) -> list[Verdict]:
    """Runs one boot; the verdicts of its scenarios. Logs, results and the machine's journal stay in `out`."""
    shutil.rmtree(out, ignore_errors=True)
    share = out / "share"
    lay_share(boot, share, files.packages, deb)
    if any(each.needs_newer for each in boot.scenarios):
        with tempfile.TemporaryDirectory(prefix="metal-newer-") as work:
            newer = newer_package(deb, pathlib.Path(work), out / "newer.log")
            (share / "newer").mkdir()
            shutil.move(newer, share / "newer")
    machine = Machine(files.kernel, files.initrd, disk, share, out / "console.txt")
    run_machine(machine, means, boot.limit_s)
    results = share / "results.jsonl"
    lines = results.read_text(encoding="utf-8", errors="replace").split("\n") if results.exists() else []
    for name in ("files", "newer"):
        shutil.rmtree(share / name, ignore_errors=True)
    return verdicts_of(boot, lines)


def lay_share(boot: Boot, share: pathlib.Path, packages: pathlib.Path, deb: pathlib.Path) -> None:
    """What the machine sees as /metal: its plan, the scripts, our package, and Debian's that it may install."""
    guest = share / "tools/metal/guest"
    shutil.copytree(GUEST, guest, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (share / "tools", share / "tools/metal"):
        (folder / "__init__.py").touch()
    (share / "files").mkdir()
    shutil.copytree(packages, share / "files/packages")
    shutil.copy(deb, share / "files")
    plan = [
        {
            "name": each.name,
            "script": each.script,
            "python": each.python,
            "limit_s": each.limit_s,
            "needs_car": each.needs_car,
        }
        for each in boot.scenarios
    ]
    (share / "plan.json").write_text(json.dumps({"scenarios": plan}), encoding="utf-8")
