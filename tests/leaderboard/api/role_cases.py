"""Who calls in the role table, and the races, entries and keys that they meet: one race for each call.

Every kind of caller has a session (or a key) and a place in the season's races:

    nobody, racer (an account with no entry), invited, removed, other (organiser of another season), organiser,
    official, commentator, admin, key (of a station, for results of all these races), farm (the key of one that drives)
"""

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import Message

from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.core.access import Grant
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.race import Visibility
from leaderboard.store import league_rows, race_rows
from leaderboard.store.database import Store
from leaderboard.store.tables import API_KEYS, ENTRIES
from shared.access.tokens import form_token, token_hash
from tests.leaderboard.in_process import HOST
from tests.leaderboard.sample_races import race
from tests.leaderboard.signed_in import account

CALLERS = (
    "nobody",
    "racer",
    "invited",
    "removed",
    "other",
    "organiser",
    "official",
    "commentator",
    "admin",
    "key",
    "farm",
)
GRANTS = {
    "other": Grant("organiser", "season", "another"),
    "organiser": Grant("organiser", "season", "league"),
    "official": Grant("official", "season", "league"),
    "commentator": Grant("commentator", "season", "league"),
    "admin": Grant("admin"),
}
KEYS = {"key": "rk_" + "k" * 43, "farm": "rk_" + "f" * 43}
NOW = 1_800_000_000_000_000_000
_OWNED = ("{credential_id}", "{key_id}", "{session_id}", "{sha256}", "{submission_id}", "{upload_id}")
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class RoleCase:
    """A call of the OpenAPI document, for a public race, a private one, or no race ("-").

    "other": of no race, for what belongs to another account.
    """

    method: str
    path: str
    race: str

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        return f"{self.method:<6} {self.path:<58} {self.race:<7}"


def cases(document: dict[str, Any]) -> list[RoleCase]:
    """Every call in every kind of race."""
    return [
        RoleCase(method.upper(), path, kind)
        for path, calls in sorted(document["paths"].items())
        for method in _METHODS
        if method in calls
        for kind in _kinds(path)
    ]


def _kinds(path: str) -> tuple[str, ...]:
    if "{race_id}" in path:
        return ("public", "private")
    return ("-", "other") if any(part in path for part in _OWNED) else ("-",)


class RoleWorld:
    """A store with all callers, and an app over it."""

    def __init__(self, app: FastAPI, store: Store) -> None:
        self._app, self._store = app, store
        self._headers: dict[str, dict[str, str]] = {"nobody": {}}
        self._headers |= {name: {"authorization": f"Bearer {key}"} for name, key in KEYS.items()}
        people = [name for name in CALLERS if name not in self._headers]
        self.accounts = {name: account(store, f"{name}-1", *self._grants(name)) for name in people}
        account(store, "somebody")
        with store.write() as db:
            league_rows.add_season(db, SeasonRecord("league", "League"), NOW)
            for name, account_id in self.accounts.items():
                token = open_session(db, account_id, "", NOW, SessionPeriods()).token
                cookie = f"raceday_league={token}"
                self._headers[name] = {"cookie": cookie, "x-csrf-token": form_token(token), "origin": f"http://{HOST}"}

    def _grants(self, name: str) -> tuple[Grant, ...]:
        return (GRANTS[name],) if name in GRANTS else ()

    def make_races(self, names: Collection[str], visibility: Visibility, live: bool) -> None:
        """Races of the season with an entry of those who have one."""
        with self._store.write() as db:
            for race_id in names:
                made = race(race_id, visibility=visibility, season_id="league", kind="community", live=live)
                race_rows.add_race(db, made, NOW)
                for name in ("invited", "removed"):
                    entry = {"race_id": race_id, "racer": f"{name}-1", "name": name, "entered_utc_ns": NOW}
                    entry |= {"account_id": self.accounts[name], "state": name}
                    db.execute(sa.insert(ENTRIES), entry)

    def make_keys(self, races: Collection[str]) -> None:
        """The keys of a station and of a farm, for these races."""
        scopes = {"key": ["results:write", "races:read", "live:write"], "farm": ["farm"]}
        with self._store.write() as db:
            for name, key in KEYS.items():
                made: dict[str, object] = {
                    "key_id": name,
                    "key_sha256": token_hash(key),
                    "account_id": "",
                    "name": name,
                }
                made |= {"scopes": json.dumps(scopes[name]), "races": json.dumps(list(races)), "created_utc_ns": NOW}
                db.execute(sa.insert(API_KEYS), made)

    def form(self, caller: str, fields: Mapping[str, str] | None) -> tuple[dict[str, str], bytes]:
        """The headers and the body of a form as this caller's browser sends them; None: a page is opened."""
        headers = {"host": HOST, "accept": "text/html", "origin": f"http://{HOST}"} | self._headers[caller]
        if fields is None:
            return headers, b""
        body = urlencode({"csrf": headers.get("x-csrf-token", ""), **fields})
        return headers | {"content-type": "application/x-www-form-urlencoded"}, body.encode()

    async def call(self, caller: str, method: str, path: str, document: object) -> tuple[int, bytes]:
        """Call as this caller; the status and the body."""
        body = b"" if method == "GET" else json.dumps(document).encode()
        path, _, query = path.partition("?")
        headers = {"host": HOST, "content-type": "application/json", "content-length": str(len(body))}
        sent: list[Message] = []
        bodies: Iterator[bytes] = iter([body])

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            for each in bodies:
                return {"type": "http.request", "body": each, "more_body": False}
            await asyncio.Event().wait()  # the client stays until it has its answer
            raise AssertionError

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "client": ("192.0.2.1", 1),
            "server": (HOST, 80),
            "headers": [(name.encode(), each.encode()) for name, each in (headers | self._headers[caller]).items()],
        }
        await self._app(scope, receive, send)
        status = next(each["status"] for each in sent if each["type"] == "http.response.start")
        assert Headers(raw=sent[0]["headers"])["content-type"] if status not in (202, 204) else True
        return status, b"".join(each.get("body", b"") for each in sent if each["type"] == "http.response.body")
