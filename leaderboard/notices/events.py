"""Which notices follow from what a race was and is. Pure; called by collector.py.

What was noticed of a race is kept as a mark. A mark compared with the race as it is now gives the notices, so none is
lost by a crash, and none comes twice: the mark is stored in the transaction that stores the notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from leaderboard.core.race import RaceRecord
from shared.protocol.canonical_json import canonical
from shared.units import NS_PER_S, format_ms

NoticeType = Literal["race.opened", "leader.changed", "record.set", "race.final", "test"]
NOTICE_TYPES: tuple[NoticeType, ...] = get_args(NoticeType)[:-1]


@dataclass(frozen=True, slots=True)
class Leader:
    """The first of a table of a race."""

    racer: str
    name: str
    score_ms: int
    result_id: str


@dataclass(frozen=True, slots=True)
class RaceMark:
    """What was noticed of a race: that it was open, that it was final, and who led each table last."""

    opened: bool = False
    final: bool = False
    leaders: Mapping[str, Leader] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened in a race; `body` is what is signed and sent."""

    kind: NoticeType
    race_id: str
    at_utc_ns: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BestScore:
    """The best score of all public races that can be compared (`record_key`)."""

    score_ms: int
    race_id: str
    racer: str


def mark_of(race: RaceRecord, leaders: Mapping[str, Leader], before: RaceMark, now_utc_ns: int) -> RaceMark:
    """What is to be noticed of the race as it is now. Once open it stays noticed; final is noticed each time anew."""
    state = race.state(now_utc_ns)
    return RaceMark(before.opened or state == "open", state == "final", dict(leaders))


def notices_between(race: RaceRecord, before: RaceMark, now: RaceMark, at_utc_ns: int) -> list[Notice]:
    """The notices of a race between two marks, in the order in which they are told."""
    found = []
    if now.opened and not before.opened:
        found.append(_notice("race.opened", race, at_utc_ns, {}))
    for table, leader in now.leaders.items():
        was = before.leaders.get(table)
        if was is None or was.racer != leader.racer:
            found.append(
                _notice(
                    "leader.changed", race, at_utc_ns, {"table": table, "leader": _shown(leader), "before": _shown(was)}
                )
            )
    if now.final and not before.final:
        winners = {table: _shown(leader) for table, leader in now.leaders.items()}
        found.append(_notice("race.final", race, at_utc_ns, {"winners": winners}))
    return found


def record_key(race: RaceRecord, table: str) -> str:
    """What makes scores comparable: track, direction, race type, circuit, and how a score is made."""
    rules = race.rules
    parts = (race.track, race.direction, race.race_type, table, rules.method, str(rules.consecutive_laps))
    return canonical(parts)


def record_notice(race: RaceRecord, table: str, leader: Leader, before: BestScore | None, at_utc_ns: int) -> Notice:
    """The notice that this leader set a record."""
    old = None if before is None else {"score_ms": before.score_ms, "race_id": before.race_id, "racer": before.racer}
    more = {"table": table, "leader": _shown(leader), "before": old, "track": race.track, "direction": race.direction}
    return _notice("record.set", race, at_utc_ns, more)


def test_notice(at_utc_ns: int) -> Notice:
    """A notice that says nothing, to try a receiver."""
    return Notice("test", "", at_utc_ns, _body("test", at_utc_ns, {}))


def is_record(leader: Leader, before: BestScore | None) -> bool:
    """Whether the leader's score beats the record; an equal one does not."""
    return before is None or leader.score_ms < before.score_ms


def _notice(kind: NoticeType, race: RaceRecord, at_utc_ns: int, more: dict[str, Any]) -> Notice:
    named = {"race_id": race.race_id, "name": race.name, "track": race.track, "season_id": race.season_id}
    return Notice(kind, race.race_id, at_utc_ns, _body(kind, at_utc_ns, named | more))


def _body(kind: NoticeType, at_utc_ns: int, data: dict[str, Any]) -> bytes:
    at = datetime.fromtimestamp(at_utc_ns // NS_PER_S, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return canonical({"type": kind, "timestamp": at, "data": data}).encode()


def _shown(leader: Leader | None) -> dict[str, Any] | None:
    if leader is None:
        return None
    return {
        "racer": leader.racer,
        "name": leader.name,
        "score_ms": leader.score_ms,
        "score": format_ms(leader.score_ms),
        "result_id": leader.result_id,
    }
