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
from shared.protocol.messages import DriveOrder, Lease
from vehicle.core.controller import DriveController
from vehicle.core.frame_age import SafetyOptions
from vehicle.core.messages import (
    CalibrationCommand,
    CameraAbsent,
    CommsReady,
    FrameCounts,
    PilotFault,
    PilotReady,
    ReloadModel,
    Setpoint,
    ThrottleLimit,
    UnusableFrame,
)
from vehicle.core.modes import ARMED
from vehicle.guard.actuators import Actuators
from vehicle.guard.calibration import CalibrationControl
from vehicle.guard.children import ChildExited, ChildMessage, ChildProcesses
from vehicle.guard.failsafe_link import FailsafeLink
from vehicle.guard.loop_stats import LoopStats
from vehicle.guard.reporter import Reporter
from vehicle.guard.stop_sources import StopSource, StopSources
from vehicle.guard.systemd import SystemdNotifier
from vehicle.hardware.absent_device import DeviceOpener
from vehicle.hardware.interfaces import Motors
from vehicle.process.channel import IpcMessage
from vehicle.process.log import log
from vehicle.process.realtime import (
    GUARD_PRIORITY,
    freeze_garbage_collector,
    lock_in_memory,
    request_realtime_for_all_threads,
    write_ready,
)

READY_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 2.0
_MIN_TICK_S = 0.003  # a sped-up clock may not eat a core


