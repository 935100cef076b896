"""Heats in the queue of a LIVE race, as officials make them: of racers, turns, or a bracket. Called by service.py."""

from collections.abc import Sequence

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.live import heats
from leaderboard.core.live import queue as rules
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import QueueItem
from leaderboard.core.race import RaceRecord
from leaderboard.live_races.entrants import new_turn, wanted_heat
from leaderboard.live_races.queue_changes import QueueChanges, Unable
from leaderboard.store import season_rows
from shared.errors import Refused
from shared.text import text


class HeatChanges:
    """The changes of one store's queues that are about heats."""

    def __init__(self, changes: QueueChanges) -> None:
        self._changes = changes

    def add(self, caller: Caller, race_id: str, first: str, second: str, now_utc_ns: int) -> LiveQueue:
        """Put a heat of two racers at the end of the queue. Raises Refused, NotAllowed."""

        def change(db: sa.Connection, race: RaceRecord, queue: LiveQueue, unable: Unable) -> LiveQueue:
            access.require(caller, "live.run", race)
            heats.check_heats(race)
            return heats.heat_added(queue, new_turn(), wanted_heat(db, queue, first, second, unable))

        return self._changes.change(caller, race_id, None, now_utc_ns, "add", change)

    def add_of_bracket(
        self, caller: Caller, race_id: str, numbered: Sequence[tuple[int, str, str]], bracket_id: str, now_utc_ns: int
    ) -> LiveQueue:
        """Put heats of a bracket at the end of the queue, but for those that are in it: (number, racer, racer) each.

        Raises Refused, NotAllowed.
        """

        def change(db: sa.Connection, race: RaceRecord, queue: LiveQueue, unable: Unable) -> LiveQueue:
            access.require(caller, "live.run", race)
            heats.check_heats(race)
            there = {each.heat for each in queue.items if each.bracket_id == bracket_id and each.state != "done"}
            wanted = [each for each in numbered if each[0] not in there]
            if not wanted:
                raise Refused(text("No other heat of this bracket can be driven now."))
            for number, first, second in wanted:
                entrants = wanted_heat(db, queue, first, second, unable)
                queue = heats.heat_added(queue, new_turn(), entrants, bracket_id, number)
            return queue

        return self._changes.change(caller, race_id, None, now_utc_ns, "add", change)

    def pair(
        self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str = "", other_id: str = ""
    ) -> LiveQueue:
        """Make a heat of two turns that wait; without them, of all who wait alone, each with the next.

        Raises Refused, Conflict.
        """

        def change(_db: sa.Connection, race: RaceRecord, queue: LiveQueue, _unable: Unable) -> LiveQueue:
            heats.check_heats(race)
            return heats.paired(queue, item_id, other_id) if item_id else heats.paired_in_order(queue)

        return self._changes.change(caller, race_id, version, now_utc_ns, "pair", change)

    def part(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str) -> LiveQueue:
        """Make two turns of a heat that waits. Raises Refused, Conflict."""
        return self._changes.plain(
            caller, race_id, version, now_utc_ns, "part", lambda q: heats.parted(q, item_id, new_turn())
        )


def check_undecided(db: sa.Connection, item: QueueItem) -> None:
    """Check that the bracket of this turn waits for it. Raises Refused."""
    if _decided(db, item):
        raise Refused(
            text("Heat {number} has a result in its bracket: let it be run again there first.", number=item.heat)
        )


def past_decided(db: sa.Connection, queue: LiveQueue, now_utc_ns: int) -> LiveQueue:
    """The queue without those at its head whose bracket has their result already: they are skipped."""
    for item in queue.waiting:
        if not _decided(db, item):
            return queue
        reason = str(text("it has a result in its bracket"))
        queue = rules.changed(queue, item.item_id, "skip", now_utc_ns, reason)
    return queue


def _decided(db: sa.Connection, item: QueueItem) -> bool:
    return bool(item.bracket_id) and item.heat in season_rows.heat_results(db, item.bracket_id)
