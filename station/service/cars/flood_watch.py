"""Who floods the station over MQTT: counted among the refusals, logged, and told to the pages.

Called by live_state.py a few times a second with what the link dropped, and by receiver.py on the link's thread.
"""

from collections.abc import Callable, Sequence

from shared.link.inflow.rate_limits import MAX_SENDERS, Flood
from shared.refusals import Refusals

KIND = "mqtt"
ALARM_PER_S = 10  # a car of an earlier release that resends many laps at once is no alarm


class FloodWatch:
    """Turns the link's totals into refusals, each counted once. `now_s`: the process's monotonic clock."""

    def __init__(self, refusals: Refusals, log: Callable[[str], None], now_s: Callable[[], float]) -> None:
        self._refusals, self._log, self._now_s = refusals, log, now_s
        self._counted: dict[str, int] = {}

    def on_floods(self, floods: Sequence[Flood]) -> dict[str, int]:
        """Counts what was dropped since the last call; returns how many a second of each machine that floods now."""
        for flood in floods:
            before = self._counted.pop(flood.sender, 0)
            if fresh := flood.total - before if flood.total >= before else flood.total:
                self._record(flood.sender, "messages beyond its rate, unread", fresh)
            if len(self._counted) >= MAX_SENDERS:
                del self._counted[next(iter(self._counted))]
            self._counted[flood.sender] = flood.total
        return {flood.sender: flood.per_s for flood in floods if flood.sender and flood.per_s >= ALARM_PER_S}

    def on_no_room(self, car: str) -> None:
        """The journal has no room for a report of this car: it will send it again."""
        self._record(car, "a report beyond its share of the journal", 1)

    def _record(self, sender: str, what: str, times: int) -> None:
        line = self._refusals.record(KIND, sender or "invented names", what, self._now_s(), times)
        if line is not None:
            self._log(line)
