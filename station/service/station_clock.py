"""The station's clock: the present moment, the time of day as far as it is known, and which clock inputs are due.

station.py uses it on all of its threads; the engine, which knows what was journaled about clocks, is passed in. Laps
are measured on the monotonic clock alone: the time of day is for people and for results.
"""

from shared.clock import Clock
from station.core import inputs as e
from station.core.engine import Engine
from station.views.system_views import ClockView

TICK_NS = 50_000_000
PAIR_NS = 600_000_000_000
STEP_NS = 1_000_000_000  # a time of day that jumped further is journaled at once


class StationClock:
    """The clock of this boot. `is_set`: the machine, or within this boot an official, vouches for the time of day."""

    def __init__(self, clock: Clock, engine: Engine) -> None:
        """`engine` as it was restored from the journal."""
        self._clock = clock
        self._offset_ns: int | None = None  # time of day minus clock, where an official set it
        self.is_set = clock.trusted
        self._last_pair = (0, True)  # offset in ns, and whether it was vouched for
        self._next_pair_ns = clock.now_ns() + PAIR_NS  # a start journals one anyway
        self._next_tick_ns = 0
        self._paired = set(engine.paired)  # boots whose clocks are journaled beside a time of day
        self.update(engine)

    @property
    def boot_id(self) -> str:
        return self._clock.boot_id

    @property
    def rate(self) -> float:
        """Seconds of this clock per real second."""
        return self._clock.rate

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def now(self) -> e.Moment:
        """The present moment on this boot's clock, with the time of day as far as it is known."""
        now_ns = self._clock.now_ns()
        return e.Moment(self._clock.boot_id, now_ns, self._utc_ns(now_ns))

    def view(self) -> ClockView:
        """The clock for the pages, so that a browser can run a lap clock."""
        now_ns = self._clock.now_ns()
        return ClockView(self._clock.boot_id, now_ns, self._utc_ns(now_ns), self._clock.rate, self.is_set)

    def update(self, engine: Engine) -> None:
        """Adopts the time of day that an official set within this boot, unless the machine knows it itself."""
        boot, trusted = self._clock.boot_id, self._clock.trusted
        by_official = not trusted and boot in engine.paired and engine.trusts(boot)
        self._offset_ns = engine.time_of_day(boot, 0) if by_official else None
        self.is_set = trusted or by_official

    def on_boot(self, now: e.Moment, engine: Engine) -> None:
        """Called when a start is journaled at `now`; after a reboot, devices that kept running are paired again."""
        self._last_pair = (now.utc_ns - now.at_ns, self.is_set)
        if now.boot not in engine.paired:
            self._paired.clear()

    def device_pair(self, edge: e.Edge) -> e.ClockPair | None:
        """Pairs the clock of the device that stamped the edge with the time of day, once for each boot of the device.

        This way its stamps can be shown as times of day. None if it is this machine's clock, or is paired already.
        """
        if edge.boot in self._paired or e.clock_of(edge.boot) == self._clock.boot_id:
            return None
        self._paired.add(edge.boot)
        return e.ClockPair(e.Moment(edge.boot, edge.at_ns, self.now().utc_ns), self.is_set)

    def due_inputs(self, engine: Engine, idle: bool) -> list[e.ClockPair | e.Tick]:
        """The clock pair and the tick that are due now.

        A tick is due only if the station is `idle`: inputs that wait in its queue are older than the tick would be.
        """
        self.update(engine)
        now = self.now()
        due = (self._due_pair(now, engine), self._due_tick(now) if idle else None)
        return [each for each in due if each is not None]

    def _due_pair(self, now: e.Moment, engine: Engine) -> e.ClockPair | None:
        """A clock pair, every ten minutes and at once when the time of day jumped or became known; None if not due."""
        if not self._pair_is_due(now, engine):
            return None
        self._next_pair_ns = now.at_ns + PAIR_NS
        self._last_pair = (now.utc_ns - now.at_ns, self.is_set)
        return e.ClockPair(now, self.is_set, self._clock.rate != 1.0)

    def _due_tick(self, now: e.Moment) -> e.Tick | None:
        """A tick, twenty times a second; None if none is due."""
        if self._next_tick_ns - TICK_NS <= now.at_ns < self._next_tick_ns:
            return None
        self._next_tick_ns = now.at_ns + TICK_NS
        return e.Tick(now)

    def _pair_is_due(self, now: e.Moment, engine: Engine) -> bool:
        last_ns, was_set = self._last_pair
        offset_ns = now.utc_ns - now.at_ns
        # The core ignores a pair while a run is on, so it is offered again once the run is over.
        free = engine.race is None or not engine.race.on_track
        shown_ns = engine.time_of_day(now.boot, 0) if free else last_ns
        jumped = self._clock.rate == 1.0 and max(abs(offset_ns - last_ns), abs(offset_ns - shown_ns)) > STEP_NS
        late = now.at_ns >= self._next_pair_ns or now.at_ns < self._next_pair_ns - PAIR_NS
        return late or jumped or was_set != self.is_set

    def _utc_ns(self, now_ns: int) -> int:
        offset_ns = self._offset_ns
        return self._clock.utc_ns() if offset_ns is None else now_ns + offset_ns
