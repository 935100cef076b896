"""Heats of a bracket that are driven LIVE: from the bracket into the queue, and their results back into it."""

from collections.abc import Mapping

import sqlalchemy as sa

from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import QueueItem
from leaderboard.core.race import RaceRecord
from leaderboard.evaluations.brackets.heats import heat_result
from leaderboard.live_races.service import LiveRaces
from leaderboard.seasons.brackets import BracketService, bracket_in, enter_in
from shared.errors import Refused
from shared.protocol.farm_shows import HeatRun
from shared.text import text


class LiveBrackets:
    """The brackets of LIVE races."""

    def __init__(self, live: LiveRaces, brackets: BracketService) -> None:
        self._live, self._brackets = live, brackets

    def open_in(self, caller: Caller, race_id: str) -> tuple[tuple[str, str], ...]:
        """The id and the name of each bracket of the race that is not driven to its end, and not by farms alone."""
        found = self._brackets.brackets(caller, race_id=race_id)
        return tuple(
            (now.bracket.bracket_id, now.bracket.name)
            for now in found
            if not now.bracket.settings.driven and any(heat.state in ("ready", "waiting") for heat in now.heats)
        )

    def add_ready(self, caller: Caller, race_id: str, bracket_id: str, now_utc_ns: int) -> LiveQueue:
        """Put the heats of a bracket whose racers are known at the end of the queue, in their order.

        Raises UnknownItem, NotAllowed, Refused.
        """
        now = self._brackets.bracket(caller, bracket_id)
        if now.bracket.race_id != race_id:
            raise Refused(text("The bracket {name} is of another race.", name=now.bracket.name))
        if now.bracket.settings.driven:
            raise Refused(text("The farms drive the heats of this bracket by themselves."))
        ready = [(heat.plan.number, heat.first or "", heat.second or "") for heat in now.heats if heat.state == "ready"]
        return self._live.heats.add_of_bracket(caller, race_id, ready, bracket_id, now_utc_ns)


def enter_live(
    db: sa.Connection,
    race: RaceRecord,
    item: QueueItem,
    run: HeatRun,
    times_ms: tuple[int | None, int | None],
    evidence: Mapping[str, object],
    now_utc_ns: int,
) -> None:
    """Enter what the run of a bracket's heat came to. Raises UnknownItem, Refused, Conflict."""
    now = bracket_in(db, item.bracket_id)
    heat = now.heats[item.heat - 1]
    if (heat.first, heat.second) != (item.racer, item.rival):
        raise Conflict(text("Others drive in heat {number} by now.", number=item.heat))
    result = heat_result(now, heat, run.winner, times_ms)
    enter_in(db, race, now.bracket, item.heat, result, (run,), evidence, now_utc_ns)
