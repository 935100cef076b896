"""Records as the words and figures of their page, under the name of their track."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from leaderboard.core.seasons.records import RecordKey, TrackRecord
from leaderboard.scored_laps import utc_text
from shared.text import Sentence, joined, ntext, text
from shared.units import format_ms


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record. `what`: what was measured; `where`: direction, race type and circuit."""

    what: Sentence
    where: str
    score: str
    name: str
    set_at: str
    page: str


_DIRECTIONS = {"counterclockwise": text("counterclockwise"), "clockwise": text("clockwise")}
_TYPES = {
    "time_trial": text("time trial"),
    "object_avoidance": text("object avoidance"),
    "head_to_bot": text("head to bot"),
    "head_to_head": text("head to head"),
}
_CIRCUITS = {"physical": text("physical"), "virtual": text("virtual")}


def record_views(records: Sequence[TrackRecord]) -> list[tuple[str, list[RecordView]]]:
    """The records of each track."""
    tracks: dict[str, list[RecordView]] = {}
    for record in records:
        tracks.setdefault(record.key.track, []).append(_record(record))
    return list(tracks.items())


def _record(record: TrackRecord) -> RecordView:
    key = record.key
    where = joined((_DIRECTIONS[key.direction], _TYPES[key.race_type], _CIRCUITS[key.circuit]), " · ")
    page = f"/races/{quote(record.race_id, safe='')}"
    set_at = utc_text(record.set_utc_ns)
    return RecordView(_what(key), where, format_ms(record.score_ms), record.name, set_at[:10], page)


def _what(key: RecordKey) -> Sentence:
    if key.method == "best_lap":
        return text("Best lap")
    if key.method == "average":
        return ntext("Average of {n} lap", "Average of {n} laps in a row", n=key.laps)
    return ntext("Total of {n} lap", "Total of {n} laps in a row", n=key.laps)
