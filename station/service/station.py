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
from station.drem_timer import DremServer
from station.gates.driver import GateDriver, GateOutput
from station.service.car_control import Cars, Goal
from station.service.inbox import CarModels, Item, Ticket, answer, car_report, drain, gate_note
from station.service.live_state import Hall
from station.service.order_target import refusal
from station.service.publisher import Teller
from station.service.restore import restore
from station.service.storage_fault import Trouble
from station.service.thread_watchdog import Turning, sentence
from station.store.disk_space import disk_space
from station.store.journal import Journal, JournalEntry
from station.views.current_view import Screen
from station.views.ruling_effect import effect, worth
from station.views.views import (
    Accepted,
    ClockView,
    Declined,
    Effect,
    ManagerView,
    StopView,
    StoreView,
    SyncView,
    Uncounted,
    View,
)

TICK_NS = 50_000_000
LOOK_NS = 1_000_000_000
PAIR_NS = 600_000_000_000
STEP_NS = 1_000_000_000
JOURNAL_BYTES, START_BYTES = 6, 4  # that no two journals, and no two starts of one, ever share
HEARD: tuple[type[m.Body], ...] = (m.CarHeartbeat, m.CarState, m.CarLap, m.CarTelemetry)


@dataclass(frozen=True, slots=True)
class Setup:
    """What this station is, and the race that it opens."""

    name: str
    gates: tuple[e.GateSpec, ...]
    race: e.OpenRace | None
    lease_ms: int = 500
    order_ttl_ms: int = 2000
    versions: Mapping[str, str] = field(default_factory=dict)
    transponders: tuple[e.Transponder, ...] = ()
    draw: Callable[[int], str] | None = None  # so many random bytes as hexadecimal digits; None: ids as of old


