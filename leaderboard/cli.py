"""`raceday leaderboard`: serves; also makes its secrets, lists its races, and prints its contract."""

import argparse
import logging
import pathlib

from leaderboard import build, credentials
from leaderboard.config import LeaderboardConfig, read
from leaderboard.serve import listen, serve, write_ready_file


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises RacedayError for what a person must mend."""
    asked = _parser().parse_args(arguments)
    if asked.action == "openapi":
        print(build.contract())
        return 0
    config = read(asked.config)
    if asked.action == "init":
        return _init(config, asked.station)
    if asked.action == "races":
        return _races(config)
    return _serve(config, asked.ready_file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday leaderboard", description="The leaderboard: takes results, ranks them, shows them."
    )
    parser.add_argument(
        "action",
        nargs="?",
        default="serve",
        choices=("serve", "init", "races", "openapi"),
        help="serve (default); init: make the secrets; races: list them; openapi: print the contract",
    )
    parser.add_argument("--config", type=pathlib.Path, default=pathlib.Path("config/leaderboard.toml"), metavar="FILE")
    parser.add_argument("--station", default="", metavar="NAME", help="init: the station whose webhook secret is made")
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


def _serve(config: LeaderboardConfig, ready_file: pathlib.Path | None) -> int:
    logging.basicConfig(level=logging.WARNING, format="leaderboard: %(message)s")

    def serving(url: str) -> None:
        print(f"listening on {url}", flush=True)
        if ready_file is not None:
            write_ready_file(ready_file, url)

    with listen(config.server.host, config.server.port) as listening:
        app, feed = build.build(config)
        serve(app, feed, listening, serving)
    return 0
