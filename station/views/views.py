"""Everything that the pages show, as one frozen snapshot, and the interface through which the web uses the station.

Made by current_view.py from committed facts; cars, gates and connections are live states that were never stored.
"""

import pathlib
from dataclasses import dataclass, field
from typing import Protocol

from station.checklists.records import ChecklistsView
from station.core.inputs import ChangeRace, Command, Mode
from station.core.race.race_changes import PlaceChange
from station.screens.records import ScreensView
from station.views.audit.audit_trail import AuditEntry
from station.views.car_views import CarView, StopView
from station.views.command_answers import Accepted, Declined, RulingEffect
from station.views.event_view import EventView
from station.views.gate_views import GateView
from station.views.procedure_view import ProcedureView
from station.views.queue_view import QueueView
from station.views.race_views import RaceView, RunView, StandingLine, UncountedCrossing, UnknownTransponderView
from station.views.results.race_results import RaceResults
from station.views.runs.run_archive import LastAct, RunPage, RunSummary
from station.views.system_views import BrokerView, ClockView, ManagerView, StoreView, SyncView
from station.views.trackside.announcements import Announcement
from station.views.trackside.commentary import CommentaryView
from station.views.trackside.devices import StartLightsView, StopButtonView


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the pages show at one moment. `version` grows with each change.

    `runs`: the runs on the track, in the order in which they were opened; `run`: the newest run, also once it is over.
    With several on the track, every command names its `run_id`. `uncounted`: the newest crossings that count for no
    run, newest first. `unknown_transponders`: the latest last. `notice`: a sentence about the start, "" if none.
    `button` and `lights`: the stop button and the start lights at the station; None: it has none.
    `announcements`: the newest, oldest first. `screens`: what the screens show, `checklists`: what was ticked and seen;
    the web app fills both in.
    """

    version: int
    station: str
    clock: ClockView
    race: RaceView | None
    run: RunView | None
    standing: tuple[StandingLine, ...]
    gates: tuple[GateView, ...]
    cars: tuple[CarView, ...]
    broker: BrokerView
    sync: SyncView
    store: StoreView
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
    screens: ScreensView = field(default_factory=ScreensView)
    checklists: ChecklistsView = field(default_factory=ChecklistsView)


class ServicePort(Protocol):
    """What the web may ask of the station. Every method is safe from any thread.

    JSON becomes a command through `station.web.command_parser.parse_command`.
    """

    def snapshot(self) -> View:
        """The newest view."""

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        """The newest view once its version is above `version`; None if `timeout_s` goes by without a change."""

    def submit(self, command: Command, timeout_s: float = 10.0) -> Accepted | Declined:
        """Blocks until the command is stored or refused, and returns which."""

    def race_results(self, race_id: str) -> RaceResults | None:
        """The results of a race as they stand now; None if there is no such race."""

    @property
    def journal_path(self) -> pathlib.Path:
        """The journal's file, for what reads it without writing."""

    def preview(self, command: Command) -> RulingEffect:
        """What a ruling would change, before it is done. Raises Refused as the ruling itself would."""

    def preview_rules(self, command: ChangeRace) -> tuple[PlaceChange, ...]:
        """What other rules would do to each racer's place and score. Raises Refused as the change itself would."""

    def last_acts(self, author: str) -> tuple[LastAct, ...]:
        """The person's last own acts, newest first; the command UndoLast undoes the newest that can be."""

    def audit(self) -> tuple[AuditEntry, ...]:
        """What every official did, oldest first."""

    def run_list(self) -> tuple[RunSummary, ...]:
        """All runs of all races, newest first."""

    def run_page(self, run_id: str) -> RunPage | None:
        """Everything about one run; None if there is no such run."""

    def stop_all(self, author: str, reason: str = "", device: str = "") -> StopView:
        """Orders every car to stop and latches the stop; does not wait for the disk, the queue or a list of cars."""

    def stop_state(self) -> StopView:
        """The outcome of the stop of all cars so far, car by car."""
