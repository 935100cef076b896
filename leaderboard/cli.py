"""`raceday leaderboard`: serves it; its secrets, its races, its contract, and files in and out."""

import argparse
import contextlib
import importlib
import logging
import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI

from leaderboard import build, credentials
from leaderboard.accounts.entrance.entrance import SIGN_INS
from leaderboard.admin_call import change_race
from leaderboard.commands.processes import ProcessGroup
from leaderboard.commands.served_farm import ServedFarm, farm_command, require_farm_extras
from leaderboard.config import LeaderboardConfig, read
from leaderboard.server import serve
from shared.chosen_config import add_config_option, chosen_config
from shared.clock import SystemClock
from shared.errors import BadInput, OperatorError
from shared.files import write_ready_file
from shared.process.start_up import without_collecting
from shared.web.server import listen, protected
from shared.web.tls.trust_page import PATH as TRUST_PATH


@dataclass(frozen=True, slots=True)
class LeaderboardVerb:
    """An action with options of its own: the module whose `main(arguments)` returns the exit code."""

    name: str
    module: str


VERBS = (
    LeaderboardVerb("check", "leaderboard.commands.checking"),
    LeaderboardVerb("import", "leaderboard.commands.importing"),
    LeaderboardVerb("export", "leaderboard.commands.exporting"),
)


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises RacedayError for what a person must fix."""
    verb = next((verb for verb in VERBS if arguments[:1] == [verb.name]), None)
    if verb is not None:
        code: int = importlib.import_module(verb.module).main(arguments[1:])
        return code
    chosen = _parser().parse_args(arguments)
    if chosen.action == "openapi":
        print(build.contract())
        return 0
    config = read(chosen_config(chosen.config, "leaderboard.toml"))
    if chosen.action == "init":
        return _init(config, chosen.station)
    if chosen.action == "close":
        change: dict[str, object] = {"closed": not chosen.open} if chosen.at is None else {"closes_at": chosen.at}
        if chosen.race is None or not (chosen.now or chosen.open or chosen.at is not None):
            raise BadInput("Name a race and a time: `raceday leaderboard close RACE --now`, `--open` or `--at TIME`.")
        return _close(config, chosen.race, change, chosen.url)
    if chosen.action == "races":
        return _races(config)
    if chosen.farm is not None:
        require_farm_extras()
    return _serve(config, chosen.ready_file, chosen.farm)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday leaderboard",
        description="The leaderboard: takes results, ranks them, shows them.",
        epilog="With options of their own: `raceday leaderboard import --help`, `raceday leaderboard export --help`.",
    )
    parser.add_argument(
        "action",
        nargs="?",
        default="serve",
        choices=("serve", "init", "races", "close", "openapi"),
        help="serve (default); init: make the secrets; races: list them; close: close a race, open it again, or move "
        "its planned close; openapi: print the contract",
    )
    parser.add_argument("race", nargs="?", metavar="RACE", help="of close: the race's id")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--now", action="store_true", help="of close: close it from now on")
    when.add_argument("--open", action="store_true", help="of close: open it again, whatever close was planned")
    when.add_argument("--at", metavar="TIME", help='of close: 2026-11-28T18:00:00Z, or "" for no planned close')
    parser.add_argument("--url", help="of close: where the leaderboard serves (default: as the config says)")
    add_config_option(parser, "leaderboard.toml")
    parser.add_argument("--station", default="", metavar="NAME", help="init: the station whose webhook secret is made")
    parser.add_argument(
        "--farm",
        nargs="?",
        type=int,
        choices=range(1, 257),
        const=0,
        metavar="N",
        help="of serve: drive submissions of virtual races on this machine too, N at a time (one a core)",
    )
    parser.add_argument("--ready-file", type=pathlib.Path, metavar="FILE", help="written with the URL when it serves")
    return parser


def _init(config: LeaderboardConfig, station: str) -> int:
    made = credentials.create(config.secrets, station)
    for path in made:
        print(f"made {path}")
    if not made:
        print("the secrets are there already; nothing was changed")
    return 0


def _races(config: LeaderboardConfig) -> int:
    board = build.open_board_to_read(config.store.place)
    for head in board.races():
        race = head.race
        print(f"{race.race_id}\t{race.name}\t{race.kind}\t{race.venue}\t{race.track}\t{head.racers}\t{head.results}")
    board.close()
    return 0


def _close(config: LeaderboardConfig, race_id: str, change: dict[str, object], url: str | None) -> int:
    """Change the race by an admin call to the running leaderboard, as only that process writes to its database."""
    base = url or f"http://{config.server.host}:{config.server.port}"
    race = change_race(base, credentials.read(config.secrets).admin_token, race_id, change)
    print(f"{race['race_id']} is {race['state']}; planned close: {race['closes_at'] or 'none'}")
    return 0


def _serve(config: LeaderboardConfig, ready_file: pathlib.Path | None, farm_jobs: int | None) -> int:
    logging.basicConfig(level=logging.WARNING, format="leaderboard: %(message)s")
    logging.getLogger(SIGN_INS).setLevel(logging.INFO)

    def say(url: str) -> None:
        print(f"listening on {url}", flush=True)
        if config.server.tls_certificate:
            print(f"protected pages: {protected(url)} (phones: {url}{TRUST_PATH})", flush=True)
        if ready_file is not None:
            write_ready_file(ready_file, url)

    with listen(config.server.host, config.server.port, "server") as listening:

        def serve_one(number: int, serving: Callable[[], None]) -> int:
            with contextlib.ExitStack() as ending:

                def serves(url: str) -> None:
                    serving()
                    if number == 0:
                        say(url)
                        _print_claim_code(app, url)
                        if farm_jobs is not None:
                            farm = ServedFarm(build.store_of(app), farm_command(url, farm_jobs), SystemClock().utc_ns)
                            feed.at_close.append(farm.stop)
                            ending.callback(farm.wait)
                            farm.start()

                with without_collecting():
                    app, feed = build.build(config, background=number == 0)
                if config.metrics.enabled:
                    from leaderboard.commands.metrics import offer_metrics  # noqa: PLC0415 (loaded only where wanted)

                    address = offer_metrics(config, app, feed, number, ending)
                    print(f"leaderboard: figures for Prometheus at {address}", file=sys.stderr, flush=True)
                serve(app, feed, listening, serves)
            return 0

        if config.server.processes == 1:
            return serve_one(0, lambda: None)
        return ProcessGroup(config.server.processes, serve_one).run()


def _print_claim_code(app: FastAPI, url: str) -> None:
    try:
        code = build.claim_code(app)
    except OperatorError as error:  # it serves all the same: the admin's token is there
        print(f"there is no claim code for the first admin: {error}", flush=True)
        return
    if code:
        print(f"claim code {code}: sign up, then open {url}/claim to become the first admin", flush=True)
