"""`raceday leaderboard import`: a published board, the simulator's metrics or the event manager's laps into a race.

While a leaderboard serves from the database, the file goes through its API; otherwise the database is opened here.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from leaderboard import credentials
from leaderboard.admin_files import send_import
from leaderboard.config import LeaderboardConfig, read
from leaderboard.core.access import ADMIN
from leaderboard.exchange.csv_table import examined
from leaderboard.exchange.importing import import_file
from leaderboard.exchange.parameters import PARAMETERS, request_of
from leaderboard.exchange.report import ImportReport, shortened, summary
from leaderboard.exchange.request import ImportFormat
from leaderboard.store.database import is_served, open_store
from shared.chosen_config import add_config_option, chosen_config
from shared.clock import SystemClock
from shared.errors import BadInput, OperatorError, StorageError

_SHOWN = 3  # remarks of a kind on the screen; the report has all
_REPORT = TypeAdapter(ImportReport)


def main(arguments: list[str]) -> int:
    """The command; exit code 0 if the file is in the race now, 2 if nothing was imported. Raises RacedayError."""
    chosen = _parser().parse_args(arguments)
    file, form = _source(chosen)
    values = {each.name: value for each in PARAMETERS if (value := _value(chosen, each.name, each.flag))}
    request_of(chosen.race, form, values)  # refuses before the file is opened or sent
    config = read(chosen_config(chosen.config, "leaderboard.toml"))
    try:
        with file.open("rb") as data:
            report = _imported(config, chosen, form, values, file.name, data, file.stat().st_size)
    except IsADirectoryError:
        raise BadInput(f"{file}: is a folder.") from None
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror}).") from None
    if chosen.report is not None:
        _write_report(chosen.report, report)
    _show(report)
    return 0 if report.outcome != "refused" else 2


def _imported(
    config: LeaderboardConfig,
    chosen: argparse.Namespace,
    form: ImportFormat,
    values: dict[str, str],
    name: str,
    data: BinaryIO,
    size: int,
) -> ImportReport:
    if chosen.url is None and not is_served(config.store.place):
        store = open_store(config.store.place)
        try:
            request = request_of(chosen.race, form, values)
            return import_file(store, request, examined(_plain_name(name), data), ADMIN, SystemClock().utc_ns())
        finally:
            store.close()
    base = chosen.url or f"http://{config.server.host}:{config.server.port}"
    query = values | {"race": chosen.race, "format": form, "file": name}
    document = send_import(base, credentials.read(config.secrets).admin_token, query, data, size)
    try:
        return _REPORT.validate_json(json.dumps(document))
    except ValidationError:
        raise OperatorError(f"What answers at {base} is not this leaderboard.") from None


def _plain_name(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable()).strip()[:100] or "file"


def _source(chosen: argparse.Namespace) -> tuple[pathlib.Path, ImportFormat]:
    given: list[tuple[pathlib.Path | None, ImportFormat]] = [
        (chosen.file, "league"),
        (chosen.metrics, "metrics"),
        (chosen.drem, "drem"),
    ]
    files = [(file, form) for file, form in given if file is not None]
    if len(files) != 1:
        raise BadInput("Name one file: a league's board, or `--metrics FILE.json`, or `--drem FILE.csv`.")
    return files[0]


def _value(chosen: argparse.Namespace, name: str, flag: bool) -> str:
    value = getattr(chosen, name)
    return ("true" if value else "") if flag else (value or "")


def _write_report(path: pathlib.Path, report: ImportReport) -> None:
    text = json.dumps(dataclasses.asdict(report), indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: the report cannot be written ({error.strerror}).") from None


def _show(report: ImportReport) -> None:
    out = sys.stderr if report.outcome == "refused" else sys.stdout
    print(summary(report), file=out)
    for line in shortened(report.errors or report.notes, 20 if report.errors else _SHOWN):
        print(f"  {line}", file=out)
    if report.notes_left_out and not report.errors:
        print(f"  and {report.notes_left_out} more remarks, which no report holds", file=out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday leaderboard import",
        description="Imports results from a file into a race: every row, or none if one is wrong. Works while the "
        "leaderboard serves, and while it does not.",
    )
    parser.add_argument("file", nargs="?", type=pathlib.Path, metavar="FILE.csv", help="a published league board")
    parser.add_argument("--metrics", type=pathlib.Path, metavar="FILE.json", help="the simulator's evaluation metrics")
    parser.add_argument("--drem", type=pathlib.Path, metavar="FILE.csv", help="laps exported by the event manager")
    parser.add_argument("--race", required=True, metavar="ID", help="the race that the results go into")
    for each in PARAMETERS:
        option = f"--{each.name.replace('_', '-')}"
        if each.flag:
            parser.add_argument(option, action="store_true", help=each.what)
        elif each.choices:
            parser.add_argument(option, choices=each.choices, help=each.what)
        else:
            parser.add_argument(option, metavar=each.name.rpartition("_")[2].upper(), help=each.what)
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="write all remarks and errors there")
    parser.add_argument("--url", help="where the leaderboard serves (default: as the config says)")
    add_config_option(parser, "leaderboard.toml")
    return parser
