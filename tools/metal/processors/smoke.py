"""Does the package work on a processor that is not this machine's? Its answers are compared with those of this machine.

Called by `__main__.py`. What is looked at is in `tools/metal/guest/smoke.py`, which runs in both places.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from raceday.install.shipped_files import ROLES, lock_file
from shared.errors import OperatorError
from tools.metal.processors.emulated import EmulatedProcessor, run_in
from tools.metal.processors.roots import debian_root, install_package
from tools.metal.results import Check, Verdict

GUEST = pathlib.Path(__file__).resolve().parents[1] / "guest" / "smoke.py"
MOST_DIFFERENCE = 1e-6  # of an action's probability
SMOKE_S = 1800.0


def here() -> dict[str, Any]:
    """What the same script finds on this machine, with the same pins. Raises OperatorError."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(GUEST), folder]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperatorError(f"the smoke test failed on this machine:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def tried(processor: EmulatedProcessor, deb: pathlib.Path, cache: pathlib.Path, expected: Mapping[str, Any]) -> Verdict:
    """Installs the package on the emulated processor and looks at it there; a failure is the verdict's fault."""
    verdict, began = Verdict("debian-12", processor.name), time.monotonic()
    try:
        root = debian_root(processor, cache)
        install_package(processor, root, deb, [lock_file(role) for role in ROLES])
        folder = pathlib.Path(tempfile.mkdtemp(dir=root / "tmp"))
        (folder / "smoke.py").write_bytes(GUEST.read_bytes())
        inside = f"/tmp/{folder.name}"  # noqa: S108  # the root's own
        printed = run_in(processor, root, ["/opt/tried/bin/python", f"{inside}/smoke.py", inside], SMOKE_S)
        verdict.checks += compared(processor, json.loads(printed), expected)
        command = "/opt/tried/bin/raceday"
        said = run_in(processor, root, [command, "--version"], SMOKE_S)
        verdict.checks.append(Check("raceday --version", said.startswith("raceday "), said.partition("\n")[0]))
        demo = "/opt/tried/lib/python3.11/site-packages/simulator/data/models/demo"
        said = run_in(processor, root, ["sh", "-c", f"{command} model check {demo} 2>&1 || true"], SMOKE_S)
        verdict.checks.append(Check("raceday model check", is_checked(said), said.rpartition("/")[2]))
        verdict.fault = ""
    except OperatorError as error:
        verdict.fault = str(error)
    verdict.took_s = time.monotonic() - began
    return verdict


def is_checked(said: str) -> bool:
    """Did `raceday model check` find nothing but, maybe, that an emulated processor is slower than a car's?"""
    return "fit to drive" in said or re.search(r"It takes \d+ ms for a frame; no car keeps up", said) is not None


def compared(processor: EmulatedProcessor, found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Check]:
    """What the script found on the emulated processor, beside what it found here."""
    units = frozenset(found["simd"])
    difference = greatest_difference(found["answers"], expected["answers"])
    is_right = processor.has <= units and not processor.has_not & units
    return [
        Check("vector instructions", is_right, ", ".join(sorted(units))),
        Check("imports of every role", True, f"{found['import_s']} s (here {expected['import_s']} s)"),
        Check("drivers", found["drivers"] == expected["drivers"], f"{found['drivers']} load"),
        Check("a station's gates", found["station"] == expected["station"], found["station"]),
        Check("paths of the leaderboard", found["leaderboard"] == expected["leaderboard"], str(found["leaderboard"])),
        Check("the demo model's answers", difference <= MOST_DIFFERENCE, f"differ by at most {difference:.1e}"),
    ]


def greatest_difference(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """Between two lists of answers; infinite if there are none, or not as many, or one is not a number."""
    pairs = [(a, b) for one, other in zip(ours, theirs, strict=False) for a, b in zip(one, other, strict=False)]
    if not pairs or [len(each) for each in ours] != [len(each) for each in theirs]:
        return float("inf")
    differences = [abs(a - b) for a, b in pairs]
    return max(differences) if all(each == each for each in differences) else float("inf")  # noqa: PLR0124  # not a number