class Guard:
    """One car's guard; `run` returns the exit code."""

    def __init__(
        self,
        *,
        helm: DriveController,
        clock: Clock,
        wheels: Actuators,
        crew: ChildProcesses,
        stops: StopSources,
        motors_opener: DeviceOpener[Motors],
        button_opener: DeviceOpener[StopSource],
        keeper: FailsafeLink,
        supervisor: SystemdNotifier,
        tuner: CalibrationControl,
        safety: SafetyOptions,
        child_ends: tuple[socket.socket, ...],
    ) -> None:
        self.helm = helm
        self._clock = clock
        self._wheels = wheels
        self._crew = crew
        self._stops = stops
        self._motors_opener = motors_opener
        self._openers = (motors_opener, button_opener)
        self._keeper = keeper
        self._supervisor = supervisor
        self._tuner = tuner
        self._safety = safety
        self._child_ends = child_ends
        self._tick_s = max(_MIN_TICK_S, 1.0 / safety.tick_hz / clock.rate)
        self._hang_s = 0.9 * safety.hang_ms / 1000  # we notice before the keeper does
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._tally = LoopStats()
        self._teller = Reporter(helm, clock, crew, self._tally)
        tuner.tell = self._teller.say
        self._fresh_wish = False

    def run(self, ready_file: pathlib.Path | None) -> int:
        """Until SIGTERM or SIGINT. Neutral on every way out."""
        self._take_signals()
        self._selector.register(self._stops, selectors.EVENT_READ)
        try:
            self._keeper.start()
            self._crew.start(self._selector)
            for opener in self._openers:
                opener.start()
            self._join()
            code = self._wait_until_ready()
            if code is None:
                self._first_neutral()
                freeze_garbage_collector()
                if self._safety.realtime:
                    lock_in_memory("guard")
                if ready_file is not None:
                    write_ready(ready_file)
                self._supervisor.ready(self.helm.reason or "the motors are neutral, the car waits for its orders")
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
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # of a terminal that is closed, unless it may be
            signal.signal(signal.SIGHUP, self._on_signal)
        self._teller.guard_is_realtime = self._safety.realtime and request_realtime_for_all_threads(
            "guard", GUARD_PRIORITY
        )

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGUSR1:
            self._stops.by_signal()
        else:
            self._stopping = True

    def _wait_until_ready(self) -> int | None:
        """Until all said that they are; an exit code if one of them refused (it said why itself)."""
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while not self._stopping:
            if (code := self._crew.refused()) is not None:
                return code
            if (code := self._keeper.exited()) is not None:
                return code if code > 0 else 1
            if self._crew.all_ready and self._keeper.ready:
                return None
            if time.monotonic() > deadline_s:
                raise HardwareMissing(f"the car's processes are not ready after {READY_TIMEOUT_S:.0f} s: see the log.")
            self._selector.select(0.1)
            self._hear()
        return 0

    def _first_neutral(self) -> None:
        try:
            self._wheels.neutral()
        except HardwareMissing as error:
            self._lose_motors(str(error))

    # Absent devices

    def _join(self) -> None:
        """What was absent and is there by now joins, at neutral; what is not is said. Nothing is armed by it."""
        for opener in self._openers:
            if opener.turn() and self._teller.guard_is_realtime:
                request_realtime_for_all_threads("guard", GUARD_PRIORITY)  # a pin library brings its own
            self.helm.take_absent(opener.name, opener.why)

    def _lose_motors(self, why: str) -> None:
        """They no longer answer: tripped at once, and neutral as soon as they can be opened again."""
        self.helm.take_absent("motors", why)
        try:
            self._wheels.neutral()
        except HardwareMissing as error:
            log(f"the motors could not be set to neutral ({error}); they are opened anew.")
        finally:
            self._wheels.close()
        self._tuner.end(f"The calibration was called off: {self.helm.reason}")
        self._motors_opener.lost(why)

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
                self._supervisor.alive(now_s)
                late_s = now_s - deadline_s
                self._tally.tick(late_s, self._tick_s)
                # After a stall the beat starts anew: a burst of ticks would help nobody.
                deadline_s = now_s + self._tick_s if late_s > 4 * self._tick_s else deadline_s + self._tick_s
                self._look_after(now_s)

    def _decide(self) -> None:
        """Newest wish to pulses; what the mode became is told."""
        now_ns = self._clock.now_ns()
        action = self.helm.tick(now_ns)
        pulses = None
        try:
            pulses = self._tuner.turn(now_ns) or self._wheels.turn(action)
        except HardwareMissing as error:
            self._lose_motors(str(error))
        if (trace := self._tally.trace(now_ns, self.helm.mode, action, pulses, fresh=self._fresh_wish)) is not None:
            self._teller.say(trace)
        if self._fresh_wish:
            self._tally.applied(now_ns)
            self._fresh_wish = False
        self._tally.action = action
        self._teller.state()

    def _hear(self) -> None:
        """Everything that was said since the last turn."""
        for ask in self._stops.asked():
            self.helm.estop(ask.reason)
            self._decide()
            self._stops.answer(ask, f"The car is {self.helm.mode}: {self.helm.standing.reason}")
        for heard in self._crew.hear():
            self._take(heard)

    def _take(self, heard: ChildMessage) -> None:
        """The pilot may wish, comms may pass on what the station and the phone say; nothing else is listened to."""
        try:
            if heard.name == "pilot":
                self._take_from_pilot(heard.word)
            else:
                self._take_from_comms(heard.word)
        except HardwareMissing as error:  # of a calibration that ends in neutral
            self._lose_motors(str(error))

    def _take_from_pilot(self, word: IpcMessage | ChildExited) -> None:
        match word:
            case Setpoint():
                self._take_wish(word)
            case FrameCounts():
                self._tally.seen = word
            case CameraAbsent(sentence):
                self._crew.ready.add("pilot")  # it says what it waits for: that keeps nobody else waiting
                self.helm.take_absent("camera", sentence)
            case PilotFault(sentence):
                self.helm.take_fault(sentence)
            case UnusableFrame(sentence):
                self.helm.take_unusable(sentence)
            case PilotReady():
                self._teller.model = word
                self._crew.ready.add("pilot")
                self.helm.take_absent("camera", "")
                self.helm.model_ready(there=word.model != "")
            case ChildExited():
                self.helm.pilot_gone("The pilot process is gone.")
                self.helm.take_absent("camera", "")  # the next one will say whether there is one
                self._decide()

    def _take_from_comms(self, word: IpcMessage | ChildExited) -> None:
        match word:
            case CommsReady():
                self._teller.comms_ready()
            case Lease():
                self.helm.take_lease(word)
            case DriveOrder():
                self.helm.take_order(word)
            case ThrottleLimit(percent):
                self.helm.throttle_percent = min(100, max(0, percent))
            case ReloadModel():
                self._change_pilot()
            case CalibrationCommand():
                self._tuner.hear(word, self._clock.now_ns())
            case ChildExited():
                self._tuner.end("The calibration was called off: the console is gone.")

    def _change_pilot(self) -> None:
        """Another model was selected: the pilot ends and comes back with it, unless the car is armed."""
        if self.helm.mode not in ARMED:
            self._crew.ask_to_stop("pilot")

    def _take_wish(self, wish: Setpoint) -> None:
        if self.helm.take_wish(wish, self._clock.now_ns()):
            self._fresh_wish = True
            self._tally.wish = wish

    def _look_after(self, now_s: float) -> None:
        """Between two ticks: children, beats, telemetry."""
        for heard in self._crew.look_after():
            self._take(heard)
        self._join()
        self._teller.due(now_s)

    # Ending

    def _finish(self) -> None:
        self._supervisor.stopping()
        neutral = False
        try:
            self._wheels.neutral()
            neutral = self._wheels.there  # else the keeper tries once more
        finally:
            self._wheels.close()
            for opener in self._openers:
                opener.close()
            self._keeper.let_go(STOP_TIMEOUT_S, neutral=neutral)  # first of all: it hears no beat any more
            self._crew.stop(STOP_TIMEOUT_S)
            self._supervisor.close()
            self._stops.close()
            self._selector.close()
            for end in self._child_ends:
                end.close()
