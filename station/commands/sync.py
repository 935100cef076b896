"""`raceday sync`: posts the results that wait in the station's journal, from the same station.toml."""

import argparse
import getpass
import pathlib
import threading

from shared.chosen_config import add_config_option, chosen_config
from shared.clock import Clock, SystemClock
from shared.config import load
from shared.errors import StorageError
from shared.files import is_locked, write_ready_file
from station.commands.sync_status import print_status
from station.config import StationConfig
from station.store.recovery.restoring import is_committed
from station.sync.build import SyncService, build
from station.sync.operator import pause
from station.sync.operator.send_requests import SendRequest, add_request
from station.sync.operator.status import LOCK, SyncStatusReader, paused_sentence
from station.sync.operator.unit_status import SyncUnitStatus
from station.sync.syncer import POLL_S, run, run_once


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises RacedayError for what a person must fix."""
    options = _parser().parse_args(arguments)
    config = load(chosen_config(options.config, "station.toml"), StationConfig)
    if options.action == "status":
        return print_status(config, _print, offline=options.offline, as_json=options.json)
    if options.action != "run":
        return _ask(options, config.data_dir)
    # The wait between two posts is real time, whatever clock times the race, so the system clock measures it.
    clock, stop = SystemClock(), threading.Event()
    if not options.once:
        run_always(config, clock, options, stop)
        return 0
    if (paused := pause.pause_of(config.data_dir)) is not None:
        _print(f"{paused_sentence(paused)} `raceday sync resume` ends the pause.")
        return 1
    service = build(config.sync, config.data_dir, clock, _print, retry_rejected=options.retry_rejected)
    try:
        if options.ready_file is not None:
            write_ready_file(options.ready_file, "ready")
        waiting = run_once(service.syncer, clock, stop)
    finally:
        service.close()
    if waiting:
        _print(f"{waiting} result(s) still wait; run the command again, or without --once.")
    return 1 if waiting else 0


def run_always(config: StationConfig, clock: Clock, options: argparse.Namespace, stop: threading.Event) -> None:
    """Posts until `stop` is set. While a restore waits to be finished, it has nothing open and looks again."""
    retry_rejected = bool(options.retry_rejected)
    while not stop.is_set():
        if is_committed(config.data_dir):
            stop.wait(POLL_S)
            continue
        service = build(config.sync, config.data_dir, clock, _print, retry_rejected=retry_rejected)
        retry_rejected = False
        try:
            if options.ready_file is not None:
                write_ready_file(options.ready_file, "ready")
            _run_until_a_restore(service, config.data_dir, clock, stop)
        finally:
            service.close()


def _run_until_a_restore(service: SyncService, data_dir: pathlib.Path, clock: Clock, stop: threading.Event) -> None:
    """Posts, and tells systemd how it goes, until `stop` is set or a restore waits to be finished."""
    reader = SyncStatusReader(data_dir)
    status = SyncUnitStatus(lambda: reader.view(service.source.count))
    try:
        run(service.syncer, clock, stop, lambda: is_committed(data_dir), status.update)
    finally:
        reader.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday sync", description="Posts qualified results to the leaderboard, each exactly once in effect."
    )
    parser.add_argument(
        "action",
        nargs="?",
        default="run",
        choices=("run", "send", "status", "pause", "resume"),
        help="run (default): post results; send: ask the running service to post what waits at once; status: what is "
        "posted, and whether the leaderboard shows the same; pause: post nothing until resume",
    )
    parser.add_argument("--rejected", action="store_true", help="with send: also what the leaderboard has rejected")
    parser.add_argument("--result", default="", metavar="ID.REVISION", help="with send: only this result")
    parser.add_argument("--offline", action="store_true", help="with status: do not ask the leaderboard")
    parser.add_argument("--json", action="store_true", help="with status: print one JSON document")
    add_config_option(parser, "station.toml")
    parser.add_argument("--ready-file", type=pathlib.Path, metavar="FILE", help="written once the service runs")
    parser.add_argument("--once", action="store_true", help="post what waits, then stop; exit code 1 if some must wait")
    parser.add_argument("--retry-rejected", action="store_true", help="also post what the leaderboard has rejected")
    return parser


def _ask(options: argparse.Namespace, data_dir: pathlib.Path) -> int:
    """Pass a request on to the service, which may run or not."""
    if not data_dir.is_dir():
        raise StorageError(f"{data_dir}: there is no such folder; start the station first.")
    if options.action == "pause":
        paused = pause.pause(data_dir, getpass.getuser(), SystemClock().utc_ns())
        _print(paused_sentence(paused))
        return 0
    if options.action == "resume":
        _print("Posting goes on." if pause.resume(data_dir) else "Posting was not paused.")
        return 0
    return _send(data_dir, SendRequest(options.rejected or bool(options.result), options.result, "the command line"))


def _send(data_dir: pathlib.Path, wanted: SendRequest) -> int:
    add_request(data_dir, wanted)
    what = wanted.webhook_id or (
        "everything that waits or was rejected" if wanted.rejected else "everything that waits"
    )
    if pause.pause_of(data_dir) is not None:
        _print(f"{what} is sent once posting goes on: it is paused (`raceday sync resume`).")
        return 0
    when = "is sent now" if is_locked(data_dir / LOCK) else "is sent when the sync service starts: it is not running"
    _print(f"{what} {when}.")
    return 0


def _print(sentence: str) -> None:
    print(sentence, flush=True)
