"""The wheels of a package: fetched once by pip into a cache, each checked against the locks again when it is packed.

Called by `python -m tools.deb`. The cache is `.deb/wheels/ARCH-PYTHON/`; with it filled, no network is asked.
"""

import hashlib
import pathlib
import sys
import time
from collections.abc import Iterable

from shared.errors import BadInput, RetryLater
from tools.deb.pins import Pin, Target
from tools.install import run_pip


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file, as locks write it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetched(target: Target, pins: tuple[Pin, ...], cache: pathlib.Path) -> tuple[pathlib.Path, ...]:
    """The wheel of each pin for the target, from the cache or by pip.

    Raises RetryLater if pip cannot get one, BadInput if a file in the cache is not what the lock names.
    """
    folder = cache / f"{target.arch}-{target.python[0]}.{target.python[1]}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = "".join(f"{pin.release} {' '.join(f'--hash=sha256:{h}' for h in sorted(pin.hashes))}\n" for pin in pins)
    requirements, names = folder / "requirements.txt", folder / "wheels.txt"
    if not _is_filled(requirements, names, wanted):
        names.unlink(missing_ok=True)
        requirements.write_text(wanted, encoding="utf-8")
        _download(target, len(pins), requirements)
        hashes = frozenset().union(*(pin.hashes for pin in pins))
        kept = sorted(path.name for path in folder.glob("*.whl") if sha256(path) in hashes)  # others: of older locks
        names.write_text("\n".join(kept), encoding="utf-8")
    paths = tuple(folder / name for name in names.read_text(encoding="utf-8").split())
    _check(paths, pins, folder)
    return paths


def _is_filled(requirements: pathlib.Path, names: pathlib.Path, wanted: str) -> bool:
    """Was all that is wanted fetched before, and is it still there?"""
    if not names.exists() or requirements.read_text(encoding="utf-8") != wanted:
        return False
    return all((names.parent / name).exists() for name in names.read_text(encoding="utf-8").split())


def _download(target: Target, count: int, requirements: pathlib.Path) -> None:
    python = f"{target.python[0]}.{target.python[1]}"
    sys.stderr.write(f"fetching {count} wheels for {target.arch}, Python {python} ...\n")
    platforms = [word for platform in target.platforms for word in ("--platform", platform)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    arguments = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--python-version", python]
    arguments += ["--implementation", "cp", *platforms, "-d", str(requirements.parent), "-r", str(requirements)]
    began = time.monotonic()
    if run_pip(pip, "download", arguments, count):
        raise RetryLater(
            f"pip could not fetch the wheels for {target.arch}, Python {python}: see above; then run it again."
        )
    sys.stderr.write(f"{count} wheels in {time.monotonic() - began:.0f} s\n")


def _check(paths: tuple[pathlib.Path, ...], pins: tuple[Pin, ...], folder: pathlib.Path) -> None:
    """Each wheel is one that a lock names, and each pin has its wheel."""
    digests = {sha256(path): path for path in paths}
    for digest, path in digests.items():
        if not any(digest in pin.hashes for pin in pins):
            raise BadInput(f"{path}: not the file that the lock names (its SHA-256 differs). Delete it, and run again.")
    for pin in pins:
        if not pin.hashes & digests.keys():
            raise BadInput(f"{pin.release}: no wheel of it is in {folder}. Delete that folder, and run again.")


def merged(folders: Iterable[tuple[pathlib.Path, ...]]) -> tuple[pathlib.Path, ...]:
    """The wheels of several Pythons, each once (many run on all of them), by name."""
    by_name = {path.name: path for paths in folders for path in paths}
    return tuple(by_name[name] for name in sorted(by_name))
