"""Runs one boot of a machine in QEMU, without a network, and ends it at its time limit. Called by machine.py.

Hardware virtualisation where it works; else the whole machine is emulated, about ten times slower.
"""

import pathlib
import subprocess
import time
from dataclasses import dataclass

QEMU = "qemu-system-x86_64"
MEMORY_MB, CORES = 2048, 2
PROBE_S = 30.0  # a guest under KVM says its first word within a second; where KVM is nested badly, it never does
KERNEL_SPEAKS = b"Linux version"
ACCELERATORS = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    "tcg": ("-accel", "tcg,thread=multi", "-cpu", "max"),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What QEMU starts: kernel, initial disk and disk; the folder that it shares as /metal; the file of its console."""

    kernel: pathlib.Path
    initrd: pathlib.Path
    disk: pathlib.Path
    share: pathlib.Path
    console: pathlib.Path


def accelerator(kernel: pathlib.Path, console: pathlib.Path) -> str:
    """The means that work on this host: "kvm" if a kernel says a word under it within `PROBE_S`, else "tcg"."""
    if not pathlib.Path("/dev/kvm").exists():
        return "tcg"
    command = [QEMU, *ACCELERATORS["kvm"], "-m", "256", "-nographic", "-no-reboot", "-nic", "none"]
    command += ["-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
    with console.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        end_s = time.monotonic() + PROBE_S
        while time.monotonic() < end_s and process.poll() is None:
            if KERNEL_SPEAKS in console.read_bytes():
                return "kvm"
            time.sleep(0.2)
        return "kvm" if KERNEL_SPEAKS in console.read_bytes() else "tcg"
    finally:
        process.kill()
        process.wait()


def run_machine(machine: Machine, means: str, limit_s: float) -> bool:
    """Runs a machine until it switches itself off; False if it had to be ended at its limit."""
    command = [QEMU, *ACCELERATORS[means], "-m", str(MEMORY_MB), "-smp", str(CORES), "-nographic", "-no-reboot"]
    command += ["-drive", f"file={machine.disk},if=virtio,format=raw,cache=unsafe"]
    command += ["-kernel", str(machine.kernel), "-initrd", str(machine.initrd)]
    command += ["-append", "root=/dev/vda rw console=ttyS0 panic=5 quiet systemd.show_status=no"]
    command += ["-virtfs", f"local,path={machine.share},mount_tag=metal,security_model=none", "-nic", "none"]
    with machine.console.open("wb") as output:
        try:
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return True
