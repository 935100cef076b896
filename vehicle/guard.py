"""The guard: the parent process. It owns the motors and nothing else, and whatever is missing means neutral.

It decides when a wish arrives and at least `tick_hz` times a second of the machine's clock, on absolute deadlines.
It imports neither the policy nor the network: those are children that may die.
"""

import pathlib
import selectors
import signal
import socket
import time
from types import FrameType

from shared.clock import Clock
from shared.errors import HardwareMissing
from shared.messages import CarBeat, CarState, DriveOrder, Lease
from vehicle.children import Child, how_it_ended
from vehicle.core.ages import Safety
from vehicle.core.helm import Helm
from vehicle.core.modes import ARMED
from vehicle.core.words import CommsReady, Fault, ModeNotice, PilotChange, PilotReady, Seen, ThrottleShare, Wish
from vehicle.ipc import Word
from vehicle.lifeline import Lifeline
from vehicle.localstop import LocalStop
from vehicle.log import say
from vehicle.startup import GUARD_PRIORITY, ask_for_realtime, rest_the_collector, write_ready
from vehicle.tally import Tally
from vehicle.wheels import Wheels

READY_TIMEOUT_S = 90.0
STOP_PATIENCE_S = 2.0
BEAT_S = 0.1
FIGURES_S = 0.5
_SHORTEST_TICK_S = 0.003  # a sped-up clock may not eat a core


