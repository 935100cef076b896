"""The trackside station: receives inputs, handles them, appends them to the journal, and only then publishes.

Built by `build.py`, run by `threads.py`: one thread calls `pump`, which times and writes; another calls `pump_live`,
which serves cars and pages and never waits for the disk. It calls the core's engine, the journal, `Publisher` (what was
committed), `LiveState` (what is live) and `StorageMonitor` (the state of the disk). The web uses it through
`ServicePort` (views/views.py):

    station = build(config)
    threads = StationThreads(station)
    threads.start()
    answer = station.submit(OpenRun(author="Ruth", racer="Ada", car="car-1"))

Whatever arrives (edges, reports, commands) waits in one queue and so has one order. A batch is handled by the engine,
appended in one transaction, and only then published. If the disk refuses the batch, none of it has happened: the engine
is rebuilt from the journal, inputs are held, commands are declined, and no lap report is acknowledged until the disk
accepts them.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from shared.clock import Clock
from shared.errors import StorageError
from shared.link.interface import Link, LinkState
from shared.protocol import messages as m
from shared.refusals import Refusals
from station.core import facts as f
from station.core import inputs as e
from station.core.command_values import stop_without_oddities, value_refusal
from station.gates.driver import GateDriver
from station.hardware.driver import StartLightsDriver
from station.service.archive.questions import Question
from station.service.archive.run_questions import Inbox, RunQuestions
from station.service.cars.car_control import CarControl
from station.service.cars.car_mailbox import CarMailbox
from station.service.cars.controlled_car import Goal
from station.service.cars.flood_watch import FloodWatch
from station.service.cars.order_target import refusal, starts_cars, undelivered
from station.service.inbox import QueuedInput, Ticket, answer_of, counter_ruling, drain
from station.service.live_state import LiveState
from station.service.offered_races import OfferedRaces
from station.service.publisher import Publisher
from station.service.restore import restore
from station.service.setup import StationSetup, boot_inputs, open_or_continue, with_drawn
from station.service.station_clock import StationClock
from station.service.storage_monitor import TIMING, StorageMonitor
from station.service.trackside.receiver import SUBSCRIPTIONS, Receiver
from station.service.trackside.start_lights import StartLightsRunner
from station.service.trackside.stop_button import StopButtonMonitor
from station.store.event_files.race_offers import RaceOffers
from station.store.journal import Journal
from station.views.car_views import StopView
from station.views.command_answers import Accepted, Declined
from station.views.current_view import CurrentView
from station.views.procedure_view import StagedStartView
from station.views.system_views import ManagerView, SyncView
from station.views.trackside.devices import StartLightsView
from station.views.trackside.start_sequence import staged_start
from station.views.views import View

if TYPE_CHECKING:
    from station.drem_timer import DremTimer


class Station(RunQuestions):
    """The station, without threads of its own: `StationThreads` calls `pump` and `pump_live`, which do the work."""

    def __init__(
        self,
        setup: StationSetup,
        clock: Clock,
        link: Link,
        gates: Mapping[str, GateDriver],
        journal: Journal,
        sync: Callable[[int], SyncView] | None = None,
        drem: "DremTimer | None" = None,
        *,
        button: StopButtonMonitor | None = None,
        make_lights: Callable[[], StartLightsDriver] | None = None,
        log: Callable[[str], None] = lambda _sentence: None,
        offer: Callable[[RaceOffers], None] = lambda _offers: None,
        refusals: Refusals | None = None,
        observe: Callable[[Sequence[f.Fact], float], None] | None = None,
    ) -> None:
        self.setup, self.journal = setup, journal
        self.refusals = Refusals() if refusals is None else refusals  # of this process: what cars send, and the web's
        self._link, self._observe = link, observe  # the facts of each commit, and how long the disk took
        self._inbox: Inbox = SimpleQueue()
        self._car_messages = CarMailbox()
        self.notice = ""  # what the operator should know about the start, "" if nothing
        self._restored = restore(journal)
        self._clock = StationClock(clock, self._restored.engine)
        super().__init__(self._inbox, self._clock.now, journal.path)
        self._manager: ManagerView | None = None
        self._view = CurrentView(setup.name, self._clock.view)
        self._offered = OfferedRaces(setup.name, offer)
        self.storage = StorageMonitor(journal, link, self._view, log)
        self._cars = CarControl(setup.lease_ms, setup.order_ttl_ms, f"{clock.utc_ns():x}", clock.rate)
        floods = FloodWatch(self.refusals, log, time.monotonic)
        self.received = Receiver(
            self._inbox.put, self._car_messages.put, self._clock, self._cars, link, floods.on_no_room
        )
        self._button = button
        self.lights = StartLightsRunner(make_lights, clock, self._start, self._show_lights) if make_lights else None
        self.drem = drem  # the event manager's timer, if one is configured
        self._publisher = Publisher(self._cars, link, self._view, drem.crossing if drem is not None else None)
        self._live_state = LiveState(setup.gates, gates, link, self._cars, self._view, sync, floods)

    def start(self) -> None:
        """Journals the boot, opens the race, and starts the gates and the link. Raises OperatorError."""
        self._commit([QueuedInput(event) for event in self._boot_inputs()])
        if self.setup.race is not None:
            self._open_race(self.setup.race)
        self._publisher.resume(self._restored.engine, self._clock.now())
        self.storage.show()
        self._view.results_due(self.journal.due)
        self._live_state.resume(self._restored.engine)
        if self.drem is not None:
            self.drem.start()
        self._live_state.start(self._restored.engine, self.received.gate_event, self.received.gate_health)
        self._link.start(SUBSCRIPTIONS, self.received.message)
        self._link.publish(m.StationStatus(True, TIMING))
        if self._button is not None:
            self._button.start(self.stop_all, self._clock.now_ns())

    def pump(self, wait_s: float = 0.0) -> bool:
        """Handles what waits in the queue, then what is due by the clock; True if anything waited.

        Waits up to `wait_s` for the first item. Raises StorageError if more inputs arrived than could be held.
        """
        self.storage.watchdog.mark_alive()
        arrived = drain(self._inbox, wait_s)
        items = [each for each in arrived if isinstance(each, QueuedInput)]
        worked = bool(arrived)
        if self.storage.fault.on:
            self.storage.fault.hold(items)
            items = self.storage.recover(self._clock.now_ns(), self._restore)
        if not self.storage.fault.on:
            due = self._clock.due_inputs(self._restored.engine, idle=self._inbox.empty())
            items += [QueuedInput(each) for each in due]  # after the batch, whose edges are older
            self._commit_or_hold(items)
        if items or worked:
            self.storage.show()
        for each in arrived:
            if isinstance(each, Question):
                self._answer(each)
        return worked

    def pump_live(self, wait_s: float = 0.0) -> bool:
        """Answers heartbeats and refreshes live states, without waiting for the disk; True if a message was handled.

        Waits up to `wait_s` for the first message.
        """
        worked = False
        self.storage.check_timing_thread(self._clock.now_ns(), self._clock.rate)
        if self._button is not None:
            self._button.watch(self._clock.now_ns())
            self._view.update(button=self._button.view)
        for delivery in self._car_messages.take(wait_s):
            self._live_state.on_message(delivery, self._clock.now_ns())
            delivery.ack()
            worked = True
        self._live_state.refresh(self._clock.now(), self._clock.rate, self.journal.due)
        if self.drem is not None and self.drem.view != self._manager:
            self._manager = self.drem.view
            self._view.update(manager=self._manager)
        return worked

    def offer(self, command: e.Command) -> Ticket:
        """Queues a command and returns its ticket; sends an emergency stop before anything else.

        The ticket of an order that its car cannot follow now is declined at once.
        """
        stamped = replace(with_drawn(command, self.setup.random_hex), moment=self._clock.now())
        if isinstance(stamped, e.StopAll):
            stamped = stop_without_oddities(stamped)
            self._publisher.stop_all(stamped.author, stamped.moment)
        if isinstance(stamped, e.OrderCar) and stamped.action == "estop":
            stamped = stop_without_oddities(stamped)
            self._publisher.order(stamped.car, "estop", None, stamped.moment.at_ns)
        ticket = Ticket(stamped)
        if sentence := value_refusal(stamped):
            ticket.settle(Declined(sentence))
            return ticket
        if isinstance(stamped, e.ReleaseStop) and self._button is not None and self._button.reason:
            ticket.settle(Declined(self._button.reason))
            return ticket
        unsafe = self._link.state().unsafe if starts_cars(stamped) else ""
        if sentence := unsafe or refusal(stamped, self.snapshot().runs, self._why_not):
            ticket.settle(Declined(sentence))
            return ticket
        self._inbox.put(QueuedInput(stamped, ticket=ticket))
        return ticket

    def submit(self, command: e.Command, timeout_s: float = 10.0) -> Accepted | Declined:
        """Queues a command and waits for its answer."""
        answer = self.offer(command).wait(timeout_s)
        return replace(answer, note=self._undelivered(answer.car)) if isinstance(answer, Accepted) else answer

    def stop_all(self, author: str, reason: str = "", device: str = "") -> StopView:
        """Stops every car, known or not, and returns the outcome so far; orders are sent first, the record follows."""
        self.offer(e.StopAll(author=author, reason=reason, device=device))
        return self.stop_state()

    def stop_state(self) -> StopView:
        return self._live_state.stop_view(self._clock.now())

    def _start(self) -> StagedStartView | None:
        return staged_start(self._view.snapshot().procedure)

    def _show_lights(self, lights: StartLightsView) -> None:
        self._view.update(lights=lights)

    @property
    def inputs_waiting(self) -> int:
        """Inputs in the queue, about: it fills and empties meanwhile."""
        return self._inbox.qsize()

    def link_state(self) -> LinkState:
        return self._link.state()

    def snapshot(self) -> View:
        return self._view.snapshot()

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        return self._view.wait_for_change(version, timeout_s)

    def close(self) -> None:
        """Closes the gates first, so that every input that arrived is stored; then the rest, even if one part raises.

        May be called whether or not the station has started.
        """
        with contextlib.ExitStack() as ends:  # last in, first out
            ends.callback(self.journal.close)
            if self.drem is not None:
                ends.callback(self.drem.close)
            if self._button is not None:
                ends.callback(self._button.close)
            if self.lights is not None:
                ends.callback(self.lights.close)
            ends.callback(self.pump)
            ends.callback(self._link.close)
            ends.callback(self._live_state.close)

    def _answer(self, question: Question[Any]) -> None:
        if self.storage.fault.on:
            question.decline("The disk does not accept records now, so the runs cannot be read.")
        else:
            question.settle(self._restored)

    def _undelivered(self, car: str) -> str:
        return undelivered(car, self._cars, connected=self._link.state().connected, now_ns=self._clock.now_ns())

    def _why_not(self, car: str, goal: Goal) -> str:
        return self._cars.why_not(car, goal, self._clock.now_ns())

    def _boot_inputs(self) -> list[e.Input]:
        now, engine = self._clock.now(), self._restored.engine
        self._clock.on_boot(now, engine)
        return boot_inputs(self.setup, engine, now, self._clock.is_set)

    def _open_race(self, wanted: e.OpenRace) -> None:
        """Opens the configured race, or continues with the journal's; raises ConfigError if there is neither."""
        self.notice = open_or_continue(wanted, self._restored.engine, self._try_open)
        self._view.update(notice=self.notice)

    def _try_open(self, wanted: e.OpenRace) -> str:
        """Opens a race; returns the refusal, "" if it is open."""
        facts = self._commit([QueuedInput(replace(wanted, moment=self._clock.now()))])
        return next((fact.sentence for fact in facts if isinstance(fact, f.CommandRefused)), "")

    def _commit_or_hold(self, items: list[QueuedInput]) -> None:
        """Commits the items. A request to undo comes after the commit of all before it, which it may undo."""
        undo = next((place for place, item in enumerate(items) if isinstance(item.input, e.UndoLast)), None)
        if undo is not None:
            self._commit_or_hold(items[:undo])
            restored = self._restored
            if self.storage.fault.on:
                self.storage.fault.hold(items[undo:])
                return
            counter = counter_ruling(items[undo], lambda asked: restored.index.acts.undo(restored.engine, asked))
            self._commit_or_hold([*counter, *items[undo + 1 :]])
            return
        try:
            self.storage.check(self._clock.now_ns(), storing=bool(items))
            self._commit(items)
        except StorageError as error:
            self.storage.fault.begin(str(error), items, self._clock.now_ns())
            return
        self.storage.fault.raise_if_shed()

    def _commit(self, items: list[QueuedInput]) -> list[f.Fact]:
        """Handles, appends and publishes the items; returns their facts.

        Raises StorageError: then nothing was stored or published, and the engine must be restored.
        """
        done = [(item, self._restored.handle(item.input)) for item in items]
        entries = [
            self._restored.entry(item.input, handled.facts, self.setup.name, self.setup.versions)
            for item, handled in done
            if handled.facts
        ]
        began_s = time.perf_counter()
        seqs = iter(self.journal.append(entries) if entries else ())
        if entries and self._observe is not None:
            self._observe([fact for _, handled in done for fact in handled.facts], time.perf_counter() - began_s)
        self._view.results_due(self.journal.due)
        for item, handled in done:
            facts = handled.facts
            seq = next(seqs) if facts else self.journal.head.seq
            self._restored.record(seq, item.input, handled)
            if item.on_commit is not None:
                item.on_commit()
            self._live_state.on_commit(self._restored.engine, item.input, facts)
            self._publisher.publish(self._restored.engine, facts, self._clock.now())
            if item.ticket is not None:
                item.ticket.settle(answer_of(seq, facts, handled.effect))
        newest = self._restored.uncounted.newest
        if newest is not self._view.uncounted:
            self._view.update(uncounted=newest)
        self._offered.update(self._restored.engine)
        return [fact for _, handled in done for fact in handled.facts]

    def _restore(self) -> None:
        self._restored = restore(self.journal)
