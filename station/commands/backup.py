"""`raceday backup FILE` while the station runs, `raceday restore FILE` while it does not."""

import argparse
import os
import pathlib

from shared.config import load
from station.build import hold_lock, prepared
from station.config import StationConfig
from station.store.recovery.backup import back_up, restore_backup
from station.sync.status import hold_sync_lock


def backup(arguments: list[str]) -> int:
    """Raises BadInput, StorageError."""
    asked = _asked("backup", "Journal, key and what was posted, in one file; the station may run.", arguments)
    print(back_up(asked.data_dir, asked.file))
    return 0


def restore(arguments: list[str]) -> int:
    """Raises BadInput, StorageError; OperatorError while station or sync run."""
    asked = _asked("restore", "Puts a backup in place; what is there now is moved aside.", arguments)
    held = hold_lock(prepared(asked.data_dir))
    synced = hold_sync_lock(asked.data_dir)
    try:
        print(restore_backup(asked.data_dir, asked.file))
    finally:
        os.close(synced)
        os.close(held)
    return 0


def _asked(verb: str, what: str, arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"raceday {verb}", description=what)
    parser.add_argument("file", type=pathlib.Path, help="the backup")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--config", type=pathlib.Path, default=pathlib.Path("config/station.toml"), metavar="FILE")
    source.add_argument("--data-dir", type=pathlib.Path, metavar="DIR", help="the station's folder")
    asked = parser.parse_args(arguments)
    asked.data_dir = asked.data_dir or load(asked.config, StationConfig).data_dir
    return asked
