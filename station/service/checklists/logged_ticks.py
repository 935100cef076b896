"""The ticks of the checklists in the log of access: how one is told there, and those on file that the log lacks.

The log stays at its machine, so it lacks those that a restored backup brought. Called by the station's command at each
start, by the page of the checklists at each tick, and by the audit.
"""

from collections.abc import Iterable

from shared.units import NS_PER_S
from station.access.access_state import AccessState
from station.access.records import AccessEvent, Deed
from station.checklists.records import HandTick

TICK_DEEDS: dict[bool, Deed] = {True: "line_ticked", False: "line_taken_back"}


def tick_event(tick: HandTick) -> AccessEvent:
    """A tick of a checklist as the log of access keeps it: the line by its key, since its words have many languages."""
    return AccessEvent(tick.at_utc_ns / NS_PER_S, TICK_DEEDS[tick.on], tick.person, tick.device, tick.key)


def unlogged_ticks(events: Iterable[AccessEvent], ticks: Iterable[HandTick]) -> list[AccessEvent]:
    """Those of the ticks that are none of these events: a backup brought them, or the disk refused their line."""
    logged = {(event.deed, event.subject, event.at_s) for event in events}
    return [event for event in map(tick_event, ticks) if (event.deed, event.subject, event.at_s) not in logged]


def log_ticks(state: AccessState, ticks: Iterable[HandTick]) -> None:
    """Adds to the log what it lacks of these ticks, all or none. Called again, also after a kill, it adds nothing.

    Raises StorageError.
    """
    lacking = unlogged_ticks((event for _, event in state.events()), ticks)
    if lacking:
        state.record(*lacking)
