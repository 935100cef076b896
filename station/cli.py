"""`raceday station --config FILE`: times, officiates, and serves the live page until it is stopped."""

import argparse
import functools
import os
import pathlib
import sys

from shared.addresses import Addresses
from shared.config import load
from shared.errors import RacedayError
from shared.web_serving import url_of
from station.build import build, hold_lock
from station.config import StationConfig
from station.runner import Runner
from station.sync.wishes import wish
from station.web.app import create_app
from station.web_server import WebServer, listen


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises OperatorError for what a person must mend."""
    parser = argparse.ArgumentParser(prog="raceday station", description="The trackside station.")
    parser.add_argument("--config", type=pathlib.Path, default=pathlib.Path("config/station.toml"), metavar="FILE")
    parser.add_argument("--ready-file", type=pathlib.Path, metavar="FILE", help="written with the URL when it serves")
    asked = parser.parse_args(arguments)
    return serve(load(asked.config, StationConfig), asked.ready_file)


def serve(config: StationConfig, ready_file: pathlib.Path | None) -> int:
    """Until SIGTERM, Ctrl-C, or a bug."""
    listening = listen(config.web.host, config.web.port)
    hold_lock(config.data_dir)
    runner = Runner(build(config, say=log))
    send = functools.partial(wish, config.data_dir) if config.sync.leaderboard_url else None
    app = create_app(runner.station, config.web.operators, config.web.allowed_hosts, send)
    web = WebServer(app, listening, app.state.live.close, Addresses.parsed(config.web.operators, "web.operators"))
    try:
        runner.start()
        web.start()
        if runner.station.notice:
            log(runner.station.notice)
        # The file first: whoever reads the line may look for it.
        if ready_file is not None:
            write_ready_file(ready_file, url_of(listening))
        print(f"listening on {url_of(listening)}", flush=True)
        if runner.station.drem is not None:
            drem = runner.station.drem
            print(
                f"timing an event manager at {drem.url}" if drem.port else f"event manager: {drem.sentence}", flush=True
            )
        runner.over.wait()
    finally:
        web.stop()
        runner.stop()
    if runner.failed:
        raise RacedayError(f"the station stopped itself; start it again, the journal is whole.\n{runner.failed}")
    return 0


def log(sentence: str) -> None:
    """Where the service's log is read (`journalctl`), or the terminal."""
    print(f"station: {sentence}", file=sys.stderr, flush=True)


def write_ready_file(path: pathlib.Path, text: str) -> None:
    """All of it or nothing: who waits for the file may read it at once."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
