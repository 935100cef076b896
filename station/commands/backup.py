"""`raceday backup FILE` while the station runs, `raceday restore FILE` while it does not."""

import argparse
import os
import pathlib

from shared.chosen_config import add_config_option, chosen_config
from shared.config import load
from station.build import hold_lock, prepared
from station.config import StationConfig
from station.store.recovery.backup import back_up
from station.store.recovery.restoring import commit, finish, stage
from station.sync.operator.status import hold_sync_lock


def backup(arguments: list[str]) -> int:
    """`raceday backup FILE`: writes the backup and prints what it holds. Raises BadInput, StorageError."""
    options = _parsed(
        "backup",
        "Writes journal, key, tracks, posted results and hand ticks to one file; the station may be running.",
        arguments,
    )
    print(back_up(options.data_dir, options.file))
    return 0


def restore(arguments: list[str]) -> int:
    """`raceday restore FILE`: puts the backup in place. Raises BadInput, StorageError; OperatorError while in use."""
    options = _parsed("restore", "Puts a backup in place; the files that are there now are moved aside.", arguments)
    station_lock = hold_lock(prepared(options.data_dir))
    sync_lock = hold_sync_lock(options.data_dir)
    try:
        print(restore_backup(options.data_dir, options.file))
    finally:
        os.close(sync_lock)
        os.close(station_lock)
    return 0


def restore_backup(data_dir: pathlib.Path, backup: pathlib.Path) -> str:
    """Puts a backup in place of the folder's files, which are moved aside; returns a sentence about it.

    The caller holds the locks of station and sync. Raises BadInput, StorageError.
    """
    finish(data_dir)  # one that was cut off
    commit(data_dir, stage(data_dir, backup))
    done = finish(data_dir)
    assert done is not None, "it was committed a moment ago"
    old_files = ", ".join(str(data_dir / name) for name in done.aside)
    return (
        f"{data_dir}: restored, {done.records} records, head {done.head}."
        + (f" The files that were there before: {old_files}." if old_files else "")
        + " Results that were posted after this backup remain at the leaderboard as they are."
    )


def _parsed(verb: str, what: str, arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"raceday {verb}", description=what)
    parser.add_argument("file", type=pathlib.Path, help="the backup")
    source = parser.add_mutually_exclusive_group()
    add_config_option(source, "station.toml")
    source.add_argument("--data-dir", type=pathlib.Path, metavar="DIR", help="the station's folder")
    options = parser.parse_args(arguments)
    options.data_dir = options.data_dir or load(chosen_config(options.config, "station.toml"), StationConfig).data_dir
    return options
