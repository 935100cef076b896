"""Which races the leaderboard should have, from the engine's state after a commit. Called by station.py."""

from collections.abc import Callable

from shared.protocol.races import RaceOffer
from station.core.inputs import OpenRace
from station.core.state import TimingState
from station.store.event_files.race_offers import RaceOffers


class OfferedRaces:
    """Passes on the races that have been opened, whenever one was opened or changed; `write` stores them for sync."""

    def __init__(self, station: str, write: Callable[[RaceOffers], None]) -> None:
        self._station, self._write = station, write
        self._infos: tuple[OpenRace, ...] = ()
        self._current = ""

    def update(self, state: TimingState) -> None:
        """Called after each commit; costs next to nothing while no race changes."""
        infos = tuple(race.info for race in state.races.values())
        current = "" if state.race is None else state.race.info.race_id
        if infos == self._infos and current == self._current:
            return
        self._infos, self._current = infos, current
        self._write(RaceOffers(current, tuple(self._offer(state, info) for info in infos)))

    def _offer(self, state: TimingState, info: OpenRace) -> RaceOffer:
        card = state.event.races.get(info.race_id)
        version = 1 if card is None else card.rules_version
        return RaceOffer(info.race_id, info.name, info.track, info.rules, info.kind, version, self._station)
