"""The start lights at the track: shows the start that is in progress, by the same instants as the pages.

Run by threads.py on a thread of its own, which sleeps until the next light: GO is not to wait for a car's message.
"""

from collections.abc import Callable

from shared.clock import Clock
from shared.errors import HardwareMissing
from shared.text import text
from station.core.race.starts import lights_lit
from station.hardware.driver import StartLightsDriver
from station.views.procedure_view import StagedStartView
from station.views.trackside.devices import StartLightsView
from station.views.trackside.start_sequence import next_change_ns

RETRY_NS = 2_000_000_000
IDLE_S = 0.05  # how soon a start that was begun or aborted is noticed


class StartLightsRunner:
    """Drives the lights that `make` constructs. `start()` is the start in progress, None if there is none.

    `show` gets the view whenever it changes. Lights that are absent stop nothing: they are tried again.
    """

    def __init__(
        self,
        make: Callable[[], StartLightsDriver],
        clock: Clock,
        start: Callable[[], StagedStartView | None],
        show: Callable[[StartLightsView], None],
    ) -> None:
        self._make, self._clock, self._start, self._show = make, clock, start, show
        self._lights: StartLightsDriver | None = None
        self._tried_ns: int | None = None
        self._view = StartLightsView()

    def pump(self) -> float:
        """Shows what is due now; returns for how many real seconds nothing changes, at most `IDLE_S`."""
        now_ns = self._clock.now_ns()
        if self._lights is None:
            self._connect(now_ns)
        start = self._start()
        self._light(0 if start is None else lights_lit(start.staged_ns, start.go_ns, now_ns))
        next_ns = None if start is None else next_change_ns(start, now_ns)
        return IDLE_S if next_ns is None else min(IDLE_S, (next_ns - now_ns) / 1e9 / self._clock.rate)

    def close(self) -> None:
        if self._lights is not None:
            self._lights.close()

    def _connect(self, now_ns: int) -> None:
        if self._tried_ns is not None and 0 <= now_ns - self._tried_ns < RETRY_NS:
            return
        self._tried_ns = now_ns
        try:
            self._lights = self._make()
            self._lights.show(0)
        except HardwareMissing as error:
            self._fail(str(error))
            return
        self._update(StartLightsView())

    def _light(self, lit: int) -> None:
        if self._lights is None or lit == self._view.lit:
            return
        try:
            self._lights.show(lit)
        except HardwareMissing as error:
            self._fail(str(error))
            return
        self._update(StartLightsView(lit))

    def _fail(self, why: str) -> None:
        if self._lights is not None:
            self._lights.close()
            self._lights = None
        self._update(StartLightsView(fault=text("The start lights do not work: {why}", why=why)))

    def _update(self, view: StartLightsView) -> None:
        if view != self._view:
            self._view = view
            self._show(view)
