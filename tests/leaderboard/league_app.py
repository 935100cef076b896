"""An app over a store of its own in this process, with a clock that stands until a test moves it."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from leaderboard.accounts.claim import Claim
from leaderboard.accounts.entrance.throttle import EntranceThrottle
from leaderboard.app import create_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, SecretFiles, SubmissionSettings
from leaderboard.credentials import Credentials
from leaderboard.store.database import Store
from shared.access.pass_code_hashing import PassCodeHasher
from shared.webhooks import parse_secret
from tests.leaderboard import sample_races
from tests.leaderboard.in_process import FormBrowser, fields

PASSPHRASE = "correct horse battery staple"


@dataclass
class LeagueApp:
    """The app, its store and its clock."""

    app: FastAPI
    store: Store
    claim: Claim
    now_utc_ns: int = 1_800_000_000_000_000_000

    def sign_up(self, alias: str = "ada", **more: str) -> tuple[FormBrowser, Any]:
        """A browser that has just signed up, and what it was told."""
        made = FormBrowser(self.app)
        answer = made.call("POST", "/api/v1/accounts", {"alias": alias, "passphrase": PASSPHRASE} | more)
        assert answer.status_code == 201, answer.text
        made.page = f'name="csrf-token" content="{fields(answer)["csrf_token"]}"'
        return made, fields(answer)


@contextlib.contextmanager
def league_app(folder: pathlib.Path, hasher: PassCodeHasher, place: str = "") -> Iterator[LeagueApp]:
    """An app with the race "cup", which the account "account-olga" owns, a station's secret and an admin token.

    `place`: the URL of its database; "" for a file in the folder.
    """
    board = open_board(place or folder / "board.db")
    board.create_race(sample_races.race(owner="account-olga"), 1)
    claim_file = folder / "claim.code"
    made = LeagueApp(FastAPI(), board.store, Claim(board.store, claim_file, EntranceThrottle()))
    config = dataclasses.replace(
        LeaderboardConfig(),
        secrets=SecretFiles(claim_file=str(claim_file)),
        submissions=SubmissionSettings(folder=str(folder / "models"), account_mb=1, account_models=4),
    )
    credentials = Credentials((parse_secret(sample_races.SECRET),), sample_races.TOKEN)
    made.app, _ = create_app(board, credentials, config, lambda: made.now_utc_ns, hasher)
    try:
        yield made
    finally:
        board.close()
