"""Serves one machine's page in a process that a test may stop and continue; prints its address on one line.

`python -m tests.system.look.serving station|leaderboard|car FOLDER`; it ends when its standard input does.
"""

import contextlib
import pathlib
import sys
from collections.abc import Callable, Iterator

from leaderboard.app import create_app as leaderboard_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.protocol.results import encode_result
from shared.web.server import listen
from tests.leaderboard import sample_races
from tests.station.web.conftest import serve
from tests.station.web.sample_views import FakeStation
from tests.vehicle.web.test_access import Site
from vehicle.web.server import ConsoleServer


@contextlib.contextmanager
def station(_: pathlib.Path) -> Iterator[str]:
    with contextlib.contextmanager(serve)(FakeStation()) as served:
        yield served.url


@contextlib.contextmanager
def leaderboard(folder: pathlib.Path, racers: tuple[str, ...] = ("Anna", "Kenji", "Tom")) -> Iterator[str]:
    board = open_board(folder / "board.db")
    board.create_race(sample_races.race(), 1)
    for number, racer in enumerate(racers):
        times_ms = (9000,) * 3 if number == 0 else (599_999 - number % 9,) * 3
        one = sample_races.result(f"r{number}", racer, times_ms, car="c" * 64, model="m" * 64)
        board.apply(one.webhook_id, encode_result(one), 1)
    app, feed = leaderboard_app(board, Credentials((), "x" * 32), LeaderboardConfig(), lambda: 10**18)
    server = ConsoleServer(app, listen("127.0.0.1", 0, "console"))
    server.start()
    yield f"http://127.0.0.1:{server.port}/races/cup"
    feed.close()
    server.close()


@contextlib.contextmanager
def car(folder: pathlib.Path) -> Iterator[str]:
    site = Site(folder)
    yield f"{site.url}/?code={site.code}"
    site.server.close()


if __name__ == "__main__":
    pages: dict[str, Callable[[pathlib.Path], contextlib.AbstractContextManager[str]]] = {
        "station": station,
        "leaderboard": leaderboard,
        "car": car,
    }
    with pages[sys.argv[1]](pathlib.Path(sys.argv[2])) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()
