"""A leaderboard on loopback with a virtual race that ada has entered, for tests by a browser and by the command."""

import dataclasses
import pathlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from leaderboard.accounts.keys import ApiKeys
from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, SubmissionSettings
from leaderboard.core.access import Caller
from leaderboard.core.submissions.states import SubmissionMove
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.credentials import Credentials
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import ENTRIES
from shared.web.server import listen
from tests.leaderboard import sample_races, signed_in
from vehicle.web.server import ConsoleServer


@dataclass(frozen=True, slots=True)
class ServedRace:
    """The server. `session`, `key`: ada's, of a browser and for submitting."""

    url: str
    board: LeaderboardService
    session: str
    key: str
    folder: pathlib.Path

    def newest(self) -> ModelSubmission:
        """The submission that came last."""
        with self.board.store.read() as db:
            return submission_rows.of_race(db, "cup")[0]

    def moved(self, what: SubmissionMove, sentence: str = "") -> None:
        """What the farm does with the newest submission."""
        one = self.newest()
        with self.board.store.write() as db:
            submission_rows.move(db, one, what, "farm:hall", time.time_ns(), sentence)

    def stored(self, sha256: str) -> bytes:
        """The archive of this hash, as it is stored."""
        return (self.folder / "models" / "archives" / sha256[:2] / sha256).read_bytes()


@contextmanager
def served_race(folder: pathlib.Path, utc_ns: Callable[[], int] = time.time_ns, **changes: Any) -> Iterator[ServedRace]:
    """The leaderboard by this clock, ended with the block."""
    board, now_utc_ns = open_board(folder / "board.db"), utc_ns()
    board.create_race(
        sample_races.race("cup", **({"venue": "virtual", "track": "reinvent_base", "attempts_per_day": 3} | changes)), 1
    )
    account_id = signed_in.account(board.store, "ada")
    with board.store.write() as db:
        entry = {"race_id": "cup", "racer": "ada", "name": "Ada", "entered_utc_ns": 1, "account_id": account_id}
        db.execute(ENTRIES.insert(), entry)
        session = open_session(db, account_id, "a test", now_utc_ns, SessionPeriods())
    made = ApiKeys(board.store).create(
        Caller(account_id, "ada"), "Terminal", {"submissions:write"}, (), None, now_utc_ns
    )
    config = dataclasses.replace(LeaderboardConfig(), submissions=SubmissionSettings(folder=str(folder / "models")))
    app, feed = create_app(board, Credentials((), "x" * 32), config, utc_ns)
    server = ConsoleServer(app, listen("127.0.0.1", 0, "leaderboard"))
    server.start()
    try:
        yield ServedRace(f"http://127.0.0.1:{server.port}", board, session.token, made.key, folder)
    finally:
        feed.close()
        server.close()
        board.close()