class Station:
    """Without threads of its own: `pump` and `pump_live` do the work, `Runner` (threads.py) calls them."""

    def __init__(
        self,
        setup: Setup,
        clock: Clock,
        link: Link,
        gates: Mapping[str, GateDriver],
        journal: Journal,
        sync: Callable[[int], SyncView] | None = None,
        drem: DremServer | None = None,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.setup, self.journal = setup, journal
        self._say = say  # the log: what an operator reads when no page is open
        self._clock, self._link = clock, link
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._live: SimpleQueue[Delivery] = SimpleQueue()
        self.notice = ""  # what the operator should know of the start, "" if nothing
        self.trouble = Trouble(self._troubled)
        self._scarce = ""
        self._turning = Turning()
        self._late_s = 0
        self._next_tick_ns = self._next_look_ns = 0
        self._next_pair_ns = clock.now_ns() + PAIR_NS  # the boot is journaled with a pair
        self._restored = restore(journal)
        self._paired = set(self._restored.engine.paired)
        self._offset_ns: int | None = None  # the time of day that an official set, for a clock that is not set
        self._clock_known = clock.trusted
        self._last_pair = (0, True)  # offset, trusted
        self._settle_clock()
        self._models = CarModels()
        self._uncounted: tuple[Uncounted, ...] = ()
        self._managed: ManagerView | None = None
        self._screen = Screen(setup.name, self._clock_view)
        self._cars = Cars(setup.lease_ms, setup.order_ttl_ms, f"{clock.utc_ns():x}", clock.rate)
        self.drem = drem  # an event manager that uses us as its timer
        self._teller = Teller(self._cars, link, self._screen, drem.crossing if drem is not None else None)
        self._hall = Hall(setup.gates, gates, link, self._cars, self._screen, sync)

    def start(self) -> None:
        """Journals the boot, opens the race, and begins to listen. Raises OperatorError."""
        self._commit([Item(event) for event in self._boot()])
        if self.setup.race is not None:
            self._open(self.setup.race)
        self._teller.resume(self._restored.engine, self._now())
        self._store_view()
        self._screen.owe(self.journal.due)
        self._hall.blocked = _blocked(self._restored.engine)
        self._hall.notes = dict(self._restored.engine.readiness.notes)
        for name in self._restored.engine.gates:
            self._hall.judged(name, self._restored.engine, ())
        if self.drem is not None:
            self.drem.start()
        self._hall.start(self._restored.engine, self._edge, self._judged)
        self._link.start([Subscription(BY_BODY[kind]) for kind in HEARD], self._delivered)
        self._link.publish(m.StationStatus(True, "The station times."))

    def pump(self, wait_s: float = 0.0) -> bool:
        """Takes what waits (or waits for it), and the time; True if there was something."""
        self._turning.turn()
        items = self._take(wait_s)
        worked = bool(items)
        if self.trouble.on:
            self.trouble.hold(items)
            items = self._mended()
        if not self.trouble.on:
            items += self._time()
            self._keep(items)
        if items or worked:
            self._store_view()
        return worked

    def pump_live(self, wait_s: float = 0.0) -> bool:
        """Answers beats and shows states: never waits for the disk."""
        worked = False
        self._watch_timing()
        for delivery in drain(self._live, wait_s):
            self._hall.hear(delivery, self._clock.now_ns())
            delivery.ack()
            worked = True
        self._hall.look(self._now(), self._clock.rate, self.journal.due)
        if self.drem is not None and self.drem.view != self._managed:
            self._managed = self.drem.view
            self._screen.update(manager=self._managed)
        return worked

    def offer(self, command: e.Command) -> Ticket:
        """Puts a command in the queue; an emergency stop is sent before anything else."""
        stamped = replace(command, moment=self._now())
        if isinstance(stamped, e.StopAll):
            self._teller.stop_all(stamped.author, stamped.moment)
        if isinstance(stamped, e.OrderCar) and stamped.action == "estop":
            self._teller.order(stamped.car, "estop", None, stamped.moment.at_ns)
        ticket = Ticket(stamped)
        if sentence := refusal(stamped, self.snapshot().runs, self._why_not):
            ticket.settle(Declined(sentence))
            return ticket
        self._queue.put(Item(stamped, ticket=ticket))
        return ticket

    def submit(self, command: e.Command, timeout_s: float = 10.0) -> Accepted | Declined:
        answer = self.offer(command).wait(timeout_s)
        return replace(answer, note=self._unreached(answer.car)) if isinstance(answer, Accepted) else answer

    def stop_all(self, author: str, reason: str = "") -> StopView:
        """Every car, known or not: the orders are on their way when this returns, the record follows."""
        self.offer(e.StopAll(author=author, reason=reason))
        return self.stop_state()

    def stop_state(self) -> StopView:
        return self._hall.stop_view(self._now())

    def snapshot(self) -> View:
        return self._screen.snapshot()

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        return self._screen.wait_for_change(version, timeout_s)

    def close(self) -> None:
        """Gates first, so that nothing is taken that is not kept. Each is closed, whatever another of them raises, and
        whether or not the station had begun."""
        with contextlib.ExitStack() as ends:  # last in, first out
            ends.callback(self.journal.close)
            if self.drem is not None:
                ends.callback(self.drem.close)
            ends.callback(self.pump)
            ends.callback(self._link.close)
            ends.callback(self._hall.close)

    # What drivers and the link call, on their threads: they only enqueue

    def _edge(self, edge: GateOutput) -> None:
        if isinstance(edge, e.GateNote):
            self._queue.put(Item(gate_note(edge, self._now())))
            return
        if edge.boot not in self._paired and e.clock_of(edge.boot) != self._clock.boot_id:
            # A device with a clock of its own: pair it once, so that its stamps can be shown as a time of day.
            self._paired.add(edge.boot)
            self._queue.put(Item(e.ClockPair(e.Moment(edge.boot, edge.at_ns, self._now().utc_ns), self._clock_known)))
        self._queue.put(Item(edge))

    def _judged(self, gate: str, healthy: bool, sentence: str) -> None:
        self._queue.put(Item(e.GateReported(self._now(), gate, healthy, sentence)))

    def _delivered(self, delivery: Delivery) -> None:
        body, envelope = delivery.message.body, delivery.message.envelope
        if isinstance(body, m.CarState):
            self._model(body, envelope)
        if not isinstance(body, m.CarLap):
            self._live.put(delivery)
            return
        report = car_report(delivery.message, body, self._now())
        if report is None:
            delivery.ack()
            return

        def kept() -> None:
            self._link.publish(m.LapAck(envelope.boot, envelope.seq), envelope.device)
            delivery.ack()

        self._queue.put(Item(report, kept))

    # Inside

    def _model(self, state: m.CarState, who: m.Envelope) -> None:
        """What the car drives, if it is the machine that has the name."""
        if self._cars.speaks(who.device, state, self._clock.now_ns(), who.boot):
            told = self._models.told(who.device, state, self._now())
            if told is not None:
                self._queue.put(Item(told))

    def _unreached(self, car: str) -> str:
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

    def _settle_clock(self) -> None:
        """What is known of the time of day: by the machine, or else by what an official said within this boot."""
        engine, boot = self._restored.engine, self._clock.boot_id
        trusted = self._clock.trusted
        said = not trusted and boot in engine.paired and engine.trusts(boot)
        self._offset_ns = engine.time_of_day(boot, 0) if said else None
        self._clock_known = trusted or said

    def _clock_view(self) -> ClockView:
        now_ns = self._clock.now_ns()
        return ClockView(self._clock.boot_id, now_ns, self._utc_ns(now_ns), self._clock.rate, self._clock_known)

    def _take(self, wait_s: float) -> list[Item]:
        return drain(self._queue, wait_s)

    def _time(self) -> list[Item]:
        """The tick after a batch: edges that wait are older than now."""
        self._settle_clock()
        now = self._now()
        items: list[Item] = []
        if self._pair_is_due(now):
            self._next_pair_ns = now.at_ns + PAIR_NS
            self._last_pair = (now.utc_ns - now.at_ns, self._clock_known)
            items.append(Item(e.ClockPair(now, self._clock_known, self._clock.rate != 1.0)))
        if self._queue.empty() and (now.at_ns >= self._next_tick_ns or now.at_ns < self._next_tick_ns - TICK_NS):
            self._next_tick_ns = now.at_ns + TICK_NS
            items.append(Item(e.Tick(now)))
        return items

    def _boot(self) -> list[e.Input]:
        """What a start journals: the journal's name, once, and this life of the station."""
        now, setup, draw = self._now(), self.setup, self.setup.draw
        began: list[e.Input] = []
        if draw is not None and not self._restored.engine.identity.journal:
            began = [e.JournalBegan(now, draw(JOURNAL_BYTES))]
        start = draw(START_BYTES) if draw is not None else ""
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
        free = engine.race is None or not engine.race.on
        shown_ns = engine.time_of_day(now.boot, 0) if free else told_ns
        jumped = self._clock.rate == 1.0 and max(abs(offset_ns - told_ns), abs(offset_ns - shown_ns)) > STEP_NS
        late = now.at_ns >= self._next_pair_ns or now.at_ns < self._next_pair_ns - PAIR_NS
        return late or jumped or trusted != self._clock_known

    def _open(self, wanted: e.OpenRace) -> None:
        """The race of the config. Where it cannot be opened as it is wanted, the race goes on as it was: what an
        operator mistyped keeps no station down, and `notice` says on log and page what to do. Raises ConfigError."""
        sentence = self._refusal(wanted)
        engine = self._restored.engine
        known = engine.races.get(wanted.race_id)
        if sentence and known is not None and not (engine.race is not None and engine.race.on):
            self._refusal(known.info)
        if sentence and engine.race is None:
            raise ConfigError(f"[race] {sentence}")
        if sentence and engine.race is not None:
            sentence += f" The station goes on with {engine.race.info.race_id} as it was."
        self.notice = sentence
        self._screen.update(notice=sentence)

    def _refusal(self, wanted: e.OpenRace) -> str:
        """Opens a race; why not, "" if it is open."""
        said = self._commit([Item(replace(wanted, moment=self._now()))])
        return next((fact.sentence for fact in said if isinstance(fact, f.CommandRefused)), "")

    def _keep(self, items: list[Item]) -> None:
        try:
            self._look()
            if items:
                self.journal.check_presence()
            self._commit(items)
        except StorageError as error:
            self.trouble.begin(str(error), items, self._clock.now_ns())
            return
        self.trouble.own_up()

    def _look(self) -> None:
        """Each second, without writing: will the disk take the next crossing? Raises StorageError."""
        now_ns = self._clock.now_ns()
        if self._next_look_ns - LOOK_NS <= now_ns < self._next_look_ns:
            return
        self._next_look_ns = now_ns + LOOK_NS
        self.journal.check_presence()
        found = disk_space(self.journal.path)
        if found.doubtful:
            self.journal.probe()
        scarce = found.warning(self.journal.path)
        if scarce != self._scarce:
            self._scarce = scarce
            self._store_view()

    def _troubled(self, sentence: str) -> None:
        self._store_view()
        self._say(sentence or "The disk takes records again; what was held is kept now.")
        self._link.publish(m.StationStatus(True, sentence[:500] or "The station times."))

    def _watch_timing(self) -> None:
        """On the live thread: says that the timing thread hangs, for how long, and that it turns again."""
        late_s = self._turning.late_s(self._clock.now_ns(), self._clock.rate)
        if late_s == self._late_s:
            return
        was_late, self._late_s = bool(self._late_s), late_s
        if not late_s:
            self._say("The journal answers again.")
            self._link.publish(m.StationStatus(True, self.trouble.sentence[:500] or "The station times."))
            self._store_view()
            return
        hangs = sentence(late_s)
        store = self.snapshot().store
        self._screen.update(store=replace(store, ok=False, sentence=hangs))
        if not was_late:
            self._say(hangs)
            self._link.publish(m.StationStatus(True, hangs[:500]))

    def _commit(self, items: list[Item]) -> list[f.Fact]:
        """Handle, append, tell. Raises StorageError: then nothing happened, and the engine is to be built again."""
        done = [self._handle(item) for item in items]
        entries = [self._entry(item.input, facts) for item, facts, _ in done if facts]
        seqs = iter(self.journal.append(entries) if entries else ())
        self._screen.owe(self.journal.due)
        for item, facts, changed in done:
            seq = next(seqs) if facts else self.journal.head.seq
            self._restored.note(seq, item.input, facts)
            if item.kept is not None:
                item.kept()
            if isinstance(item.input, e.Edge):
                utc_ns = self._restored.engine.time_of_day(item.input.boot, item.input.at_ns)
                self._hall.meter.note(item.input, facts, utc_ns)
                self._hall.judged(item.input.gate, self._restored.engine, facts)
            self._teller.tell(self._restored.engine, facts, self._now())
            if any(isinstance(fact, f.GateStuck) for fact in facts):
                self._hall.blocked = _blocked(self._restored.engine)
            if any(isinstance(fact, f.GateNoteStored) for fact in facts):
                self._hall.notes = dict(self._restored.engine.readiness.notes)
            if isinstance(item.input, e.TryGate):
                self._hall.judged(item.input.gate, self._restored.engine, facts)
            if item.ticket is not None:
                item.ticket.settle(answer(seq, facts, changed))
        self._show_uncounted()
        return [fact for _, facts, _ in done for fact in facts]

    def _handle(self, item: Item) -> tuple[Item, tuple[f.Fact, ...], Effect | None]:
        """The facts of one input, and what a ruling changed."""
        engine = self._restored.engine
        before = worth(engine, item.input)
        facts = engine.handle(item.input)
        return item, facts, effect(before, worth(engine, item.input))

    def _show_uncounted(self) -> None:
        newest = self._restored.uncounted.newest
        if newest is not self._uncounted:
            self._uncounted = newest
            self._screen.update(uncounted=newest)

    def _entry(self, event: e.Input, facts: tuple[f.Fact, ...]) -> JournalEntry:
        due = next((fact.result for fact in facts if isinstance(fact, f.ResultDue)), None)
        if due is None:
            return JournalEntry(event, facts)
        first = self._restored.opened.get((due.race_id, due.run_id), 0)
        journal, versions = self._restored.engine.identity.journal, dict(self.setup.versions)
        return JournalEntry(event, facts, Evidence(self.setup.name, "", first, 0, 0, versions, journal=journal))

    def _mended(self) -> list[Item]:
        """If the disk takes writes again: the engine as the journal has it, and all that was held."""
        if not self.trouble.due(self._clock.now_ns()):
            return []
        try:
            self.journal.probe()
            self._restored = restore(self.journal)
        except StorageError as error:
            self.trouble.again(str(error))
            return []
        return self.trouble.end()

    def _store_view(self) -> None:
        head, trouble = self.journal.head, self.trouble
        sentence = trouble.sentence or self._scarce
        self._screen.update(store=StoreView(not trouble.on, sentence, trouble.held, head.seq, head.hex))


def _blocked(engine: Engine) -> dict[str, tuple[str, ...]]:
    return {name: gate.stuck for name, gate in engine.gates.items()}
