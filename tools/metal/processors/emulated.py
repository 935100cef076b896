"""A Debian root whose programs run on an emulated processor: which processors there are, and how a command enters one.

Called by `smoke.py`. Nothing of the host's kernel is changed: see `_ARM_ENTRY`. deb(1) architectures, QEMU's CPU names.
"""

import os
import pathlib
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import OperatorError


@dataclass(frozen=True, slots=True)
class EmulatedProcessor:
    """A processor to try: Debian's architecture, QEMU's model, instructions that it must have and must not have."""

    name: str
    what: str
    arch: str
    cpu: str
    has: frozenset[str]
    has_not: frozenset[str]


# The Raspberry Pi 4's, and a stock DeepRacer's Atom (Goldmont): names of instructions as numpy tells them.
PROCESSORS = (
    EmulatedProcessor(
        "arm64", "a Raspberry Pi 4's Cortex-A72", "arm64", "cortex-a72", frozenset({"ASIMD"}), frozenset({"SVE"})
    ),
    EmulatedProcessor(
        "atom", "an Atom without AVX", "amd64", "Denverton", frozenset({"SSE42"}), frozenset({"AVX", "AVX2", "FMA3"})
    ),
)
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "DEBIAN_FRONTEND": "noninteractive",
}

# In a user namespace of its own (Linux 6.7) `binfmt_misc` is its own too: the kernel hands ARM programs to QEMU in here
# and nowhere else. QEMU shows the host's /proc/cpuinfo, by which libraries take the processor for an unknown one.
_ARM_ENTRY = r"""
echo ready; read -r _
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s' ":arm64:M::$elf:$mask:/usr/bin/qemu-aarch64-static:F" > /proc/sys/fs/binfmt_misc/register
for each in dev proc sys; do mount --rbind "/$each" "$1/$each"; done
mount --bind "$2" "$1/proc/cpuinfo"
root=$1; shift 2
exec chroot "$root" "$@"
"""
CPUINFO = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
"""


def run_in(processor: EmulatedProcessor, root: pathlib.Path, words: Sequence[str], limit_s: float) -> str:
    """Run a command in the root on the emulated processor; return what it printed. Raises OperatorError if it fails."""
    variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    if processor.arch == "arm64":
        process = _entered_arm(root, [*variables, f"QEMU_CPU={processor.cpu}", *words])
    else:
        process = _entered_x86(root, [*variables, *words], processor.cpu)
    try:
        output, errors = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # it and all that it started
        process.communicate()
        raise OperatorError(f"{processor.name}: {' '.join(words)} did not end within {limit_s:.0f} s.") from None
    if process.returncode:
        said = "\n".join(line for line in (output + errors).splitlines() if not line.startswith("qemu-"))
        raise OperatorError(f"{processor.name}: {' '.join(words)} failed:\n{said[-3000:]}")
    return output


def _entered_x86(root: pathlib.Path, words: list[str], cpu: str) -> subprocess.Popen[str]:
    """By proot, which starts each program of the root under QEMU: the kernel would run them on the real processor."""
    proot = ["proot", "-q", f"qemu-x86_64-static -cpu {cpu}", "-r", str(root), "-0", "-w", "/", "-b", "/dev"]
    environment = os.environ | {"PROOT_FORCE_FOREIGN_BINARY": "1", "PROOT_NO_SECCOMP": "1"}
    return _started([*proot, "-b", "/proc", "-b", "/sys", "/usr/bin/env", "-i", *words], environment)


def _entered_arm(root: pathlib.Path, words: list[str]) -> subprocess.Popen[str]:
    """By a user namespace in which ARM programs are QEMU's. All user ids are mapped: packages have files of many."""
    cpuinfo = root.with_suffix(".cpuinfo")
    cpuinfo.write_text(CPUINFO, encoding="utf-8")
    unshare = ["unshare", "--user", "--mount", "--propagation", "private", "sh", "-ec", _ARM_ENTRY, "sh"]
    process = _started([*unshare, str(root), str(cpuinfo), "/usr/bin/env", "-i", *words], dict(os.environ))
    assert process.stdin is not None
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise OperatorError(f"a user namespace cannot be made here: {process.communicate()[1].strip()}")
    for kind in ("uid_map", "gid_map"):
        pathlib.Path(f"/proc/{process.pid}/{kind}").write_text("0 0 65536\n", encoding="ascii")
    process.stdin.write("mapped\n")
    process.stdin.flush()
    return process


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env=environment, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
