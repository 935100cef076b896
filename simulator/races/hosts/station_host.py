"""The station's machine: the real station and the real sync on virtual time, killed and restarted at any step.

A kill drops the process's objects; only what is on disk and in the gate's device remains for the next process.
A reboot takes the machine down for a while: a new boot id, a new clock, and an empty gate device.
"""

import pathlib
import random
from collections.abc import Callable

from shared.errors import OperatorError
from shared.link.mock import MockBroker, MockLink
from shared.units import NS_PER_S
from shared.virtual_time import VirtualTime
from simulator.races.hosts.crash_points import (
    CrashingAttempts,
    CrashingJournal,
    CrashPoint,
    ProcessKilled,
    StationProcess,
    SyncProcess,
)
from simulator.races.hosts.journal_tail import JournalTail
from simulator.races.hosts.leaderboard_host import FaultyNetwork, FaultyWebhook, LeaderboardHost
from simulator.races.hosts.output_monitor import MonitoredLink, OutputMonitor
from simulator.races.hosts.tally import MeetingTally
from simulator.races.physical.beam_gate import BASELINE_M, GATE, SENSORS
from simulator.races.physical.fault_table import FaultSource
from simulator.races.physical.gate_device import GateDevice, GateDeviceDriver
from simulator.races.physical.kernel_clock import VirtualKernelClock
from station.core import inputs as e
from station.service.setup import StationSetup
from station.service.station import Station
from station.sync.outbox_reader import OutboxReader
from station.sync.syncer import Syncer
from station.views.command_answers import Accepted, Declined
from station.views.race_views import RunView

NAME = "station"
NOT_STORED = "Not done, because"
SYNC_NOTICES_NS = NS_PER_S // 4
IN_LINE = (e.GateSpec(GATE, SENSORS, baseline_mm=round(BASELINE_M * 1000), layout="in_line"),)
SIDE_BY_SIDE = (e.GateSpec(GATE, SENSORS, layout="side_by_side"),)


