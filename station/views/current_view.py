"""The newest view, for any thread: parts are updated as they are committed, readers get whole snapshots or wait."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

from shared.text import text
from station.core.inputs import Mode
from station.views.car_views import CarView, StopView
from station.views.event_view import EventView
from station.views.gate_views import GateView
from station.views.procedure_view import ProcedureView
from station.views.queue_view import QueueView, refreshed
from station.views.race_views import RaceView, RunView, StandingLine, UncountedCrossing, UnknownTransponderView
from station.views.system_views import BrokerView, ClockView, ManagerView, StoreView, SyncView
from station.views.trackside.announcements import Announcement
from station.views.trackside.commentary import CommentaryView
from station.views.trackside.devices import StartLightsView, StopButtonView
from station.views.views import View


@dataclass(frozen=True, slots=True)
class ViewParts:
    """The parts of a view, except the clock, which is read for each snapshot."""

    race: RaceView | None = None
    run: RunView | None = None
    standing: tuple[StandingLine, ...] = ()
    gates: tuple[GateView, ...] = ()
    cars: tuple[CarView, ...] = ()
    broker: BrokerView = field(default_factory=lambda: BrokerView(False, text("Not connected yet."), 0, 0))
    sync: SyncView = field(default_factory=lambda: SyncView(0, 0, 0, 0, False, text("Sync has not been checked yet.")))
    store: StoreView = field(default_factory=lambda: StoreView(True, "", 0, 0, ""))
    mode: Mode = "race"
    runs: tuple[RunView, ...] = ()
    unknown_transponders: tuple[UnknownTransponderView, ...] = ()
    stop: StopView = field(default_factory=StopView)
    uncounted: tuple[UncountedCrossing, ...] = ()
    manager: ManagerView | None = None
    notice: str = ""
    queue: QueueView = field(default_factory=QueueView)
    procedure: ProcedureView = field(default_factory=ProcedureView)
    event: EventView = field(default_factory=EventView)
    button: StopButtonView | None = None
    lights: StartLightsView | None = None
    announcements: tuple[Announcement, ...] = ()
    commentary: CommentaryView = field(default_factory=CommentaryView)


class CurrentView:
    """The station's newest view; every method is safe from any thread. `clock` reads the station's clock."""

    def __init__(self, station: str, clock: Callable[[], ClockView]) -> None:
        self._station, self._clock = station, clock
        self._parts = ViewParts()
        self._version = 1
        self._due = 0
        self._changed = threading.Condition(threading.RLock())

    def update(self, **parts: object) -> None:
        """Replaces parts of the view by name; the version grows only if one of them differs."""
        with self._changed:
            sync = _with_results_due(parts.get("sync", self._parts.sync), self._due)  # type: ignore[arg-type]
            fresh = {**parts, "sync": sync}
            if any(getattr(self._parts, name) != part for name, part in fresh.items()):
                self._parts = replace(self._parts, **fresh)  # type: ignore[arg-type]
                self._version += 1
                self._changed.notify_all()

    def results_due(self, due: int) -> None:
        """Sets how many results are due, so that an older status of sync does not claim that all of them are posted."""
        if due != self._due:
            self._due = due
            self.update()

    def refresh_queue(self, now_utc_ns: int) -> None:
        """Predicts the starts of the queue again, if they are due for that."""
        with self._changed:
            queue = refreshed(self._parts.queue, now_utc_ns)
            if queue is not self._parts.queue:
                self.update(queue=queue)

    @property
    def uncounted(self) -> tuple[UncountedCrossing, ...]:
        """This part alone, which is asked for at each commit."""
        return self._parts.uncounted

    def snapshot(self) -> View:
        """The whole view as it is now."""
        with self._changed:
            parts, version = self._parts, self._version
        values = {part.name: getattr(parts, part.name) for part in fields(ViewParts)}
        return View(version=version, station=self._station, clock=self._clock(), **values)

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        """The newest view once its version is above `version`; None if `timeout_s` goes by without a change."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._version > version, timeout_s):
                return None
        return self.snapshot()


def _with_results_due(sync: SyncView, due: int) -> SyncView:
    if sync.due >= due:
        return sync
    pending = max(0, due - sync.posted - sync.rejected)
    return replace(sync, due=due, pending=pending, sentence=text("A result is waiting to be posted."))
