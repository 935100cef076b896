"""The work on a backup, in a process of its own: `python -m station.service.backups.worker ACT DATA_DIR FILE`.

Started by station_backups.py. It prints one JSON line for each step: {"share": 0.4}; in the end {"done": ...} or
{"error": ...}.
"""

import json
import pathlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from shared.errors import RacedayError
from shared.files import remedy_of
from station.service.backups.contents import contents_of
from station.store.opening import JOURNAL
from station.store.recovery.backup import back_up, unpack
from station.store.recovery.restoring import stage


def make(data_dir: pathlib.Path, file: pathlib.Path) -> dict[str, Any]:
    """Makes a backup, and says what could not be put in it."""
    return {"left_out": back_up(data_dir, file, _progress(0.0, 1.0)).left_out}


def check(data_dir: pathlib.Path, file: pathlib.Path) -> dict[str, Any]:
    """Checks a backup, and says what is in it and what is here."""
    with tempfile.TemporaryDirectory(prefix="check.", dir=data_dir) as name:
        unpack(file, pathlib.Path(name))
        _say({"share": 0.6})
        there = contents_of(pathlib.Path(name) / JOURNAL)
    _say({"share": 0.8})
    return {"there": asdict(there), "here": asdict(contents_of(data_dir / JOURNAL))}


def prepare(data_dir: pathlib.Path, file: pathlib.Path, keep: pathlib.Path) -> dict[str, Any]:
    """Keeps the present state as the backup `keep`, and stages `file`; the station then restarts with it."""
    back_up(data_dir, keep, _progress(0.0, 0.6))
    staged = stage(data_dir, file)
    return asdict(staged)


ACTS: dict[str, Callable[..., dict[str, Any]]] = {"make": make, "check": check, "prepare": prepare}


def _progress(begin: float, end: float) -> Callable[[float], None]:
    return lambda share: _say({"share": round(begin + share * (end - begin), 3)})


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    act, *paths = arguments
    try:
        _say({"done": ACTS[act](*map(pathlib.Path, paths))})
    except RacedayError as error:
        _say({"error": str(error)})
    except OSError as error:
        _say({"error": f"{error.filename or paths[0]}: the disk refuses ({error.strerror}); {remedy_of(error)}."})


if __name__ == "__main__":
    main(sys.argv[1:])