class StationHost:
    """The processes of the station's machine, and the officials' access to the station (`OfficialsStation`)."""

    def __init__(
        self,
        virtual_time: VirtualTime,
        broker: MockBroker,
        leaderboard: LeaderboardHost,
        faults: FaultSource,
        folder: pathlib.Path,
        tally: MeetingTally,
        *,
        side_by_side: bool,
    ) -> None:
        self._gates = SIDE_BY_SIDE if side_by_side else IN_LINE
        self.clock = VirtualKernelClock(virtual_time, NAME)
        self.gate_device = GateDevice(self.clock)
        self.path = folder / "station.db"
        self.journal_tail = JournalTail(self.path)
        self.boots = [(0, self.clock.boot_id, -self.clock.stamp(0))]
        self.crash_point, self.sync_crash_point = CrashPoint(), CrashPoint()
        self.race: e.OpenRace | None = None
        self._virtual_time, self._broker, self._leaderboard, self._faults, self._folder = (
            virtual_time,
            broker,
            leaderboard,
            faults,
            folder,
        )
        self._tally = tally
        self._monitor = OutputMonitor(
            self.journal_tail,
            tally.invariants["shown_is_stored"],
            tally.invariants["reports_kept"],
            tally.invariants["one_lease"],
            lambda: virtual_time.now_ns,
        )
        self._life: StationProcess | None = None
        self._sync: SyncProcess | None = None
        self._lives = 0
        self._full = False
        self._sync_due_ns: int | None = None
        self._due_handled = 0
        self._sync_rng = random.Random(f"{faults.seed}/sync")
        draws = random.Random(f"{faults.seed}/identity")
        self._draw = lambda count: draws.randbytes(count).hex()

    # Processes

    def start(self) -> None:
        """Start both processes; a failed start (a full disk) is tried again, as systemd does."""
        if not self.gate_device.powered:
            return
        if self._life is None:
            self._start_station()
        if self._sync is None:
            self._start_sync()

    def open_race(self, race: e.OpenRace) -> None:
        """Open a race, as the operator does: write it into the config and restart the station."""
        self.race = race
        if self._life is not None:
            self._alive(self._life.station.close)
            self._forget_station()
        self.start()

    def kill_station(self) -> None:
        """`kill -9` the station; systemd starts it again seconds later."""
        if self._life is None:
            return
        self._forget_station()
        self._virtual_time.after(self._restart_pause("station_restart"), self.start)

    def kill_sync(self) -> None:
        """`kill -9` the sync process; systemd starts it again seconds later."""
        if self._sync is None:
            return
        self._forget_sync()
        self._virtual_time.after(self._restart_pause("sync_restart"), self.start)

    def reboot(self, down_ns: int) -> None:
        """Reboot the machine; edges that the gate device had not delivered yet are lost."""
        if not self.gate_device.powered:
            return
        self._forget_station()
        self._forget_sync()
        self.journal_tail.catch_up()
        self.gate_device.numbered = [
            edge for edge in self.gate_device.numbered if (edge.boot, edge.seq) in self.journal_tail.edges
        ]
        self.gate_device.powered = False
        self._virtual_time.after(down_ns, self._come_up)

    def disk_full(self, full: bool) -> None:
        """Fill the journal's disk, or free it again."""
        self._full = full
        if self._life is not None:
            self._life.journal.disk_full(full)

    def shut_down(self) -> None:
        """Stop the station in an orderly way."""
        if self._life is not None:
            self._life.station.close()

    def drop(self) -> None:
        """Close every file; idempotent."""
        self._forget_station()
        self._forget_sync()

    @property
    def settled(self) -> bool:
        """True if no input waits to be stored and no result waits to be posted."""
        if self._life is None or self._sync is None:
            return False
        unstored = self._life.station.snapshot().store.held
        return not unstored and not self._sync.syncer.waiting and self._sync_due_ns is None

    # Work

    def pump(self) -> None:
        """Let both processes do what is due now."""
        life = self._life
        if life is not None and self._alive(life.work) and life.journal.due != self._due_handled:
            self._due_handled = life.journal.due
            self._sync_at(self._virtual_time.now_ns + SYNC_NOTICES_NS)
        if self._sync is not None and self._sync_due_ns is not None and self._sync_due_ns <= self._virtual_time.now_ns:
            self._step_sync(self._sync.syncer)

    def _step_sync(self, syncer: Syncer) -> None:
        self._sync_due_ns = None
        try:
            due_ns = syncer.step(self.clock.now_ns())
        except ProcessKilled:
            self._faults.count("sync_restart")
            self.kill_sync()
            return
        if due_ns is not None:
            # The syncer's times are on the machine's clock.
            self._sync_at(self._virtual_time.now_ns + max(1, due_ns - self.clock.now_ns()))

    def _sync_at(self, at_ns: int) -> None:
        if self._sync_due_ns is None or at_ns < self._sync_due_ns:
            self._sync_due_ns = at_ns
        self._virtual_time.at(at_ns, lambda: None)

    # What officials use (simulator.races.starter.OfficialsStation)

    def give(self, command: e.Command) -> Accepted | Declined | None:
        """Give a command; None if the station does not answer or could not store it: then give it again."""
        life = self._life
        if life is None:
            return None
        ticket = life.station.offer(command)
        self.pump()
        answer = ticket.answer
        if isinstance(answer, Declined) and answer.sentence.startswith(NOT_STORED):
            return None
        if isinstance(answer, Accepted):
            self._tally.rulings += 1
            self.journal_tail.catch_up()
            stored = self.journal_tail.records[answer.seq - 1] if answer.seq <= len(self.journal_tail.records) else None
            matches = stored is not None and stored.kind == type(command).__name__
            self._tally.invariants["rulings_kept"].check(
                matches,
                f"{command} was accepted as record {answer.seq}, which is {stored}",
            )
        return answer

    def run(self) -> RunView | None:
        """The run as the screen shows it; None if there is none."""
        if self._life is None:
            return None
        view = self._life.station.snapshot()
        self._monitor.on_view(view, self._life.number)
        return view.run

    def stamp(self, virtual_ns: int) -> int:
        """The station's clock reading (ns) at a true time."""
        return self.clock.stamp(virtual_ns)

    # Inside

    def _start_station(self) -> None:
        self._lives += 1
        link = MockLink(self._broker, NAME, f"{self.clock.utc_ns():x}", "station")
        journal = CrashingJournal(self.path, self.crash_point.step)
        journal.disk_full(self._full)
        setup = StationSetup(NAME, self._gates, self.race, versions={"raceday": "simulated"}, random_hex=self._draw)
        monitored = MonitoredLink(link, self._monitor, self.crash_point.step)
        station = Station(setup, self.clock, monitored, {GATE: GateDeviceDriver(self.gate_device)}, journal)
        self._life = StationProcess(self._lives, station, journal, link)
        try:
            started = self._alive(station.start)
        except OperatorError:
            started = False
            self._forget_station()
            self._virtual_time.after(self._restart_pause("disk_full"), self.start)
        if started:
            self.pump()

    def _start_sync(self) -> None:
        source = OutboxReader(self.path)
        attempts = CrashingAttempts(self._folder / "sync.db", self.sync_crash_point.step)
        webhook = FaultyWebhook(
            FaultyNetwork(self._virtual_time, self._leaderboard, self._faults),
            self.clock.utc_ns,
            self.sync_crash_point.step,
        )
        syncer = Syncer(source, attempts, webhook, self._sync_rng, self.clock.utc_ns, lambda _sentence: None)
        self._sync = SyncProcess(syncer, source, attempts)
        self._sync_at(self._virtual_time.now_ns + SYNC_NOTICES_NS)

    def _alive(self, work: Callable[[], object]) -> bool:
        """Do `work` in the station's process; False if the process was killed during it."""
        try:
            work()
        except ProcessKilled:
            self._faults.count("station_restart")
            self.kill_station()
            return False
        return True

    def _forget_station(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.link.vanish()
            self.gate_device.detach()
            life.journal.close()

    def _forget_sync(self) -> None:
        sync, self._sync = self._sync, None
        self._sync_due_ns = None
        if sync is not None:
            sync.source.close()
            sync.attempts.close()

    def _come_up(self) -> None:
        self.clock.reboot()
        self.gate_device.reboot()
        self.gate_device.powered = True
        now_ns = self._virtual_time.now_ns
        self.boots.append((now_ns, self.clock.boot_id, now_ns - self.clock.now_ns()))
        self.start()

    def _restart_pause(self, why: str) -> int:
        return round(self._faults.source(why).uniform(1.0, 6.0) * NS_PER_S)
