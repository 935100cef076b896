"""Records: the best score on each track, by direction, race type, circuit and what is measured. Pure.

Scores compare only where the same is measured: the method, and over how many laps in a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.rules.ranking import Method


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """What a record is kept for. `circuit`: physical or virtual; `laps`: in a row (1 for a best lap)."""

    track: str
    direction: str
    race_type: str
    circuit: str
    method: Method
    laps: int


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """A record, and since when it stands. `race_id`: where it was set."""

    key: RecordKey
    racer: str
    name: str
    score_ms: int
    set_utc_ns: int
    race_id: str


def record_key(track: str, direction: str, race_type: str, circuit: str, method: Method, laps: int) -> RecordKey:
    """The key; a best lap is one lap, however many a run must hold in a row."""
    return RecordKey(track, direction, race_type, circuit, method, 1 if method == "best_lap" else laps)


def records(candidates: Iterable[TrackRecord]) -> list[TrackRecord]:
    """The best of each key, in the order of the keys. Only less breaks a record: of equal ones the first keeps it."""
    best: dict[RecordKey, TrackRecord] = {}
    for each in candidates:
        holder = best.get(each.key)
        if holder is None or _order(each) < _order(holder):
            best[each.key] = each
    return [best[key] for key in sorted(best)]


def _order(record: TrackRecord) -> tuple[int, int, str, str]:
    return record.score_ms, record.set_utc_ns, record.race_id, record.racer
