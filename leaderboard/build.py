"""Puts the leaderboard together: the only module that imports all its parts."""

import json
import pathlib
import tempfile

from fastapi import FastAPI

from leaderboard import credentials
from leaderboard.accounts.services import AccountServices
from leaderboard.app import create_app, openapi
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.live_stream import Feed
from leaderboard.services import LeaderboardServices
from leaderboard.store.database import Store, open_readers, open_store
from shared.clock import SystemClock


def open_board(path_or_url: str | pathlib.Path) -> LeaderboardService:
    """A board over a SQLite file or a PostgreSQL URL, its tables up to date. Raises OperatorError. To be closed."""
    return LeaderboardService(open_store(path_or_url))


def open_board_to_read(path_or_url: str | pathlib.Path) -> LeaderboardService:
    """A board beside a running leaderboard; nothing can be changed through it. Raises OperatorError."""
    return LeaderboardService(open_readers(path_or_url))


def build(config: LeaderboardConfig, background: bool = True) -> tuple[FastAPI, Feed]:
    """The application, with its secrets read and its store open, and its live feed. Raises OperatorError.

    `background`: it also does what only one of several processes does.
    """
    secrets = credentials.read(config.secrets)
    board = open_board(config.store.place)
    return create_app(board, secrets, config, SystemClock().utc_ns, background=background)


def store_of(app: FastAPI) -> Store:
    """The store that the application works on."""
    services: LeaderboardServices = app.state.services
    return services.board.store


def claim_code(app: FastAPI) -> str:
    """The code by which the first account becomes admin, made if there is none; "" once there is an admin."""
    accounts: AccountServices = app.state.accounts
    return accounts.claim.open_code()


def contract() -> str:
    """The OpenAPI document as text: needs no config, no secret and no store."""
    with tempfile.TemporaryDirectory() as folder:
        board = open_board(pathlib.Path(folder) / "empty.db")
        app, _ = create_app(board, Credentials((), ""), LeaderboardConfig(), SystemClock().utc_ns)
        document = json.dumps(openapi(app), indent=2, sort_keys=True)
        board.close()
    return document
