"""A league with the worst that its pages may have to show, served on loopback, for the tests of the look.

200 racers with names of 40 characters; a season with teams, prizes and a bracket; a LIVE race; a long description; and
three people: nobody, a racer, and an admin who organises.
"""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.app import create_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import ADMIN, Grant
from leaderboard.credentials import Credentials
from leaderboard.store.tables import ENTRIES
from shared.protocol.results import encode_result
from shared.web.server import listen
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.seasons.sample_season import SIXTH_MONTH, fill
from tests.station.web.extreme_views import names
from vehicle.web.server import ConsoleServer

LONG = "W" * 40
WORDS = "# About\n\nA **description** with a [link](https://raceday.example) and " + "Donaudampfschiff" * 12


@dataclass(frozen=True, slots=True)
class LeagueWorld:
    """The served league: its address, the session of each person, and the addresses that hold ids."""

    url: str
    sessions: dict[str, str]
    racer: str
    bracket_id: str


@contextmanager
def league_world(folder: pathlib.Path) -> Iterator[LeagueWorld]:
    """The league, for as long as the block lasts."""
    held, now = open_board(folder / "board.db"), SIXTH_MONTH
    seasons = fill(held)
    racers = names(200)
    shared_fields = {"track": "re:Invent 2018", "description": WORDS, "season_id": "cup-2027", "owner": "account-olga"}
    held.create_race(sample_races.race("worst", name=LONG, edition=3, closes_utc_ns=now + 10**15, **shared_fields), now)
    held.create_race(sample_races.race("live", name=LONG, live=True, **shared_fields), now)
    people = {
        "racer": signed_in.account(held.store, "w" * 30),
        "admin": signed_in.account(held.store, "olga", Grant("admin")),
    }
    with held.store.write() as db:
        entry = {"race_id": "worst", "racer": racers[0], "name": racers[0], "entered_utc_ns": 1}
        db.execute(ENTRIES.insert().values(**entry, account_id=people["racer"]))
        sessions = {
            name: open_session(db, account, "a test", now, SessionPeriods()).token for name, account in people.items()
        }
    for number, racer in enumerate(racers):
        for run, score_ms in enumerate((599_999 - number, 599_000 - number)[: 2 if number < 20 else 1]):
            one = sample_races.result(
                f"worst-{number}-{run}", racer, (score_ms,) * 3, race_id="worst", car="c" * 64, model="m" * 64
            )
            assert held.apply(one.webhook_id, encode_result(one), now - 10**12 + number * 10**9).status == 201
    app, feed = create_app(held, Credentials((), "x" * 32), LeaderboardConfig(), lambda: now)
    server = ConsoleServer(app, listen("127.0.0.1", 0, "league"))
    server.start()
    bracket_id = seasons.brackets.brackets(ADMIN)[0].bracket.bracket_id
    try:
        yield LeagueWorld(f"http://127.0.0.1:{server.port}", sessions, racers[0], bracket_id)
    finally:
        feed.close()
        server.close()
