"""The conditions and the seeds of a virtual race: set by its organiser, shown to all who see it.

Track, direction, race type and rules are the race's own; the rest is set here, or has its default. The seeds are drawn
when the race opens: from then on their commitment is shown, and once the race is closed the seeds themselves.
"""

import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import Conflict, NotHere
from leaderboard.core.evaluations import seeds
from leaderboard.core.evaluations.seeds import RaceSeeds
from leaderboard.core.race import RaceRecord
from leaderboard.league.changes import race_for, seen_race, store_change
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import condition_rows
from shared.conditions import BotSet, BoxSet, Conditions, DrivenRules, check_conditions, check_world, conditions_from
from shared.errors import BadInput, Refused
from shared.text import text

_USUAL_LAPS, _MAX_LAPS = 3, 50
_USUAL_BOXES, _USUAL_BOTS = 3, 3
_OF_THE_RACE = ("track", "direction", "race_type", "rules")


@dataclass(frozen=True, slots=True)
class ShownConditions:
    """The conditions of a race, with the commitment to its seeds: "" until it opens. `results`: it has some."""

    race: RaceRecord
    conditions: Conditions
    commitment: str
    results: bool


class RaceConditions:
    """Of all races of one store. `changed(race_id)` is called after a commit that pages show."""

    def __init__(self, store: Store, changed: Callable[[str], None]) -> None:
        self._store, self._changed = store, changed

    def shown(self, caller: Caller, race_id: str, now_utc_ns: int) -> ShownConditions:
        """The race's conditions. Raises UnknownRace, Refused for a race that is not virtual."""
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
            wanted, kept = wanted_conditions(db, race), condition_rows.virtual_race(db, race_id)
            results = race_rows.shown(db, race_id).results > 0
        if kept is None and race.state(now_utc_ns) == "open":
            with self._store.write() as db:  # nothing was submitted yet, and what is drawn now is shown from now on
                race = seen_race(db, caller, race_id, for_change=True)
                kept = open_race(db, race, now_utc_ns)
        commitment = "" if kept is None else kept.seeds.commitment
        return ShownConditions(race, wanted, commitment, results)

    def set(self, caller: Caller, race_id: str, payload: bytes, now_utc_ns: int) -> ShownConditions:
        """Give the race these conditions; what is absent has its default. Raises BadInput, Refused, NotAllowed."""
        with self._store.write() as db:
            race = race_for(db, caller, race_id, "race.edit")
            _check_virtual(race)
            if race_rows.shown(db, race_id).results:
                raise Refused(text("The race has results: its conditions stay, so that all of them are driven alike."))
            conditions = read_for(race, payload)
            check_world(conditions)
            adopt(db, caller, race, conditions, now_utc_ns)
        self._changed(race_id)
        return self.shown(caller, race_id, now_utc_ns)

    def check_may_set(self, caller: Caller, race_id: str) -> None:
        """Check that the caller sets conditions of this race. Raises UnknownRace, NotAllowed, Unauthorized."""
        with self._store.read() as db:
            access.require(caller, "race.edit", seen_race(db, caller, race_id))

    def seeds(self, caller: Caller, race_id: str, now_utc_ns: int) -> RaceSeeds:
        """The seeds of a race that is closed; they are drawn anew if it is opened again.

        Raises UnknownRace, NotHere for a race that has none, Refused for a physical one, Conflict before it is closed.
        """
        with self._store.write() as db:
            race = seen_race(db, caller, race_id, for_change=True)
            _check_virtual(race)
            if race.state(now_utc_ns) not in ("closed", "provisional", "final"):
                raise Conflict(text("The seeds are told when the race is closed: nobody can tune to them."))
            kept = condition_rows.virtual_race(db, race_id)
            if kept is None:
                raise NotHere(text("The race was never open: it has no seeds."))
            condition_rows.published(db, race_id, now_utc_ns)
            return kept.seeds


def wanted_conditions(db: sa.Connection, race: RaceRecord) -> Conditions:
    """The conditions by which the race is driven now: those that were set, with what is the race's own.

    Raises Refused for a race that is not virtual or whose conditions are elsewhere, BadInput where its settings make
    none that can be driven.
    """
    _check_virtual(race)
    if not race.conditions_sha256:
        return check_conditions(_followed(_usual(race), race))
    stored = condition_rows.conditions(db, race.conditions_sha256)
    if stored is None:
        raise NotHere(text("The race names conditions that are not stored here: another leaderboard has them."))
    return check_conditions(_followed(stored, race))


