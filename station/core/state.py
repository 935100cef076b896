"""The station's state: what all inputs so far have made of it, and nothing else. `Engine` adds `handle`.

engine.py passes crossings through it, set_up.py applies starts, races and clock changes, and command_handlers.py the
commands of officials. Views and the service read it after a commit.
"""

from collections.abc import Mapping
from types import MappingProxyType

from station.core import inputs as e
from station.core.attribution.attribution import Attribution
from station.core.attribution.car_witness import CarWitnesses
from station.core.attribution.transponders import UnknownId
from station.core.event.event_book import EventBook
from station.core.queue.race_queue import RaceQueue
from station.core.race.race import Race
from station.core.rulings.witness_times import WitnessTime, by_gate, by_hand
from station.core.runs.car_models import ReportedModels
from station.core.runs.racer_names import RacerNames
from station.core.runs.result_identity import ResultIdentity
from station.core.runs.run import Run
from station.core.runs.run_registry import RunIds
from station.core.stop_all import StopLatch
from station.core.timing.backup_system import BackupTimingSystem
from station.core.timing.gate import CrossingCounter, Gate
from station.core.timing.readiness import GateReadiness
from station.core.timing.utc_scale import UtcScale


class TimingState:
    """Gates, races, witnesses and clocks. `race` is the open race, None before the first; `event`: what is on file."""

    def __init__(self) -> None:
        self.gates: dict[str, Gate] = {}
        self.races: dict[str, Race] = {}
        self.race: Race | None = None
        self.event = EventBook()
        self.queues: dict[str, RaceQueue] = {}  # by race id
        self.readiness = GateReadiness()
        self.models = ReportedModels()
        self.stop = StopLatch()
        self.scale = UtcScale()
        self.ids = RunIds()
        self.identity = ResultIdentity(self.ids)
        self.names = RacerNames()
        self.backup = BackupTimingSystem(self.scale)
        self.timed_by_b = ""  # the run that system B times to its end because A missed even its start
        self.attribution = Attribution(self.scale, self.names)
        self.witnesses = CarWitnesses()
        self.crossing_count = CrossingCounter()
        self.reports: dict[tuple[str, str], set[int]] = {}  # (car, its boot) -> the reports that were stored
        self.booted: e.Booted | None = None
        self.last_of_clock: dict[str, int] = {}  # the newest stamp of each clock among the stored inputs

    @property
    def run(self) -> Run | None:
        """The open race's newest run on the track, else its last one; None if there is neither."""
        return None if self.race is None else self.race.run

    @property
    def run_is_on(self) -> bool:
        """Whether a run is armed or running."""
        return self.race is not None and bool(self.race.on_track)

    def queue_of(self, race: Race) -> RaceQueue:
        """The queue of this race."""
        race_id = race.info.race_id
        return self.queues.setdefault(race_id, RaceQueue(race_id, self.names))

    @property
    def unknown_transponders(self) -> tuple[UnknownId, ...]:
        """Transponders that passed in this race and have no known owner."""
        return self.attribution.unknown_transponders

    @property
    def paired(self) -> frozenset[str]:
        """The boots whose stamps can be shown as a time of day."""
        return self.scale.boots

    def trusts(self, boot: str) -> bool:
        """Whether this boot's stamps are shown at the right time of day, as far as is known."""
        return self.scale.trusts(boot)

    def time_of_day(self, boot: str, at_ns: int) -> int:
        """The stamp as UTC ns, for display."""
        return self.scale.utc_ns(boot, at_ns)

    def last_seq_by_boot(self, gate: str) -> Mapping[str, int]:
        """For each boot of the gate the last `seq` that was handled: its driver resumes after it."""
        known = self.gates.get(gate)
        return MappingProxyType({} if known is None else known.last_seq_by_boot)

    def witness_times(self, run: Run, number: int) -> list[WitnessTime]:
        """What other witnesses than its present one give for the crossing that ended lap `number` (0: the first)."""
        segment = run.book.segments[number]
        own = segment.replaced or segment.start
        by_car = self.witnesses.of(run.car).time_of(segment)
        by_b = self.backup.time_by_b(own.boot, own.at_ns)
        found = [by_gate(run, number), by_hand(run, number, self.scale)]
        found += [WitnessTime("car", *by_car)] if by_car is not None else []
        found += [WitnessTime("system_b", *by_b)] if by_b is not None else []
        return [each for each in found if each is not None and each.witness != segment.start.source]

    def run_of(self, car: str) -> str:
        """The id of this car's run that is on, or of the race's last run if it was this car's; "" if there is none."""
        runs = [] if self.race is None else [*self.race.on_track, *([self.race.run] if self.race.run else [])]
        return next((run.run_id for run in runs if run.car == car), "")
