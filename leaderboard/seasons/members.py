"""Teams and members of a season, and its rules: what organisers set. Called by api/seasons/ and pages/seasons/."""

import dataclasses
import json
import secrets
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, UnknownItem
from leaderboard.core.seasons.rules import SeasonRules, check_season_rules
from leaderboard.league.changes import edition_sentence
from leaderboard.store import audit, league_rows, season_rows
from leaderboard.store.database import Store
from leaderboard.store.season_rows import SeasonMember, TeamRecord
from shared.errors import Refused
from shared.rules.person_names import person_name
from shared.text import text

MAX_MEMBERS_AT_ONCE = 1_000


class SeasonMembers:
    """The teams, members and rules of the seasons of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set_rules(self, caller: Caller, season_id: str, rules: SeasonRules, edition: int, now_utc_ns: int) -> int:
        """Give the season other rules; returns its edition then. `edition`: that the caller has seen.

        Raises UnknownItem, Unauthorized, NotAllowed, Refused, Conflict (somebody changed the season meanwhile).
        """
        check_season_rules(rules)
        with self._store.write() as db:
            season = league_rows.season(db, season_id, for_change=True)
            access.require(caller, "season.edit", season_id=season_id)
            before = season_rows.rules_of(db, season_id)
            if before == rules:
                return season.edition
            if edition != season.edition:
                raise Conflict(edition_sentence(season.edition, edition))
            settings = json.dumps(dataclasses.asdict(rules), sort_keys=True, ensure_ascii=False)
            changed = dataclasses.replace(season, settings=settings, edition=season.edition + 1)
            league_rows.change_season(db, changed)
            subject = f"season:{season_id}"
            audit.record(db, caller, now_utc_ns, "season.edit", subject, before, rules, season_id=season_id)
        return changed.edition

    def add_team(self, caller: Caller, season_id: str, name: str, now_utc_ns: int) -> TeamRecord:
        """Create a team. Raises Conflict if the season has one of this name, UnknownItem, NotAllowed, Refused."""
        name = person_name(name)
        with self._store.write() as db:
            _for_change(db, caller, season_id)
            if (existing := season_rows.team_named(db, season_id, name)) is not None:
                raise Conflict(text("The season has a team {name} already.", name=repr(existing.name)))
            team = TeamRecord(secrets.token_hex(8), season_id, name)
            season_rows.add_team(db, team, now_utc_ns)
            subject = f"team:{team.team_id}"
            audit.record(db, caller, now_utc_ns, "season.edit", subject, None, team, season_id=season_id)
        return team

    def drop_team(self, caller: Caller, season_id: str, team_id: str, now_utc_ns: int) -> None:
        """Remove a team; its members stay in the season. Raises UnknownItem, NotAllowed."""
        with self._store.write() as db:
            _for_change(db, caller, season_id)
            team = _team(db, season_id, team_id)
            season_rows.drop_team(db, team_id)
            subject = f"team:{team_id}"
            audit.record(db, caller, now_utc_ns, "season.edit", subject, team, None, season_id=season_id)

    def rename_team(self, caller: Caller, season_id: str, team_id: str, name: str, now_utc_ns: int) -> TeamRecord:
        """Call a team otherwise. Raises Conflict if another one has this name, UnknownItem, NotAllowed, Refused."""
        name = person_name(name)
        with self._store.write() as db:
            _for_change(db, caller, season_id)
            before = _team(db, season_id, team_id)
            existing = season_rows.team_named(db, season_id, name)
            if existing is not None and existing.team_id != team_id:
                raise Conflict(text("The season has a team {name} already.", name=repr(existing.name)))
            after = dataclasses.replace(before, name=name)
            if after != before:
                season_rows.rename_team(db, after)
                subject = f"team:{team_id}"
                audit.record(db, caller, now_utc_ns, "season.edit", subject, before, after, season_id=season_id)
        return after

    def change_member(
        self, caller: Caller, season_id: str, racer: str, wanted: SeasonMember, now_utc_ns: int
    ) -> SeasonMember:
        """Give the member `racer` another name, region, category or team; one that is new becomes a member.

        Raises Conflict if another member has the new name, and what `set_members` raises.
        """
        with self._store.write() as db:
            _for_change(db, caller, season_id)
            before = season_rows.member(db, season_id, racer)
            renamed = dataclasses.replace(wanted, racer=person_name(wanted.racer))
            if before is not None and before.racer != renamed.racer:
                other = season_rows.member(db, season_id, renamed.racer)
                if other is not None and other.racer != before.racer:
                    raise Conflict(text("The season has a racer {name} already.", name=repr(other.racer)))
                season_rows.drop_member(db, season_id, before.racer)
                season_rows.set_member(db, season_id, dataclasses.replace(before, racer=renamed.racer))
                subject = f"season:{season_id}/{renamed.racer}"
                names = ({"racer": before.racer}, {"racer": renamed.racer})
                audit.record(db, caller, now_utc_ns, "season.edit", subject, *names, season_id=season_id)
            rules = season_rows.rules_of(db, season_id)
            team_ids = {team.team_id for team in season_rows.teams(db, season_id)}
            return _set(db, caller, season_id, renamed, rules, team_ids, now_utc_ns)

    def drop_member(self, caller: Caller, season_id: str, racer: str, now_utc_ns: int) -> None:
        """Forget region, category and team of a racer, whose results stay. Raises UnknownItem, NotAllowed."""
        with self._store.write() as db:
            _for_change(db, caller, season_id)
            before = season_rows.member(db, season_id, racer)
            if before is None:
                raise UnknownItem.of("member", racer)
            season_rows.drop_member(db, season_id, racer)
            subject = f"season:{season_id}/{before.racer}"
            audit.record(db, caller, now_utc_ns, "season.edit", subject, before, None, season_id=season_id)

    def set_members(
        self, caller: Caller, season_id: str, wanted: Sequence[SeasonMember], now_utc_ns: int
    ) -> list[SeasonMember]:
        """Set region, category and team of racers, who need not have raced yet; all of them or none.

        Raises UnknownItem, Unauthorized, NotAllowed, Refused.
        """
        if len(wanted) > MAX_MEMBERS_AT_ONCE:
            raise Refused(
                text(
                    "{count} members are too many at once: send at most {max}.",
                    count=len(wanted),
                    max=MAX_MEMBERS_AT_ONCE,
                )
            )
        with self._store.write() as db:
            _for_change(db, caller, season_id)
            rules = season_rows.rules_of(db, season_id)
            team_ids = {team.team_id for team in season_rows.teams(db, season_id)}
            return [_set(db, caller, season_id, each, rules, team_ids, now_utc_ns) for each in wanted]


def _for_change(db: sa.Connection, caller: Caller, season_id: str) -> None:
    league_rows.season(db, season_id, for_change=True)
    access.require(caller, "season.edit", season_id=season_id)


def _team(db: sa.Connection, season_id: str, team_id: str) -> TeamRecord:
    team = next((each for each in season_rows.teams(db, season_id) if each.team_id == team_id), None)
    if team is None:
        raise UnknownItem.of("team", team_id)
    return team


def _set(
    db: sa.Connection,
    caller: Caller,
    season_id: str,
    wanted: SeasonMember,
    rules: SeasonRules,
    team_ids: Collection[str],
    now_utc_ns: int,
) -> SeasonMember:
    _check_known("region", wanted.region, rules.regions)
    _check_known("category", wanted.category, rules.categories)
    if wanted.team_id and wanted.team_id not in team_ids:
        raise UnknownItem.of("team", wanted.team_id)
    before = season_rows.member(db, season_id, wanted.racer)
    member = dataclasses.replace(wanted, racer=before.racer if before is not None else person_name(wanted.racer))
    if member != before:
        season_rows.set_member(db, season_id, member)
        subject = f"season:{season_id}/{member.racer}"
        audit.record(db, caller, now_utc_ns, "season.edit", subject, before, member, season_id=season_id)
    return member


WHAT = {
    "kind": text("kind of results"),
    "region": text("region"),
    "category": text("category"),
    "division": text("division"),
}


def _check_known(what: str, name: str, known: tuple[str, ...]) -> None:
    if name and name not in known:
        have = ", ".join(known) or text("none")
        raise Refused(
            text("This season has no {what} {name}: it has {have}.", what=WHAT[what], name=repr(name[:80]), have=have)
        )
