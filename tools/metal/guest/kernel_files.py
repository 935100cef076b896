"""Reads, writes and waits for the kernel's files: sysfs, configfs, modules. Called by the simulated devices."""

import pathlib
import subprocess

from tools.metal.guest.checks import until

CONFIGFS = pathlib.Path("/sys/kernel/config")


def load(*modules: str) -> None:
    """Loads kernel modules; fails with modprobe's own words."""
    for module in modules:
        name, *options = module.split()
        subprocess.run(["modprobe", name, *options], check=True)


def mount_configfs() -> None:
    """Mounts configfs, where devices are made by making folders."""
    load("configfs")
    if not any(CONFIGFS.iterdir()):
        subprocess.run(["mount", "-t", "configfs", "none", str(CONFIGFS)], check=False)


def make(folder: pathlib.Path, **values: object) -> pathlib.Path:
    """Makes a folder of configfs and writes its files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")
    return folder


def wait_for(path: pathlib.Path, limit_s: float = 30.0) -> pathlib.Path:
    """The path once it is there; udev may take a while on a loaded machine. Raises TimeoutError."""
    if until(lambda: path if path.exists() else None, limit_s, 0.1) is None:
        raise TimeoutError(f"{path} did not appear within {limit_s:.0f} s")
    return path
