"""`raceday league`: back up and restore a leaderboard in one file, archive a season."""

import argparse
import pathlib
import sys
from datetime import UTC, datetime

from leaderboard.commands.stores import open_to_read
from leaderboard.config import LeaderboardConfig, read
from leaderboard.core.access import ADMIN
from leaderboard.exchange.archiving import ArchivedSeason, archive_season
from leaderboard.exchange.backup.restoring import checked_backup, counted, described, is_empty, restore
from leaderboard.exchange.backup.writing import write_backup
from leaderboard.store.database import Store, open_store
from shared.chosen_config import add_config_option, chosen_config
from shared.clock import SystemClock
from shared.errors import OperatorError
from shared.units import NS_PER_S


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises RacedayError."""
    chosen = _parser().parse_args(arguments)
    config = read(chosen_config(chosen.config, "leaderboard.toml"))
    now_utc_ns = SystemClock().utc_ns()
    if chosen.action == "backup":
        return _backup(config, chosen.file, chosen.replace, now_utc_ns)
    if chosen.action == "restore":
        return _restore(config, chosen.file, chosen.yes, now_utc_ns)
    return _archive(config, chosen.season, chosen.yes, now_utc_ns)


def _backup(config: LeaderboardConfig, file: pathlib.Path, replace: bool, now_utc_ns: int) -> int:
    store = open_to_read(config)
    try:
        done = write_backup(store, file, now_utc_ns, replace)
    finally:
        store.close()
    held = f"{counted(done.races, 'race')}, {counted(done.results, 'result')}"
    print(f"{file}: {held}, {done.size_bytes} bytes, SHA-256 {done.sha256}.")
    print("It holds hashes of secrets and all names: keep it where only you can read it.")
    return 0


def _restore(config: LeaderboardConfig, file: pathlib.Path, yes: bool, now_utc_ns: int) -> int:
    reader, counts = checked_backup(file)
    store = open_store(config.store.place)  # refuses while a leaderboard serves from it
    try:
        made = datetime.fromtimestamp(reader.header.made_utc_ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC")
        print(f"{file}: {described(counts)}, of {made}.")
        if not is_empty(store):
            aside = _aside(config, now_utc_ns)
            _ask(f"It replaces all that is in {_place(config)}, which is saved in {aside} first.", yes)
            write_backup(store, aside, now_utc_ns)
        restore(store, reader)
    finally:
        store.close()
    print(f"{_place(config)}: restored. Everybody signs in again; stations and keys get in as before.")
    return 0


def _place(config: LeaderboardConfig) -> str:
    return "the database" if config.store.url else config.store.path


def _aside(config: LeaderboardConfig, now_utc_ns: int) -> pathlib.Path:
    at = datetime.fromtimestamp(now_utc_ns // NS_PER_S, UTC).strftime("%Y%m%dT%H%M%SZ")
    return pathlib.Path(config.store.path).with_suffix(f".before-restore-{at}.backup")


def _archive(config: LeaderboardConfig, season_id: str, yes: bool, now_utc_ns: int) -> int:
    store: Store = open_store(config.store.place)
    try:
        wanted = archive_season(store, ADMIN, season_id, now_utc_ns, dry_run=True)
        _ask(f"Season {season_id}: {_words(wanted)} This cannot be undone.", yes)
        archive_season(store, ADMIN, season_id, now_utc_ns, dry_run=False)
    finally:
        store.close()
    print(f"Season {season_id} is archived: its results, names and evidence stay.")
    return 0


def _words(found: ArchivedSeason) -> str:
    return (
        f"Entries parted from their accounts: {found.entries}, in {counted(found.races, 'race')}. "
        f"Accounts that have nothing else here and are deleted: {found.accounts}."
    )


def _ask(what: str, yes: bool) -> None:
    """Ask the person at the terminal. Raises OperatorError if it is not wanted, or nobody is there to ask."""
    if yes:
        print(what)
        return
    if not sys.stdin.isatty():
        raise OperatorError(f"{what} Nothing was done: add --yes to go on.")
    if input(f"{what} Go on? Type yes: ").strip().lower() != "yes":
        raise OperatorError("Nothing was done.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday league", description="Keeps a leaderboard's data for good.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    backup = actions.add_parser("backup", help="write everything to one file, while it serves or not")
    backup.add_argument("file", type=pathlib.Path, metavar="FILE")
    backup.add_argument("--replace", action="store_true", help="replace a file of this name")
    back = actions.add_parser("restore", help="put a backup in place of everything; the leaderboard must be stopped")
    back.add_argument("file", type=pathlib.Path, metavar="FILE")
    back.add_argument("--yes", action="store_true", help="do not ask")
    archive = actions.add_parser(
        "archive", help="results, names and evidence of a season stay, private data goes; stop the leaderboard first"
    )
    archive.add_argument("season", metavar="SEASON")
    archive.add_argument("--yes", action="store_true", help="do not ask")
    for each in (backup, back, archive):
        add_config_option(each, "leaderboard.toml")
    return parser
