"""`compiled` and `compiled_part`: the decorators of all compiled functions; machine code is kept on disk.

Numba keeps a function's code until that function's own file changes, though code of other files is built into it.
So the code lies in a folder named after all sources that take part: after any change a new folder is begun.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.errors import HardwareMissing

__all__ = ["NEEDS_NUMBA", "batch_available", "call", "compiled", "compiled_inside", "compiled_part"]

NEEDS_NUMBA = "Many worlds at once need numba, which is not installed: pip install 'raceday[virtual]'."

_MAX_UNKEPT = 50  # more functions than one calls
KEPT = 3  # folders of code of other sources, as of other branches
_PACKAGE = Path(__file__).resolve().parent
# The sources of compiled functions, and of constants that become machine code: files, or folders with all their files.
_SOURCES = (
    _PACKAGE,
    _PACKAGE / "drawing",
    _PACKAGE.parent / "objects",
    _PACKAGE.parent / "world" / "car.py",
    _PACKAGE.parent / "world" / "cars" / "motion.py",
    _PACKAGE.parent / "world" / "floor_texture.py",
    _PACKAGE.parent / "world" / "geometry.py",
    _PACKAGE.parents[1] / "vehicle" / "core" / "pulses.py",
)


def batch_available() -> bool:
    """True if numba is installed, which many worlds at once need."""
    return find_spec("numba") is not None


def compiled(function: Callable[..., Any]) -> Any:
    """Compile `function` on its first call, without the interpreter's lock and with exact arithmetic.

    Raises HardwareMissing, one sentence, if numba is not installed.
    """
    return _compiled(function)


def compiled_part(function: Callable[..., Any]) -> Any:
    """As `compiled`, but for functions that only compiled ones call: these compile and run faster.

    They have no entry for Python, and their code is kept with that of their callers. They do not count who holds the
    arrays that they are given, which took a quarter of a picture's time: so they may not make arrays. Numba compiles
    them anew for each whole number that is written into a call: a variable costs nothing.
    """
    return _compiled(function, is_kept=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)


def compiled_inside(function: Callable[..., Any]) -> Any:
    """As `compiled_part`, for functions with one caller, into whose code they are built.

    An array is seven numbers, and a scene dozens of them: to hand them down to a row took as long as half its pixels.
    """
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False, "forceinline": True}
    return _compiled(function, is_kept=False, **options)


def _compiled(function: Callable[..., Any], is_kept: bool = True, **options: bool) -> Any:
    try:
        import numba  # noqa: PLC0415 (absent on a car and on a station)
    except ImportError as error:
        raise HardwareMissing(NEEDS_NUMBA) from error
    folder = _folder()
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, folder or numba.config.CACHE_DIR
    try:
        # No fastmath: a sum must not depend on how the compiler arranges it, nor differ from plain Python's.
        kept = is_kept and bool(folder)
        return numba.njit(cache=kept, nogil=True, fastmath=False, error_model="numpy", **options)(function)
    finally:
        numba.config.CACHE_DIR = before


_called: set[Any] = set()


def call(function: Any, *arguments: Any) -> Any:
    """Call a compiled function from Python; of several processes one compiles it, and the others read its code.

    A process that drives a stranger's model may read what others compiled, and keeps nothing for them.
    """
    if function in _called or not _folder():
        return _answer(function, arguments)
    try:
        with (Path(_folder()) / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            answer = function(*arguments)
    except PermissionError:
        answer = _answer(function, arguments)
    _called.add(function)
    return answer


def _answer(function: Any, arguments: tuple[Any, ...]) -> Any:
    """The function's answer. Numba raises after it has compiled a function that it may not keep: then it has it."""
    for _ in range(_MAX_UNKEPT):
        with contextlib.suppress(PermissionError):
            return function(*arguments)
    return function(*arguments)


def compiled_code() -> list[Path]:
    """Where machine code lies that is read when a function is first called; empty if none is kept."""
    return [Path(_folder())] if _folder() else []


@cache
def _folder() -> str:
    """Where the machine code of these sources lies; empty if no folder can be written."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    user = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    places = [Path(given)] if given else [_PACKAGE / "__pycache__", Path(user).expanduser() / "raceday"]
    for place in places:
        folder = place / f"compiled-{_fingerprint()}"
        try:
            if not folder.is_dir():
                _tidy(place)
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
        except OSError:
            continue
    return ""


def _tidy(place: Path) -> None:
    """Remove the code of all but the newest sources before these."""
    folders = sorted(place.glob("compiled-*"), key=lambda folder: folder.stat().st_mtime)
    for old in folders[:-KEPT]:
        shutil.rmtree(old)


def _fingerprint() -> str:
    """A short hash of the sources from which machine code is made."""
    digest = hashlib.sha256()
    for source in sorted(path for place in _SOURCES for path in (place.glob("*.py") if place.is_dir() else [place])):
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:12]
