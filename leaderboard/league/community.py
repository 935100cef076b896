"""Community races: any account makes one, public or private, up to a limit of those that are open or to come."""

import dataclasses
import secrets
from collections.abc import Callable

import sqlalchemy as sa

from leaderboard.core.acceptance import check_name
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, Unauthorized
from leaderboard.core.league import editing
from leaderboard.core.race import RaceRecord, slug
from leaderboard.league.changes import add_race, check_places, check_track
from leaderboard.store.database import Store
from leaderboard.store.tables import RACES
from shared.errors import Refused
from shared.text import ntext, text

_OPEN_STAGES = ("draft", "published")


class CommunityService:
    """Community races of one store. `limit`: how many open or future ones an account may have at once."""

    def __init__(self, store: Store, limit: int, changed: Callable[[str], None]) -> None:
        self._store, self._limit, self._changed = store, limit, changed

    def create(self, caller: Caller, wanted: RaceRecord, now_utc_ns: int) -> RaceRecord:
        """Make the race that is `wanted`, of the caller; its id follows from its name and cannot be guessed.

        In a private race only entered racers are ranked. Raises Unauthorized, NotAllowed for a season that others
        run, Refused, BadInput for a track that no farm has, Conflict above the limit.
        """
        if not caller.signed_in:
            raise Unauthorized(text("This needs an account: sign in, or make one."))
        race = dataclasses.replace(
            wanted,
            race_id=_race_id(wanted.name),
            kind="community",
            owner=caller.account_id,
            stage="published",
            entry="registered" if wanted.visibility == "private" else wanted.entry,
        )
        check(race, now_utc_ns)
        with self._store.write() as db:
            check_places(db, caller, None, race)
            check_track(db, race)
            check_limit(db, caller, self._limit, now_utc_ns)
            add_race(db, caller, race, now_utc_ns)
        self._changed(race.race_id)
        return race

    def left(self, caller: Caller, now_utc_ns: int) -> int:
        """How many more races the caller may make now."""
        with self._store.read() as db:
            return max(0, self._limit - _in_use(db, caller.account_id, now_utc_ns))


def check_limit(db: sa.Connection, caller: Caller, limit: int, now_utc_ns: int) -> None:
    """Check that the caller may have one more race that is open or to come. Raises Conflict."""
    if _in_use(db, caller.account_id, now_utc_ns) >= limit:
        raise Conflict(
            ntext(
                "You have {n} race that is open or to come, and may have no more: close or delete it first.",
                "You have {n} races that are open or to come, and may have no more: close or delete one first.",
                n=limit,
            )
        )


def check(race: RaceRecord, now_utc_ns: int) -> None:
    """Check what a community race needs beyond what its fields allow. Raises Refused."""
    if not race.name.strip():
        raise Refused(text("Give the race a name."))
    for field in ("name", "track"):
        check_name(field, getattr(race, field))
    editing.check_settings(race)
    if race.closes_utc_ns is not None and race.closes_utc_ns <= now_utc_ns:
        raise Refused(text("The race would be over already: let it close at a time to come."))


def _race_id(name: str) -> str:
    # A private race must not be found by its name, nor by what another race of that name is answered.
    return f"{slug(name)[:48].strip('-') or 'race'}-{secrets.token_hex(5)}"


def _in_use(db: sa.Connection, account_id: str, now_utc_ns: int) -> int:
    ours = (RACES.c.owner == account_id) & (RACES.c.kind == "community") & RACES.c.stage.in_(_OPEN_STAGES)
    ends = (RACES.c.closes_utc_ns, RACES.c.closed_utc_ns)
    going_on = sa.and_(*(end.is_(None) | (end > now_utc_ns) for end in ends))
    return int(db.execute(sa.select(sa.func.count()).where(ours & going_on)).scalar_one())
