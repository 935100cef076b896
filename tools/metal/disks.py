"""Keeps what the machines start from in `.metal/`: roots as disk images, the packages beside them, installed disks.

Called by __main__.py. A suite's folder is made anew when its recipe changed (suites.py and the files that follow it);
`image.ext4` is the fresh machine, `installed-KEY.ext4` the same after the two commands with the package of that key.
"""

import hashlib
import pathlib
import shutil
from dataclasses import dataclass

from tools.metal import commands, kernel_modules, pin_library, root_folder
from tools.metal.suites import Suite, recipe

DISK_SIZE = "7G"  # sparse: the product is installed twice, beside the wheels of its package


@dataclass(frozen=True, slots=True)
class MachineFiles:
    """The folder of one suite in `.metal/`."""

    folder: pathlib.Path

    @property
    def kernel(self) -> pathlib.Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> pathlib.Path:
        return self.folder / "initrd"

    @property
    def image(self) -> pathlib.Path:
        return self.folder / "image.ext4"

    @property
    def packages(self) -> pathlib.Path:
        return self.folder / "packages"

    def installed(self, key: str) -> pathlib.Path:
        return self.folder / f"installed-{key}.ext4"


def machine_files(suite: Suite, cache: pathlib.Path, say: "Say") -> MachineFiles:
    """The files of a suite's machine, made now if there are none or their recipe changed. Takes minutes then."""
    files = MachineFiles(cache / suite.name)
    stamp = files.folder / "recipe"
    wanted = recipe_key(suite)
    if stamp.exists() and stamp.read_text() == wanted:
        return files
    shutil.rmtree(files.folder, ignore_errors=True)
    files.folder.mkdir(parents=True)
    log = files.folder / "make.log"
    fresh, workshop = files.folder / "fresh", files.folder / "workshop"
    say(f"{suite.name}: making a fresh root (log: {log}) ...")
    root_folder.make_fresh(suite, fresh, log)
    say(f"{suite.name}: fetching the packages that it will install ...")
    root_folder.make_workshop(suite, fresh, workshop, log)
    root_folder.list_packages(workshop, files.packages, log)
    say(f"{suite.name}: building the simulators for its kernel ...")
    kernel_modules.build_modules(workshop, fresh, log)
    version = kernel_modules.kernel_version(fresh)
    shutil.copy(fresh / "boot" / f"vmlinuz-{version}", files.kernel)
    shutil.copy(fresh / "boot" / f"initrd.img-{version}", files.initrd)
    root_folder.allow_services(fresh)
    commands.run(["mke2fs", "-q", "-t", "ext4", "-d", str(fresh), str(files.image), DISK_SIZE], log)
    shutil.rmtree(workshop)
    shutil.rmtree(fresh)
    stamp.write_text(wanted)
    return files


def recipe_key(suite: Suite) -> str:
    """A hash of all that decides what the suite's root holds."""
    texts = [recipe(suite), DISK_SIZE]
    texts += [pathlib.Path(str(module.__file__)).read_text() for module in (root_folder, kernel_modules, pin_library)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def copy_disk(source: pathlib.Path, target: pathlib.Path, log: pathlib.Path) -> None:
    """A copy of a disk that takes no more room than what is on it, and appears whole or not at all."""
    part = target.with_suffix(".part")
    commands.run(["cp", "--sparse=always", "--reflink=auto", str(source), str(part)], log)
    part.replace(target)


class Say:
    """Tells the person at the terminal what is being done."""

    def __call__(self, sentence: str) -> None:
        print(sentence, flush=True)
