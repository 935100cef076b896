"""`raceday station --config FILE`: times, officiates, and serves the live page until it is stopped."""

import argparse
import contextlib
import functools
import os
import pathlib
import sys

from shared.addresses import Addresses
from shared.config import load
from shared.errors import RacedayError
from shared.files import write_ready_file
from shared.web.server import listen, url_of
from station.build import build, hold_lock
from station.config import StationConfig
from station.service.station import Station
from station.service.threads import StationThreads
from station.sync.operator_requests import add_request
from station.web.app import create_app
from station.web.server import WebServer


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises OperatorError for what a person must fix."""
    parser = argparse.ArgumentParser(prog="raceday station", description="Runs the trackside station.")
    parser.add_argument("--config", type=pathlib.Path, default=pathlib.Path("config/station.toml"), metavar="FILE")
    parser.add_argument(
        "--ready-file", type=pathlib.Path, metavar="FILE", help="written with the URL once the station serves"
    )
    options = parser.parse_args(arguments)
    return serve(load(options.config, StationConfig), options.ready_file)


def serve(config: StationConfig, ready_file: pathlib.Path | None) -> int:
    """Runs the station until SIGTERM or Ctrl-C, then returns 0. Raises RacedayError if a bug stopped it.

    Whatever was opened is closed in reverse order, also if the start fails half way.
    """
    with contextlib.ExitStack() as ends:
        listening = ends.enter_context(listen(config.web.host, config.web.port, "web"))
        ends.callback(os.close, hold_lock(config.data_dir))
        runner = StationThreads(build(config, log=log))
        ends.callback(runner.stop)
        send = functools.partial(add_request, config.data_dir) if config.sync.leaderboard_url else None
        app = create_app(
            runner.station, config.web.operators, config.web.allowed_hosts, send, lambda: config.web.language
        )
        officials = Addresses.parsed(config.web.operators, "web.operators")
        web = WebServer(app, listening, app.state.live.close, officials)
        ends.callback(web.close)
        runner.start()
        web.start()
        _announce(runner.station, url_of(listening), ready_file)
        runner.over.wait()
    if runner.failed:
        raise RacedayError(f"the station stopped itself; start it again, the journal is intact.\n{runner.failed}")
    return 0


def _announce(station: Station, address: str, ready_file: pathlib.Path | None) -> None:
    if station.notice:
        log(station.notice)
    # The file comes first: whoever reads the printed line may open the file at once.
    if ready_file is not None:
        write_ready_file(ready_file, address)
    print(f"listening on {address}", flush=True)
    if (drem := station.drem) is not None:
        print(f"timing an event manager at {drem.url}" if drem.port else f"event manager: {drem.sentence}", flush=True)


def log(sentence: str) -> None:
    """Writes a sentence to the error output, which is the service's log (`journalctl`) or the terminal."""
    print(f"station: {sentence}", file=sys.stderr, flush=True)