def adopt(db: sa.Connection, caller: Caller, race: RaceRecord, conditions: Conditions, now_utc_ns: int) -> RaceRecord:
    """Name these conditions in the race, as another edition of it; unchanged if they are named already."""
    condition_rows.keep_conditions(db, conditions, now_utc_ns)
    if race.conditions_sha256 == conditions.sha256:
        return race
    if not league_rows.has_edition(db, race):  # made before editions were kept
        league_rows.add_edition(db, race, league_rows.created_utc_ns(db, race.race_id), "system")
    changed = dataclasses.replace(race, conditions_sha256=conditions.sha256, edition=race.edition + 1)
    league_rows.add_edition(db, changed, now_utc_ns, audit.actor_of(caller))
    store_change(db, caller, "race.edit", race, changed, now_utc_ns)
    return changed


def open_race(db: sa.Connection, race: RaceRecord, now_utc_ns: int) -> condition_rows.VirtualRace:
    """What is kept of a race that is open, or was: its seeds are drawn if there are none, or if it was over before."""
    kept = condition_rows.virtual_race(db, race.race_id)
    was_over = kept is not None and (kept.told_utc_ns, kept.finals_utc_ns) != (None, None)
    again = was_over and race.state(now_utc_ns) == "open"
    if kept is None or again:
        drawn = seeds.draw(race.race_id, os.urandom(seeds.entropy_bytes()))
        condition_rows.set_seeds(db, drawn, now_utc_ns)
        after = {"commitment": drawn.commitment}
        before = None if kept is None else {"commitment": kept.seeds.commitment}
        subject, season = f"race:{race.race_id}", race.season_id
        audit.record(
            db, NOBODY, now_utc_ns, "race.seeds", subject, before, after, race_id=race.race_id, season_id=season
        )
        kept = condition_rows.virtual_race(db, race.race_id)
        assert kept is not None, "it was stored a moment ago"
    return kept


def read_for(race: RaceRecord, payload: bytes) -> Conditions:
    """Conditions from outside for this race. Raises BadInput, also where they contradict the race."""
    own = json.loads(_followed(_usual(race), race).canonical())
    try:
        given = json.loads(payload)
    except (ValueError, RecursionError):
        raise BadInput(text("The conditions are not valid JSON.")) from None
    if not isinstance(given, dict):
        raise BadInput(text("The conditions are a JSON object."))
    for name in _OF_THE_RACE:
        if name in given and given[name] != own[name]:
            raise BadInput(
                text("{name} of the conditions is the race's own: change it there, or leave it out.", name=f"`{name}`")
            )
    if race.race_type == "object_avoidance":
        given.setdefault("objects", own["objects"])
    if race.race_type == "head_to_bot":
        given.setdefault("bots", own["bots"])
    given.setdefault("laps", own["laps"])
    return conditions_from(json.dumps(given | {name: own[name] for name in _OF_THE_RACE}))


def _check_virtual(race: RaceRecord) -> None:
    if race.venue == "physical":
        raise Refused(text("The race is driven on a physical track: it has no virtual conditions."))


def _usual(race: RaceRecord) -> Conditions:
    """What a race gets for which nothing was set."""
    wanted = max(_USUAL_LAPS, race.rules.consecutive_laps)
    laps = wanted if race.rules.max_laps is None else min(race.rules.max_laps, _MAX_LAPS)
    return Conditions(laps=laps)


def _followed(conditions: Conditions, race: RaceRecord) -> Conditions:
    """The conditions with what is the race's own, whatever it was when they were set."""
    boxes, bots = conditions.objects, conditions.bots
    if race.race_type != "object_avoidance":
        boxes = BoxSet()
    elif not boxes.count:
        boxes = BoxSet(_USUAL_BOXES)
    if race.race_type != "head_to_bot":
        bots = BotSet()
    elif not bots.count:
        bots = BotSet(_USUAL_BOTS)
    return dataclasses.replace(
        conditions,
        track=race.track,
        direction=race.direction,
        race_type=race.race_type,
        rules=DrivenRules.of(race.rules),
        objects=boxes,
        bots=bots,
    )