class Guard:
    """One car's guard; `run` returns the exit code."""

    def __init__(
        self,
        *,
        helm: Helm,
        clock: Clock,
        wheels: Wheels,
        pilot: Child,
        comms: Child,
        local: LocalStop,
        keeper: Lifeline,
        safety: Safety,
        child_ends: tuple[socket.socket, ...],
    ) -> None:
        self.helm = helm
        self._clock = clock
        self._wheels = wheels
        self._pilot = pilot
        self._comms = comms
        self._local = local
        self._keeper = keeper
        self._safety = safety
        self._child_ends = child_ends
        self._tick_s = max(_SHORTEST_TICK_S, 1.0 / safety.tick_hz / clock.rate)
        self._hang_s = 0.9 * safety.hang_ms / 1000  # we notice before the keeper does
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._estop_signal = False
        self._is_realtime = False
        self._model = PilotReady("", "")
        self._ready: set[str] = set()
        self._told: CarState | None = None
        self._tally = Tally()
        self._fresh_wish = False
        self._beat_due_s = self._figures_due_s = 0.0

    def run(self, ready_file: pathlib.Path | None) -> int:
        """Until SIGTERM or SIGINT. Neutral on every way out."""
        self._take_signals()
        self._selector.register(self._local, selectors.EVENT_READ)
        try:
            self._keeper.start()
            for child in (self._pilot, self._comms):
                self._start(child)
            code = self._wait_until_ready()
            if code is None:
                self._wheels.neutral()
                if ready_file is not None:
                    write_ready(ready_file)
                self._drive()
                code = 0
        finally:
            self._finish()
        return code

    def stop(self) -> None:
        """End the loop at its next turn."""
        self._stopping = True

    # Starting

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGUSR1, self._on_signal)
        self._is_realtime = self._safety.realtime and ask_for_realtime("guard", GUARD_PRIORITY)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGUSR1:
            self._estop_signal = True
        else:
            self._stopping = True

    def _wait_until_ready(self) -> int | None:
        """Until both children said they are; an exit code if one of them refused (it said why itself)."""
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while not self._stopping:
            for child in (self._pilot, self._comms):
                if (code := child.exited()) is not None:
                    return code if code > 0 else 1
            if (code := self._keeper.exited()) is not None:
                return code if code > 0 else 1
            if {"pilot", "comms"} <= self._ready and self._keeper.ready:
                return None
            if time.monotonic() > deadline_s:
                raise HardwareMissing(f"the car's processes are not ready after {READY_TIMEOUT_S:.0f} s: see the log.")
            self._selector.select(0.1)
            self._hear()
        return 0

    # The loop

    def _drive(self) -> None:
        deadline_s = beat_s = time.monotonic()
        while not self._stopping:
            self._selector.select(max(0.0, deadline_s - time.monotonic()))
            now_s = time.monotonic()
            self._hear()
            if now_s - beat_s > self._hang_s:
                # The keeper has taken the wheels by now: they do not move again because we woke up.
                self.helm.take_fault(f"The guard itself hung for {(now_s - beat_s) * 1000:.0f} ms.")
            due = now_s >= deadline_s
            if due or self._fresh_wish:
                self._decide()
            if due:
                beat_s = now_s
                self._keeper.beat()
                late_s = now_s - deadline_s
                self._tally.tick(late_s, self._tick_s)
                # After a stall the beat starts anew: a burst of ticks would help nobody.
                deadline_s = now_s + self._tick_s if late_s > 4 * self._tick_s else deadline_s + self._tick_s
                self._look_after(now_s)

    def _decide(self) -> None:
        """Newest wish to pulses; what the mode became is told."""
        now_ns = self._clock.now_ns()
        action = self.helm.tick(now_ns)
        pulses = self._wheels.turn(action)
        if (trace := self._tally.trace(now_ns, self.helm.mode, action, pulses, fresh=self._fresh_wish)) is not None:
            self._say(trace)
        if self._fresh_wish:
            self._tally.applied(now_ns)
            self._fresh_wish = False
        self._tally.action = action
        self._tell_state()

    def _hear(self) -> None:
        """Everything that was said since the last turn."""
        for address in self._local.asked():
            self.helm.estop("Emergency stop at the car.")
            self._decide()
            self._local.answer(address, f"The car is {self.helm.mode}: {self.helm.standing.reason}")
        if self._estop_signal:
            self._estop_signal = False
            self.helm.estop("Emergency stop by signal at the car.")
        for child in (self._pilot, self._comms):
            for word in child.channel.receive() if child.channel is not None else []:
                self._take(child, word)
            if child.channel is not None and child.channel.closed:
                self._deaf_to(child)

    def _take(self, child: Child, word: Word) -> None:
        """The pilot may wish, comms may pass on what the station says; nothing else is listened to."""
        match (child.name, word):
            case ("pilot", Wish()):
                self._take_wish(word)
            case ("pilot", Seen()):
                self._tally.seen = word
            case ("pilot", Fault(sentence)):
                self.helm.take_fault(sentence)
            case ("pilot", PilotReady()):
                self._model = word
                self._ready.add("pilot")
                self.helm.model_ready()
            case ("comms", CommsReady()):
                self._ready.add("comms")
                self._told = None
            case ("comms", Lease()):
                self.helm.take_lease(word)
            case ("comms", DriveOrder()):
                self.helm.take_order(word)
            case ("comms", ThrottleShare(percent)):
                self.helm.throttle_percent = min(100, max(0, percent))
            case ("comms", PilotChange()):
                self._change_pilot()

    def _change_pilot(self) -> None:
        """Another model was selected: the pilot ends and comes back with it, unless the car is armed."""
        if self.helm.mode not in ARMED:
            self._pilot.ask_to_stop()

    def _take_wish(self, wish: Wish) -> None:
        if self.helm.take_wish(wish, self._clock.now_ns()):
            self._fresh_wish = True
            self._tally.wish = wish

    def _look_after(self, now_s: float) -> None:
        """Between two ticks: children, beats, telemetry."""
        for child in (self._pilot, self._comms):
            if (code := child.exited()) is not None:
                self._lost(child, code)
            elif child.due():
                self._start(child)
        if now_s >= self._beat_due_s:
            self._beat_due_s = max(self._beat_due_s + BEAT_S, now_s)
            self._say(self.helm.beat(self._clock.now_ns()))
        if now_s >= self._figures_due_s:
            self._figures_due_s = now_s + FIGURES_S
            self._say(self._tally.figures(self._model, guard_is_realtime=self._is_realtime))

    def _lost(self, child: Child, code: int) -> None:
        sentence = f"The {child.name} process {how_it_ended(code)}."
        say(sentence)
        self._ready.discard(child.name)
        if child.channel is not None:
            self._deaf_to(child)

    def _start(self, child: Child) -> None:
        child.start()
        assert child.channel is not None
        self._selector.register(child.channel, selectors.EVENT_READ)

    def _deaf_to(self, child: Child) -> None:
        """Its end is closed, so it is dead or as good as dead: act now; `exited` will see how it ended."""
        assert child.channel is not None
        self._selector.unregister(child.channel)
        child.hang_up()
        if child is self._pilot:
            self.helm.pilot_gone("The pilot process is gone.")
            self._decide()

    # Telling

    def _tell_state(self) -> None:
        standing = self.helm.standing
        state = CarState(
            True,
            standing.mode,
            standing.reason,
            self._model.model,
            self._model.model_sha256,
            self.helm.throttle_percent,
        )
        if state == self._told:
            return
        mode_changed = self._told is None or self._told.mode != state.mode
        if self._say(state):
            self._told = state
        if mode_changed and self._pilot.channel is not None:
            self._pilot.channel.send(ModeNotice(state.mode))
        if mode_changed and state.mode == "ready":
            rest_the_collector()

    def _say(self, word: CarBeat | CarState | Word) -> bool:
        return self._comms.channel is not None and "comms" in self._ready and self._comms.channel.send(word)

    # Ending

    def _finish(self) -> None:
        neutral = False
        try:
            self._wheels.neutral()
            neutral = True
        finally:
            self._wheels.close()
            for child in (self._pilot, self._comms):
                child.ask_to_stop()
            deadline_s = time.monotonic() + STOP_PATIENCE_S
            for child in (self._pilot, self._comms):
                child.stop(deadline_s - time.monotonic())
            self._keeper.let_go(STOP_PATIENCE_S, neutral=neutral)
            self._local.close()
            self._selector.close()
            for end in self._child_ends:
                end.close()
