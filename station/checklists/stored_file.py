"""What is kept of the checklists in `checklists.json`, as bytes: checked where they are read. Pure.

Called by the register for the file beside the journal, and by backup and restore for the one that travels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.text import text
from station.checklists.items import ITEMS
from station.checklists.records import NO_END_NS, HandTick, StationSightings

FILE = "checklists.json"
MAX_BYTES = 1_000_000  # a hundred cars and all lines fill a tenth of it
MAX_CARRIED_TICKS = 200  # our lines and three times as many of a later version
MAX_TICK_BYTES = 1_500  # of a carried one, as JSON: two names of 320 bytes each, were each to be escaped, and its line


@dataclass(frozen=True, slots=True)
class StoredChecklists:
    """What the file holds."""

    ticks: tuple[HandTick, ...] = ()
    sightings: StationSightings = field(default_factory=StationSightings)


_STORED = TypeAdapter(StoredChecklists)
_TICK = TypeAdapter(HandTick)


def as_bytes(stored: StoredChecklists) -> bytes:
    """The file's content. Raises BadInput if it would be too large to be read again."""
    content = _STORED.dump_json(stored)
    _check_size(content)
    return content


def checklists_in(content: bytes) -> StoredChecklists:
    """What a file of this content holds. Raises BadInput if it is none, or too large to be one."""
    _check_size(content)
    try:
        stored = _STORED.validate_json(content)
    except ValidationError as error:
        raise BadInput(str(error).splitlines()[0]) from None
    if not all(0 <= number <= NO_END_NS for number in _numbers(_STORED.dump_python(stored))):
        raise BadInput(text("It holds a time that is none."))
    return stored


def carriable(ticks: Iterable[HandTick]) -> tuple[HandTick, ...]:
    """Those of the ticks that a backup may carry, all of which fit into the file: none that is longer than a station
    writes, and of too many first those of lines that this version knows, then the newest.
    """
    kept = [each for each in ticks if len(_TICK.dump_json(each)) <= MAX_TICK_BYTES]
    if len(kept) > MAX_CARRIED_TICKS:
        kept.sort(key=lambda each: (each.key in ITEMS, each.at_utc_ns), reverse=True)
    return tuple(kept[:MAX_CARRIED_TICKS])


def with_ticks_of(here: StoredChecklists, carried: StoredChecklists, now_utc_ns: int) -> StoredChecklists:
    """What a station has on file once a backup is restored: of each line the newest tick of both; of two of one
    moment, the one that is here. It can always be written.

    A carried tick that is later than now comes from a machine whose clock was ahead, so that it says nothing of what
    was newer: it counts only where none is here. What was seen is only what this station saw: a backup may come from
    another machine, with other gates and buttons. If it does not fit beside the ticks, it is left out, and seen again.
    """
    keys_here = {each.key for each in here.ticks}
    newest: dict[str, HandTick] = {}
    brought = [each for each in carried.ticks if each.at_utc_ns <= now_utc_ns or each.key not in keys_here]
    for tick in (*brought, *here.ticks):
        known = newest.get(tick.key)
        if known is None or tick.at_utc_ns >= known.at_utc_ns:
            newest[tick.key] = tick
    merged = StoredChecklists(carriable(newest.values()), here.sightings)
    return merged if len(_STORED.dump_json(merged)) <= MAX_BYTES else StoredChecklists(merged.ticks)


def _check_size(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise BadInput(text("It is larger than {limit} MB.", limit=MAX_BYTES // 1_000_000))


def _numbers(value: object) -> Iterator[int]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int):
        yield value
