"""The station at work: take, handle, append, tell. One thread times and writes; another speaks with cars and screens.

Whatever comes in (edges, reports, commands) waits in one queue and so has one order. A batch is handled by the
engine, appended in one transaction, and only then is anybody told. If the disk refuses, nothing of the batch has
happened: the engine is built again from the journal, inputs are held, commands are declined, and no lap report is
acknowledged until the disk takes them.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

from shared.clock import Clock
from shared.errors import ConfigError, StorageError
from shared.link.interface import Delivery, Link, Subscription
from shared.protocol import messages as m
from shared.protocol.results import Evidence
from shared.protocol.topics import BY_BODY
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.drem_timer import DremTimer
from station.gates.driver import GateDriver, GateOutput
from station.service.car_control import CarControl, Goal
from station.service.inbox import CarModelChanges, QueuedInput, Ticket, answer_of, car_report, drain, gate_note
from station.service.live_state import LiveState
from station.service.order_target import refusal
from station.service.publisher import Publisher
from station.service.restore import restore
from station.service.storage_fault import StorageFault
from station.service.thread_watchdog import ThreadWatchdog, late_sentence
from station.store.disk_space import disk_space
from station.store.journal import Journal, JournalEntry
from station.views.current_view import CurrentView
from station.views.ruling_effect import ruling_effect, run_figures
from station.views.views import (
    Accepted,
    ClockView,
    Declined,
    ManagerView,
    RulingEffect,
    StopView,
    StoreView,
    SyncView,
    UncountedCrossing,
    View,
)

TICK_NS = 50_000_000
DISK_CHECK_NS = 1_000_000_000
CLOCK_PAIR_NS = 600_000_000_000
CLOCK_STEP_NS = 1_000_000_000
JOURNAL_BYTES, START_BYTES = 6, 4  # that no two journals, and no two starts of one, ever share
CAR_MESSAGES: tuple[type[m.Body], ...] = (m.CarHeartbeat, m.CarState, m.CarLap, m.CarTelemetry)


@dataclass(frozen=True, slots=True)
class StationSetup:
    """What this station is, and the race that it opens."""

    name: str
    gates: tuple[e.GateSpec, ...]
    race: e.OpenRace | None
    lease_ms: int = 500
    order_ttl_ms: int = 2000
    versions: Mapping[str, str] = field(default_factory=dict)
    transponders: tuple[e.Transponder, ...] = ()
    random_hex: Callable[[int], str] | None = None  # so many random bytes as hexadecimal digits; None: ids as of old


class Station:
    """Without threads of its own: `pump` and `pump_live` do the work, `Runner` (threads.py) calls them."""

    def __init__(
        self,
        setup: StationSetup,
        clock: Clock,
        link: Link,
        gates: Mapping[str, GateDriver],
        journal: Journal,
        sync: Callable[[int], SyncView] | None = None,
        drem: DremTimer | None = None,
        log: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.setup, self.journal = setup, journal
        self._log = log  # the log: what an operator reads when no page is open
        self._clock, self._link = clock, link
        self._inbox: SimpleQueue[QueuedInput] = SimpleQueue()
        self._car_messages: SimpleQueue[Delivery] = SimpleQueue()
        self.notice = ""  # what the operator should know of the start, "" if nothing
        self.storage_fault = StorageFault(self._on_storage_fault)
        self._disk_warning = ""
        self._watchdog = ThreadWatchdog()
        self._late_s = 0
        self._next_tick_ns = self._next_disk_check_ns = 0
        self._next_pair_ns = clock.now_ns() + CLOCK_PAIR_NS  # the boot is journaled with a pair
        self._restored = restore(journal)
        self._paired = set(self._restored.engine.paired)
        self._offset_ns: int | None = None  # the time of day that an official set, for a clock that is not set
        self._clock_known = clock.trusted
        self._last_pair = (0, True)  # offset, trusted
        self._update_time_of_day()
        self._models = CarModelChanges()
        self._uncounted: tuple[UncountedCrossing, ...] = ()
        self._manager: ManagerView | None = None
        self._view = CurrentView(setup.name, self._clock_view)
        self._cars = CarControl(setup.lease_ms, setup.order_ttl_ms, f"{clock.utc_ns():x}", clock.rate)
        self.drem = drem  # an event manager that uses us as its timer
        self._publisher = Publisher(self._cars, link, self._view, drem.crossing if drem is not None else None)
        self._live_state = LiveState(setup.gates, gates, link, self._cars, self._view, sync)

    def start(self) -> None:
        """Journals the boot, opens the race, and begins to listen. Raises OperatorError."""
        self._commit([QueuedInput(event) for event in self._boot_inputs()])
        if self.setup.race is not None:
            self._open_race(self.setup.race)
        self._publisher.resume(self._restored.engine, self._now())
        self._show_storage()
        self._view.results_due(self.journal.due)
        self._live_state.blocked = _blocked_sensors(self._restored.engine)
        self._live_state.notes = dict(self._restored.engine.readiness.notes)
        for name in self._restored.engine.gates:
            self._live_state.update_findings(name, self._restored.engine, ())
        if self.drem is not None:
            self.drem.start()
        self._live_state.start(self._restored.engine, self._on_gate_event, self._on_gate_health)
        self._link.start([Subscription(BY_BODY[kind]) for kind in CAR_MESSAGES], self._on_message)
        self._link.publish(m.StationStatus(True, "The station times."))

    def pump(self, wait_s: float = 0.0) -> bool:
        """Takes what waits (or waits for it), and the time; True if there was something."""
        self._watchdog.mark_alive()
        items = self._dequeue(wait_s)
        worked = bool(items)
        if self.storage_fault.on:
            self.storage_fault.hold(items)
            items = self._try_recovery()
        if not self.storage_fault.on:
            items += self._clock_inputs()
            self._commit_or_hold(items)
        if items or worked:
            self._show_storage()
        return worked

    def pump_live(self, wait_s: float = 0.0) -> bool:
        """Answers beats and shows states: never waits for the disk."""
        worked = False
        self._check_timing_thread()
        for delivery in drain(self._car_messages, wait_s):
            self._live_state.on_message(delivery, self._clock.now_ns())
            delivery.ack()
            worked = True
        self._live_state.refresh(self._now(), self._clock.rate, self.journal.due)
        if self.drem is not None and self.drem.view != self._manager:
            self._manager = self.drem.view
            self._view.update(manager=self._manager)
        return worked

    def offer(self, command: e.Command) -> Ticket:
        """Puts a command in the queue; an emergency stop is sent before anything else."""
        stamped = replace(command, moment=self._now())
        if isinstance(stamped, e.StopAll):
            self._publisher.stop_all(stamped.author, stamped.moment)
        if isinstance(stamped, e.OrderCar) and stamped.action == "estop":
            self._publisher.order(stamped.car, "estop", None, stamped.moment.at_ns)
        ticket = Ticket(stamped)
        if sentence := refusal(stamped, self.snapshot().runs, self._why_not):
            ticket.settle(Declined(sentence))
            return ticket
        self._inbox.put(QueuedInput(stamped, ticket=ticket))
        return ticket

    def submit(self, command: e.Command, timeout_s: float = 10.0) -> Accepted | Declined:
        answer = self.offer(command).wait(timeout_s)
        return replace(answer, note=self._undelivered(answer.car)) if isinstance(answer, Accepted) else answer

    def stop_all(self, author: str, reason: str = "") -> StopView:
        """Every car, known or not: the orders are on their way when this returns, the record follows."""
        self.offer(e.StopAll(author=author, reason=reason))
        return self.stop_state()

    def stop_state(self) -> StopView:
        return self._live_state.stop_view(self._now())

    def snapshot(self) -> View:
        return self._view.snapshot()

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        return self._view.wait_for_change(version, timeout_s)

    def close(self) -> None:
        """Gates first, so that nothing is taken that is not kept. Each is closed, whatever another of them raises, and
        whether or not the station had begun."""
        with contextlib.ExitStack() as ends:  # last in, first out
            ends.callback(self.journal.close)
            if self.drem is not None:
                ends.callback(self.drem.close)
            ends.callback(self.pump)
            ends.callback(self._link.close)
            ends.callback(self._live_state.close)

    # What drivers and the link call, on their threads: they only enqueue

    def _on_gate_event(self, edge: GateOutput) -> None:
        if isinstance(edge, e.GateNote):
            self._inbox.put(QueuedInput(gate_note(edge, self._now())))
            return
        if edge.boot not in self._paired and e.clock_of(edge.boot) != self._clock.boot_id:
            # A device with a clock of its own: pair it once, so that its stamps can be shown as a time of day.
            self._paired.add(edge.boot)
            self._inbox.put(
                QueuedInput(e.ClockPair(e.Moment(edge.boot, edge.at_ns, self._now().utc_ns), self._clock_known))
            )
        self._inbox.put(QueuedInput(edge))

    def _on_gate_health(self, gate: str, healthy: bool, sentence: str) -> None:
        self._inbox.put(QueuedInput(e.GateReported(self._now(), gate, healthy, sentence)))

    def _on_message(self, delivery: Delivery) -> None:
        body, envelope = delivery.message.body, delivery.message.envelope
        if isinstance(body, m.CarState):
            self._on_car_model(body, envelope)
        if not isinstance(body, m.CarLap):
            self._car_messages.put(delivery)
            return
        report = car_report(delivery.message, body, self._now())
        if report is None:
            delivery.ack()
            return

        def acknowledge() -> None:
            self._link.publish(m.LapAck(envelope.boot, envelope.seq), envelope.device)
            delivery.ack()

        self._inbox.put(QueuedInput(report, acknowledge))

    # Inside

    def _on_car_model(self, state: m.CarState, who: m.Envelope) -> None:
        """What the car drives, if it is the machine that has the name."""
        if self._cars.owns_name(who.device, state, self._clock.now_ns(), who.boot):
            told = self._models.change(who.device, state, self._now())
            if told is not None:
                self._inbox.put(QueuedInput(told))

    def _undelivered(self, car: str) -> str:
        """That an order reaches nobody now, though it is given; "" if it does, or there was none."""
        if not car:
            return ""
        if not self._link.state().connected:
            return "The broker is away, so the order reaches no car now."
        absent = self._cars.absent(car, self._clock.now_ns())
        return f"{absent}: the order waits for it." if absent else ""

    def _why_not(self, car: str, goal: Goal) -> str:
        return self._cars.why_not(car, goal, self._clock.now_ns())

    def _now(self) -> e.Moment:
        now_ns = self._clock.now_ns()
        return e.Moment(self._clock.boot_id, now_ns, self._utc_ns(now_ns))

    def _utc_ns(self, now_ns: int) -> int:
        offset_ns = self._offset_ns
        return self._clock.utc_ns() if offset_ns is None else now_ns + offset_ns

    def _update_time_of_day(self) -> None:
        """What is known of the time of day: by the machine, or else by what an official said within this boot."""
        engine, boot = self._restored.engine, self._clock.boot_id
        trusted = self._clock.trusted
        said = not trusted and boot in engine.paired and engine.trusts(boot)
        self._offset_ns = engine.time_of_day(boot, 0) if said else None
        self._clock_known = trusted or said

    def _clock_view(self) -> ClockView:
        now_ns = self._clock.now_ns()
        return ClockView(self._clock.boot_id, now_ns, self._utc_ns(now_ns), self._clock.rate, self._clock_known)

    def _dequeue(self, wait_s: float) -> list[QueuedInput]:
        return drain(self._inbox, wait_s)

    def _clock_inputs(self) -> list[QueuedInput]:
        """The tick after a batch: edges that wait are older than now."""
        self._update_time_of_day()
        now = self._now()
        items: list[QueuedInput] = []
        if self._pair_is_due(now):
            self._next_pair_ns = now.at_ns + CLOCK_PAIR_NS
            self._last_pair = (now.utc_ns - now.at_ns, self._clock_known)
            items.append(QueuedInput(e.ClockPair(now, self._clock_known, self._clock.rate != 1.0)))
        if self._inbox.empty() and (now.at_ns >= self._next_tick_ns or now.at_ns < self._next_tick_ns - TICK_NS):
            self._next_tick_ns = now.at_ns + TICK_NS
            items.append(QueuedInput(e.Tick(now)))
        return items

    def _boot_inputs(self) -> list[e.Input]:
        """What a start journals: the journal's name, once, and this life of the station."""
        now, setup, random_hex = self._now(), self.setup, self.setup.random_hex
        began: list[e.Input] = []
        if random_hex is not None and not self._restored.engine.identity.journal:
            began = [e.JournalBegan(now, random_hex(JOURNAL_BYTES))]
        start = random_hex(START_BYTES) if random_hex is not None else ""
        known = self._clock_known
        self._last_pair = (now.utc_ns - now.at_ns, known)
        if now.boot not in self._restored.engine.paired:
            self._paired.clear()  # what lived on while this machine was down is put beside its new clock
        return [*began, e.Booted(now, setup.name, setup.gates, setup.transponders, start=start, clock_trusted=known)]

    def _pair_is_due(self, now: e.Moment) -> bool:
        """Now and then; and at once when the time of day jumped, or became known."""
        engine, (told_ns, trusted) = self._restored.engine, self._last_pair
        offset_ns = now.utc_ns - now.at_ns
        # What was told while a run was on was not taken: it is told again when the run is over.
        free = engine.race is None or not engine.race.on_track
        shown_ns = engine.time_of_day(now.boot, 0) if free else told_ns
        jumped = self._clock.rate == 1.0 and max(abs(offset_ns - told_ns), abs(offset_ns - shown_ns)) > CLOCK_STEP_NS
        late = now.at_ns >= self._next_pair_ns or now.at_ns < self._next_pair_ns - CLOCK_PAIR_NS
        return late or jumped or trusted != self._clock_known

    def _open_race(self, wanted: e.OpenRace) -> None:
        """The race of the config. Where it cannot be opened as it is wanted, the race goes on as it was: what an
        operator mistyped keeps no station down, and `notice` says on log and page what to do. Raises ConfigError."""
        sentence = self._try_open(wanted)
        engine = self._restored.engine
        known = engine.races.get(wanted.race_id)
        if sentence and known is not None and not (engine.race is not None and engine.race.on):
            self._try_open(known.info)
        if sentence and engine.race is None:
            raise ConfigError(f"[race] {sentence}")
        if sentence and engine.race is not None:
            sentence += f" The station goes on with {engine.race.info.race_id} as it was."
        self.notice = sentence
        self._view.update(notice=sentence)

    def _try_open(self, wanted: e.OpenRace) -> str:
        """Opens a race; why not, "" if it is open."""
        said = self._commit([QueuedInput(replace(wanted, moment=self._now()))])
        return next((fact.sentence for fact in said if isinstance(fact, f.CommandRefused)), "")

    def _commit_or_hold(self, items: list[QueuedInput]) -> None:
        try:
            self._check_disk()
            if items:
                self.journal.check_presence()
            self._commit(items)
        except StorageError as error:
            self.storage_fault.begin(str(error), items, self._clock.now_ns())
            return
        self.storage_fault.raise_if_shed()

    def _check_disk(self) -> None:
        """Each second, without writing: will the disk take the next crossing? Raises StorageError."""
        now_ns = self._clock.now_ns()
        if self._next_disk_check_ns - DISK_CHECK_NS <= now_ns < self._next_disk_check_ns:
            return
        self._next_disk_check_ns = now_ns + DISK_CHECK_NS
        self.journal.check_presence()
        found = disk_space(self.journal.path)
        if found.doubtful:
            self.journal.probe()
        disk_warning = found.warning(self.journal.path)
        if disk_warning != self._disk_warning:
            self._disk_warning = disk_warning
            self._show_storage()

    def _on_storage_fault(self, sentence: str) -> None:
        self._show_storage()
        self._log(sentence or "The disk takes records again; what was held is kept now.")
        self._link.publish(m.StationStatus(True, sentence[:500] or "The station times."))

    def _check_timing_thread(self) -> None:
        """On the live thread: says that the timing thread hangs, for how long, and that it turns again."""
        late_s = self._watchdog.late_s(self._clock.now_ns(), self._clock.rate)
        if late_s == self._late_s:
            return
        was_late, self._late_s = bool(self._late_s), late_s
        if not late_s:
            self._log("The journal answers again.")
            self._link.publish(m.StationStatus(True, self.storage_fault.sentence[:500] or "The station times."))
            self._show_storage()
            return
        hangs = late_sentence(late_s)
        store = self.snapshot().store
        self._view.update(store=replace(store, ok=False, sentence=hangs))
        if not was_late:
            self._log(hangs)
            self._link.publish(m.StationStatus(True, hangs[:500]))

    def _commit(self, items: list[QueuedInput]) -> list[f.Fact]:
        """Handle, append, tell. Raises StorageError: then nothing happened, and the engine is to be built again."""
        done = [self._handle(item) for item in items]
        entries = [self._entry(item.input, facts) for item, facts, _ in done if facts]
        seqs = iter(self.journal.append(entries) if entries else ())
        self._view.results_due(self.journal.due)
        for item, facts, changed in done:
            seq = next(seqs) if facts else self.journal.head.seq
            self._restored.record(seq, item.input, facts)
            if item.on_commit is not None:
                item.on_commit()
            if isinstance(item.input, e.Edge):
                utc_ns = self._restored.engine.time_of_day(item.input.boot, item.input.at_ns)
                self._live_state.sensor_stats.record(item.input, facts, utc_ns)
                self._live_state.update_findings(item.input.gate, self._restored.engine, facts)
            self._publisher.publish(self._restored.engine, facts, self._now())
            if any(isinstance(fact, f.GateStuck) for fact in facts):
                self._live_state.blocked = _blocked_sensors(self._restored.engine)
            if any(isinstance(fact, f.GateNoteStored) for fact in facts):
                self._live_state.notes = dict(self._restored.engine.readiness.notes)
            if isinstance(item.input, e.TryGate):
                self._live_state.update_findings(item.input.gate, self._restored.engine, facts)
            if item.ticket is not None:
                item.ticket.settle(answer_of(seq, facts, changed))
        self._show_uncounted()
        return [fact for _, facts, _ in done for fact in facts]

    def _handle(self, item: QueuedInput) -> tuple[QueuedInput, tuple[f.Fact, ...], RulingEffect | None]:
        """The facts of one input, and what a ruling changed."""
        engine = self._restored.engine
        if not isinstance(item.input, e.Command):
            return item, engine.handle(item.input), None
        before = run_figures(engine, item.input)
        facts = engine.handle(item.input)
        return item, facts, ruling_effect(before, run_figures(engine, item.input))

    def _show_uncounted(self) -> None:
        newest = self._restored.uncounted.newest
        if newest is not self._uncounted:
            self._uncounted = newest
            self._view.update(uncounted=newest)

    def _entry(self, event: e.Input, facts: tuple[f.Fact, ...]) -> JournalEntry:
        due = next((fact.result for fact in facts if isinstance(fact, f.ResultDue)), None)
        if due is None:
            return JournalEntry(event, facts)
        first = self._restored.opened.get((due.race_id, due.run_id), 0)
        journal, versions = self._restored.engine.identity.journal, dict(self.setup.versions)
        return JournalEntry(event, facts, Evidence(self.setup.name, "", first, 0, 0, versions, journal=journal))

    def _try_recovery(self) -> list[QueuedInput]:
        """If the disk takes writes again: the engine as the journal has it, and all that was held."""
        if not self.storage_fault.due(self._clock.now_ns()):
            return []
        try:
            self.journal.probe()
            self._restored = restore(self.journal)
        except StorageError as error:
            self.storage_fault.set_sentence(str(error))
            return []
        return self.storage_fault.release()

    def _show_storage(self) -> None:
        head, fault = self.journal.head, self.storage_fault
        sentence = fault.sentence or self._disk_warning
        self._view.update(store=StoreView(not fault.on, sentence, fault.held, head.seq, head.hex))


def _blocked_sensors(engine: Engine) -> dict[str, tuple[str, ...]]:
    return {name: gate.stuck for name, gate in engine.gates.items()}
