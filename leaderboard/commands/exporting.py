"""`raceday leaderboard export`: a race's standing as a file, or the windows of all races as a calendar."""

import argparse
import contextlib
import io
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import TextIO, get_args

from leaderboard.commands.stores import open_to_read
from leaderboard.config import read
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.exchange.exporting import ExportFormat, write_race, write_races
from shared.chosen_config import add_config_option, chosen_config
from shared.clock import SystemClock
from shared.errors import BadInput, StorageError


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises RacedayError."""
    chosen = _parser().parse_args(arguments)
    if chosen.race is None and chosen.format != "ics":
        raise BadInput("Name the race: `raceday leaderboard export RACE`. Only `--format ics` is of all races.")
    config = read(chosen_config(chosen.config, "leaderboard.toml"))
    now_utc_ns = SystemClock().utc_ns()
    store = open_to_read(config)
    try:
        with _opened(chosen.output) as out:
            if chosen.race is None:
                write_races(store, config.title, _is_public, out, now_utc_ns)
            else:
                write_race(store, chosen.race, chosen.format, out, now_utc_ns, chosen.table)
    finally:
        store.close()
    return 0


def _is_public(race: RaceRecord) -> bool:
    return race.visibility == "public" and race.stage not in ("draft", "deleted")


@contextlib.contextmanager
def _opened(path: pathlib.Path | None) -> Iterator[TextIO]:
    """The file, in place only once it is whole; None or `-` is stdout, byte for byte."""
    if path is None or str(path) == "-":
        out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
        try:
            yield out
        finally:
            out.detach()
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror}).") from None
    finally:
        part.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday leaderboard export", description="Writes a race's standing, or races' windows, to a file."
    )
    parser.add_argument("race", nargs="?", metavar="RACE", help="the race's id; without one, a calendar of all")
    parser.add_argument(
        "--format",
        choices=get_args(ExportFormat),
        default="csv",
        help="league: a board as leagues publish it, or as it was imported; csv (default), json; ics: a calendar",
    )
    parser.add_argument("--table", choices=get_args(Venue), help="of a race with a table for each kind of results")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE", help="default: stdout")
    add_config_option(parser, "leaderboard.toml")
    return parser
