"""`raceday demo --league`: serves the demo's league until Ctrl-C, and prints what there is to open."""

import argparse
import os
import pathlib
import signal
import tempfile
import threading
import webbrowser

from rich.console import Console

from leaderboard.build import claim_code
from raceday.broker import is_port_in_use
from raceday.league_demo.builder import SEED, DemoLeague, demo_league
from raceday.league_demo.cast import OFFICIAL, ORGANISER, RACER
from raceday.league_demo.live_show import LiveShow
from shared.clock import SystemClock
from shared.errors import ConfigError, OperatorError
from shared.process.signals import wait_until_set

FLAG = "--league"
_MAX_SEED = 10**9
_WHO = {
    RACER: "racer: own attempts, and a private race with its link and participants",
    ORGANISER: "organiser: the desk, /desk",
    OFFICIAL: "official: rulings, the bracket, the LIVE control page",
}


def main(arguments: list[str]) -> int:
    """Serve the league; with --once only build it, look at every page, and end. Raises OperatorError."""
    chosen = _parser().parse_args(arguments)
    if not 0 <= chosen.seed <= _MAX_SEED:
        raise ConfigError(f"--seed is {chosen.seed}; allowed is 0 to {_MAX_SEED}.")
    if not 0 <= chosen.port <= 65_535:
        raise ConfigError(f"--port is {chosen.port}; allowed is 0 to 65535.")
    if chosen.port and is_port_in_use(chosen.port):
        raise OperatorError(f"port {chosen.port} is in use: stop what listens there, or choose another --port.")
    console = Console(highlight=False)
    console.print("A season of simulated racers is being driven; this takes a few seconds ...")
    with (
        tempfile.TemporaryDirectory(prefix="raceday-league-") as folder,
        demo_league(pathlib.Path(folder), SystemClock().utc_ns(), chosen.seed, chosen.port) as league,
    ):
        league.world.leaderboard.clock.go_on()
        _print(console, league)
        if chosen.once:
            check_pages(league)
        else:
            _serve(console, league, open_browser=not chosen.headless)
    return 0


def check_pages(league: DemoLeague) -> None:
    """Open each page that is printed. Raises OperatorError for one that does not answer."""
    for name, path in league.pages().items():
        answer = league.world.leaderboard.station.session.get(league.url + path, timeout=30)
        if answer.status_code != 200:
            raise OperatorError(f"the page {name!r} ({path}) answers {answer.status_code}.")


def _serve(console: Console, league: DemoLeague, open_browser: bool) -> None:
    """Let the LIVE race go on until Ctrl-C, or until the process is asked to end (SIGTERM)."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    show = LiveShow(league.world, lambda sentence: console.print(sentence, markup=False))
    driving = threading.Thread(target=show.run, name="live show", daemon=True)
    driving.start()
    if open_browser:
        webbrowser.open(league.url)
    try:
        wait_until_set(ended)
    finally:
        show.stop()
        driving.join(10)


def _print(console: Console, league: DemoLeague) -> None:
    console.print("\nTo open:", style="bold")
    _lines(console, [(name, f"{league.url}{path}") for name, path in league.pages().items()])
    console.print(f"\nTo sign in at {league.url}/sign-in, with the alias and its passphrase:", style="bold")
    for alias, passphrase in league.passphrases.items():
        _lines(console, [(alias, passphrase), ("", _WHO[alias])])
    code = claim_code(league.world.leaderboard.app)
    _lines(console, [("admin", f"any account, by the code {code} at {league.url}/claim")])
    console.print(f"\nCtrl-C ends it (process {os.getpid()}).", markup=False)


def _lines(console: Console, lines: list[tuple[str, str]]) -> None:
    """Names and what they mean, never wrapped: addresses are copied from here."""
    width = max(len(name) for name, _ in lines)
    for name, what in lines:
        console.print(f"  {name:{width}}  {what}", markup=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"./dev demo {FLAG}",
        description="A league as it is in the middle of its season: its racers are simulated, its pages are real.",
    )
    parser.add_argument(FLAG, action="store_true", help="serve the league (without it: a whole race on this machine)")
    parser.add_argument("--once", action="store_true", help="build it, look at every page, and end")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="another seed drives another season")
    parser.add_argument("--headless", action="store_true", help="open no browser")
    parser.add_argument("--port", type=int, default=0, help="of the leaderboard; 0 takes a free one")
    return parser
