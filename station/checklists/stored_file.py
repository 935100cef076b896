"""What is kept of the checklists in `checklists.json`, as bytes: checked where they are read. Pure.

Called by the register for the file beside the journal, and by backup and restore for the one that travels.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.text import text
from station.checklists.records import NO_END_NS, HandTick, StationSightings

FILE = "checklists.json"
MAX_BYTES = 1_000_000  # a hundred cars and all lines fill a tenth of it


@dataclass(frozen=True, slots=True)
class StoredChecklists:
    """What the file holds."""

    ticks: tuple[HandTick, ...] = ()
    sightings: StationSightings = field(default_factory=StationSightings)


_STORED = TypeAdapter(StoredChecklists)


def as_bytes(stored: StoredChecklists) -> bytes:
    """The file's content."""
    return _STORED.dump_json(stored)


def checklists_in(content: bytes) -> StoredChecklists:
    """What a file of this content holds. Raises BadInput if it is none, or too large to be one."""
    if len(content) > MAX_BYTES:
        raise BadInput(text("It is larger than {limit} MB.", limit=MAX_BYTES // 1_000_000))
    try:
        stored = _STORED.validate_json(content)
    except ValidationError as error:
        raise BadInput(str(error).splitlines()[0]) from None
    if not all(0 <= number <= NO_END_NS for number in _numbers(_STORED.dump_python(stored))):
        raise BadInput(text("It holds a time that is none."))
    return stored


def with_ticks_of(here: StoredChecklists, carried: StoredChecklists) -> StoredChecklists:
    """What a station has on file once a backup is restored: of each line the newest tick of both; of two of one
    moment, the one that is here.

    What was seen is only what this station saw: a backup may come from another machine, with other gates and buttons.
    """
    newest: dict[str, HandTick] = {}
    for tick in (*carried.ticks, *here.ticks):
        known = newest.get(tick.key)
        if known is None or tick.at_utc_ns >= known.at_utc_ns:
            newest[tick.key] = tick
    return StoredChecklists(tuple(newest.values()), here.sightings)


def _numbers(value: object) -> Iterator[int]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int):
        yield value
