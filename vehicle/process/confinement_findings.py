"""What the kernel of this machine leaves open to a racer's model, for `raceday doctor`.

The pilot logs the same sentences when it restricts itself (landlock.py, seccomp.py).
"""

import os

from shared.findings import Finding
from vehicle.process.landlock import LandlockKernel, LinuxLandlock, landlock_version, left_open_by
from vehicle.process.seccomp import left_open_without_filter

WHAT = "confinement of models"


def confinement_findings(kernel: LandlockKernel | None = None, machine: str = "") -> list[Finding]:
    """One finding for each thing that stays open, or one that says that nothing does.

    `machine`: as `uname -m` says it, of this one without it. Only the owner can judge whether a gap matters: whose
    models drive here is not known.
    """
    version, cure = landlock_version(LinuxLandlock() if kernel is None else kernel)
    no_filter = left_open_without_filter(machine or os.uname().machine)
    found = [Finding(WHAT, None, sentence, cure) for sentence in left_open_by(version, is_filtered=not no_filter)]
    if no_filter:
        found.append(Finding(WHAT, None, no_filter, "Use a 64-bit system on this machine."))
    return found or [
        Finding(WHAT, True, f"A racer's model reaches its own files and no other process (Landlock {version}).")
    ]
