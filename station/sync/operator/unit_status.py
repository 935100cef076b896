"""Tells systemd how posting goes, when that has changed. Called by `raceday sync` between two steps."""

from collections.abc import Callable

from shared.process.service_state import NotifyResult, tell_service_state
from shared.units import NS_PER_S
from station.sync.operator.results_line import reported_results
from station.views.system_views import SyncView

TELL_NS = NS_PER_S


class SyncUnitStatus:
    """The line of `systemctl status raceday-sync`. `view`: how posting goes now; `send`: gives a line to systemd."""

    def __init__(self, view: Callable[[], SyncView], send: Callable[[str], NotifyResult] = tell_service_state) -> None:
        self._view, self._send = view, send
        self._sent_line, self._due_ns = "", 0

    def update(self, now_ns: int) -> None:
        """Sends what is new, at most once a second; what systemd did not take is sent again."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + TELL_NS
        line = reported_results(self._view()).line()
        if line != self._sent_line and self._send(line) != "not sent":
            self._sent_line = line
