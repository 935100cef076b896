"""A standing as files that proxies and caches can carry: each version for ever, and the newest one's name.

`/board/RACE/latest.json` is valid for a second and names `/board/RACE/v12.json`, which never changes. Of a race that
not everybody may see, neither is kept by anybody on the way.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import TypeAdapter

from leaderboard.api import schemas
from leaderboard.api.described import DescribedRouter
from leaderboard.api.http import json_response
from leaderboard.api.schemas import RowShape
from leaderboard.board import LeaderboardService
from leaderboard.core.errors import Gone, NotHere
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.snapshots import Snapshot
from shared.text import text

_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
_ONE_SECOND = {"cache-control": "public, max-age=1"}
_NOT_KEPT = {"cache-control": "private, no-store"}
_KEPT = 64  # versions, of all races


@dataclass(frozen=True, slots=True)
class LatestFile:
    """The newest version of a race's standing, and its address."""

    race_id: str
    version: int
    address: str


@dataclass(frozen=True, slots=True)
class BoardFile:
    """A version of a race's standing: its first rows. Nothing in it depends on when it is read, as its state does."""

    race_id: str
    name: str
    track: str
    kind: Venue
    version: int
    racers: int
    results: int
    standings: tuple[RowShape, ...]


_LATEST = TypeAdapter(LatestFile)
_BOARD = TypeAdapter(BoardFile)


class RecentFiles:
    """The versions that were asked for last, so that one who was sent to a version still gets it a moment later."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, race_id: str, version: int) -> bytes | None:
        """The body of this version, None if it is not held."""
        with self._lock:
            return self._bodies.get((race_id, version))

    def add(self, race_id: str, version: int, body: bytes) -> None:
        """Hold this body, and drop the oldest."""
        with self._lock:
            self._bodies[race_id, version] = body
            while len(self._bodies) > _KEPT:
                self._bodies.popitem(last=False)


def router(board: LeaderboardService, rows: int) -> APIRouter:
    """The routes, over one board; `rows`: how many of a standing a file holds."""
    routes, recent = DescribedRouter(include_in_schema=False), RecentFiles()

    def body_of(snapshot: Snapshot) -> bytes:
        race_id, version = snapshot.race.race_id, snapshot.version
        body = recent.get(race_id, version)
        if body is None:
            body = _BOARD.dump_json(_file(snapshot))
            recent.add(race_id, version, body)
        return body

    @routes.get("/board/{race_id}/latest.json")
    def latest(race_id: str) -> Response:
        snapshot = board.snapshot(race_id, rows)
        body_of(snapshot)  # from now on it is held under the name that is told
        address = f"/board/{race_id}/v{snapshot.version}.json"
        body = _LATEST.dump_json(LatestFile(race_id, snapshot.version, address))
        return json_response(body, headers=_ONE_SECOND if _is_public(snapshot.race) else _NOT_KEPT)

    @routes.get("/board/{race_id}/v{version}.json")
    def version(race_id: str, version: Annotated[int, Path(ge=1)]) -> Response:
        race = board.race(race_id)
        body = recent.get(race_id, version)
        if body is None:
            snapshot = board.snapshot(race_id, rows)
            if version < snapshot.version:
                raise Gone(text("Version {n} is not kept any more; `latest.json` names the newest.", n=version))
            if version > snapshot.version:
                raise NotHere(text("This standing has no version {n} yet.", n=version))
            body = body_of(snapshot)
        return json_response(body, headers=_FOR_EVER if _is_public(race) else _NOT_KEPT)

    return routes


def _is_public(race: RaceRecord) -> bool:
    return race.visibility == "public" and race.stage not in ("draft", "deleted")


def _file(snapshot: Snapshot) -> BoardFile:
    race = snapshot.race
    table = tuple(schemas.row_shape(row, race.rules) for row in snapshot.rows)
    counts = snapshot.version, snapshot.racers, snapshot.results
    return BoardFile(race.race_id, race.name, race.track, snapshot.table, *counts, table)
