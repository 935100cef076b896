"""A further role's release begins as the one in use, whose files it shares, so that pip adds only what is missing.

Called by release.py. Sharing is by hard links: pip puts a file in place and takes one away, and writes into none that
is there, so that what runs stays as it is. Scripts and the interpreter name their own folder, and are made anew.
"""

import os
import pathlib
import shutil

from shared.errors import StorageError

OF_ITS_OWN = frozenset({"bin", "lib64", "pyvenv.cfg"})  # `python -m venv` has made them


def begin_as(base: pathlib.Path, folder: pathlib.Path, names: tuple[str, str]) -> None:
    """Puts the packages of the environment `base` into `folder`, which venv has made without any. Raises StorageError.

    `names`: what the two are called on their machine, as scripts name them ("/opt/raceday/releases/0.1.0-458a68bf").
    """
    try:
        _copy_packages(base, folder)
        _copy_scripts(base / "bin", folder / "bin", names)
    except shutil.Error as error:  # copytree's own, of all folders that refused: it has no number, and a list for text
        source, target, why = error.args[0][0]
        raise StorageError(f"{source} cannot be copied to {target} ({why}).") from None
    except OSError as error:
        raise StorageError(
            f"{error.filename or folder} cannot be copied or written ({error.strerror or error})."
        ) from None


def _copy_packages(base: pathlib.Path, folder: pathlib.Path) -> None:
    for entry in base.iterdir():
        if entry.name in OF_ITS_OWN or not entry.is_dir():
            continue
        shutil.copytree(entry, folder / entry.name, symlinks=True, copy_function=_share, dirs_exist_ok=True)


def _copy_scripts(base: pathlib.Path, folder: pathlib.Path, names: tuple[str, str]) -> None:
    for script in base.iterdir():
        target = folder / script.name
        if script.is_symlink() or target.exists():
            continue
        data = script.read_bytes()
        if data.startswith(b"#!"):
            target.write_bytes(data.replace(names[0].encode(), names[1].encode()))
            target.chmod(script.stat().st_mode & 0o777)
        else:
            _share(str(script), str(target))


def _share(source: str, target: str) -> None:
    """One file under two names, or a copy on a file system that knows no such thing. Raises StorageError.

    That is no OSError, so that copytree ends at the first file, and does not try each other one on a disk that is full.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        _copy(source, target)  # which says what is wrong, if that is another thing


def _copy(source: str, target: str) -> None:
    try:
        shutil.copy2(source, target)
    except OSError as error:
        raise StorageError(f"{source} cannot be copied to {target} ({error.strerror or error}).") from None
