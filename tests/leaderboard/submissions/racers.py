"""Racers who upload and submit models by the API with keys of their own, and races for them."""

import gzip
import hashlib
import io
import json
import random
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.accounts.keys import ApiKeys
from leaderboard.core.access import Caller, Grant
from leaderboard.store import race_rows
from leaderboard.store.tables import ENTRIES
from tests.leaderboard import sample_races
from tests.leaderboard.league_app import LeagueApp
from tests.leaderboard.signed_in import account
from tests.shared.web.test_error_pages import Answer, TestClient


def archive(seed: int = 1, size: int = 4000) -> bytes:
    """A gzip file of incompressible bytes."""
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=0, mtime=0) as file:
        file.write(random.Random(seed).randbytes(size))
    return made.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class ModelSender:
    """An account that calls with a key for submitting models."""

    league: LeagueApp
    alias: str
    key: str

    @property
    def account_id(self) -> str:
        return f"account-{self.alias}"

    def call(self, method: str, path: str, document: object = None, **headers: str) -> Answer:
        body = b"" if document is None else json.dumps(document).encode()
        return self.send(method, path, body, {name.replace("_", "-").lower(): value for name, value in headers.items()})

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        return TestClient(self.league.app).request(
            method, f"/api/v1{path}", headers | {"authorization": f"Bearer {self.key}"}, "192.0.2.9", body
        )

    def begin(self, content: bytes, name: str = "Fast one", **changes: Any) -> Answer:
        document = {"sha256": sha256(content), "size_bytes": len(content), "name": name}
        return self.call("POST", "/models", document | changes)

    def chunk(self, upload_id: str, offset: int, piece: bytes) -> Answer:
        return self.send("PATCH", f"/uploads/{upload_id}", piece, {"upload-offset": str(offset)})

    def upload(self, content: bytes, name: str = "Fast one") -> str:
        """The hash of a model that is there now."""
        begun = self.begin(content, name).json()
        if begun["model"] is None:
            done = self.chunk(begun["upload_id"], begun["offset_bytes"], content[begun["offset_bytes"] :])
            assert done.status_code == 200, done.text
            begun = done.json()
        assert begun["model"]["sha256"] == sha256(content)
        return sha256(content)

    def submit(self, race_id: str, model_sha256: str, **headers: str) -> Answer:
        return self.call("POST", f"/races/{race_id}/submissions", {"model_sha256": model_sha256}, **headers)


def sender(league: LeagueApp, alias: str, *grants: Grant) -> ModelSender:
    """An account of this alias, and its key."""
    account_id = account(league.store, alias, *grants)
    made = ApiKeys(league.store).create(
        Caller(account_id, alias), "Terminal", {"submissions:write"}, (), None, league.now_utc_ns
    )
    return ModelSender(league, alias, made.key)


def virtual_race(league: LeagueApp, race_id: str, *entered: str, **changes: Any) -> str:
    """A virtual race that these accounts have entered."""
    values = {"venue": "virtual", "track": "reinvent_base", "owner": "account-olga"} | changes
    with league.store.write() as db:
        race_rows.add_race(db, sample_races.race(race_id, **values), 1)
        for alias in entered:
            entry = {"race_id": race_id, "racer": alias, "name": alias, "entered_utc_ns": 1}
            db.execute(sa.insert(ENTRIES), entry | {"account_id": f"account-{alias}"})
    return race_id
