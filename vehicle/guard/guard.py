"""The guard: the parent process. It owns the motors and nothing else, and whatever is missing means neutral.

It decides whenever a setpoint arrives and at least `tick_hz` times a second of the machine's clock, on absolute
deadlines. It imports neither the policy nor the network: those run in child processes that may die.

Called by: `vehicle/build.py` builds it, `raceday vehicle` calls `Guard.run(ready_file)`, which returns the exit code.
Calls: `core/controller.py` (what to do), `guard/actuators.py` (pulses), `guard/children.py` (pilot and comms),
`guard/message_handler.py` (what their messages do), `guard/failsafe_link.py` (heartbeat to the fail-safe process),
`guard/reporter.py` (state and telemetry for comms).
Example: a `Setpoint` from the pilot goes to `DriveController.on_setpoint`; in the same pass of the loop
`DriveController.tick` limits it and `Actuators.apply_action` sets the pulses.
"""

import pathlib
import selectors
import signal
import socket
import time
from types import FrameType

from shared.clock import Clock
from shared.errors import HardwareMissing
from shared.files import write_ready_file
from shared.process.car_unit_status import CarUnitStatus
from shared.text import text
from vehicle.core.controller import DriveController
from vehicle.core.frame_age import SafetyOptions
from vehicle.guard.actuators import Actuators
from vehicle.guard.calibration import CalibrationControl
from vehicle.guard.children import ChildExited, ChildMessage, ChildProcesses
from vehicle.guard.failsafe_link import FailsafeLink
from vehicle.guard.loop_stats import LoopStats
from vehicle.guard.message_handler import MessageHandler
from vehicle.guard.reporter import Reporter
from vehicle.guard.stop_sources import StopSource, StopSources
from vehicle.guard.systemd import SystemdNotifier
from vehicle.hardware.absent_device import DeviceOpener
from vehicle.hardware.interfaces import Motors
from vehicle.process.log import log
from vehicle.process.realtime import (
    GUARD_PRIORITY,
    freeze_garbage_collector,
    lock_in_memory,
    request_realtime_for_all_threads,
)

READY_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 2.0
_MIN_TICK_S = 0.003  # even with a sped-up clock the loop must not use up a core
_PILOT_EXITED = ChildMessage("pilot", ChildExited())


class Guard:
    """One car's guard; `run` returns the exit code."""

    def __init__(
        self,
        *,
        controller: DriveController,
        clock: Clock,
        actuators: Actuators,
        children: ChildProcesses,
        stops: StopSources,
        motors_opener: DeviceOpener[Motors],
        button_opener: DeviceOpener[StopSource],
        failsafe: FailsafeLink,
        systemd: SystemdNotifier,
        calibration: CalibrationControl,
        safety: SafetyOptions,
        child_ends: tuple[socket.socket, ...],
    ) -> None:
        self.controller = controller
        self._clock = clock
        self._actuators = actuators
        self._children = children
        self._stops = stops
        self._motors_opener = motors_opener
        self._openers = (motors_opener, button_opener)
        self._failsafe = failsafe
        self._systemd = systemd
        self._calibration = calibration
        self._safety = safety
        self._child_ends = child_ends
        self._tick_s = max(_MIN_TICK_S, 1.0 / safety.tick_hz / clock.rate)
        self._hang_s = 0.9 * safety.hang_ms / 1000  # the guard notices a hang before the fail-safe process acts
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._stats = LoopStats()
        self._reporter = Reporter(controller, clock, children, self._stats)
        calibration.publish = self._reporter.send
        self._messages = MessageHandler(controller, clock, children, calibration, self._reporter, self._stats)

    def run(self, ready_file: pathlib.Path | None) -> int:
        """Run until SIGTERM or SIGINT; returns the exit code. Sets neutral on every exit path."""
        self._install_signal_handlers()
        self._selector.register(self._stops, selectors.EVENT_READ)
        try:
            self._failsafe.start()
            self._children.start(self._selector)
            for opener in self._openers:
                opener.start()
            self._attach_devices()
            code = self._wait_until_ready()
            if code is None:
                self._set_first_neutral()
                freeze_garbage_collector()
                if self._safety.realtime:
                    lock_in_memory("guard")
                if ready_file is not None:
                    write_ready_file(ready_file, "ready")
                self._systemd.notify_ready(self._unit_status())
                self._loop()
                code = 0
        finally:
            self._shut_down()
        return code

    def stop(self) -> None:
        """End the loop in its next pass."""
        self._stopping = True

    # Starting

    def _install_signal_handlers(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # a closed terminal ends the car, unless run by nohup
            signal.signal(signal.SIGHUP, self._on_signal)
        self._reporter.guard_is_realtime = self._safety.realtime and request_realtime_for_all_threads(
            "guard", GUARD_PRIORITY
        )

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGUSR1:
            self._stops.on_signal()
        else:
            self._stopping = True

    def _wait_until_ready(self) -> int | None:
        """Wait until all processes are ready; an exit code if one of them ended (it logged the reason itself)."""
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while not self._stopping:
            if (code := self._children.startup_exit_code()) is not None:
                return code
            if (code := self._failsafe.poll_exit()) is not None:
                return code if code > 0 else 1
            if self._children.all_ready and self._failsafe.ready:
                return None
            if time.monotonic() > deadline_s:
                raise HardwareMissing(f"the car's processes are not ready after {READY_TIMEOUT_S:.0f} s: see the log.")
            self._selector.select(0.1)
            self._receive()
        return 0

    def _set_first_neutral(self) -> None:
        try:
            self._actuators.set_neutral()
        except HardwareMissing as error:
            self._on_motors_lost(str(error))

    # Absent devices

    def _attach_devices(self) -> None:
        """Attach devices that have appeared, at neutral, and report those still absent. This never arms the car."""
        for opener in self._openers:
            if opener.poll() and self._reporter.guard_is_realtime:
                request_realtime_for_all_threads("guard", GUARD_PRIORITY)  # a pin library starts threads
            self.controller.set_absent(opener.name, opener.why)

    def _on_motors_lost(self, why: str) -> None:
        """The motors no longer answer: trip at once, and set neutral as soon as they can be opened again."""
        self.controller.set_absent("motors", why)
        try:
            self._actuators.set_neutral()
        except HardwareMissing as error:
            log(f"the motors could not be set to neutral ({error}); they are opened again.")
        finally:
            self._actuators.close()
        self._calibration.end(text("The calibration was called off: {reason}", reason=self.controller.reason))
        self._motors_opener.on_lost(why)

    # The loop

    def _loop(self) -> None:
        deadline_s = heartbeat_s = time.monotonic()
        while not self._stopping:
            self._selector.select(max(0.0, deadline_s - time.monotonic()))
            now_s = time.monotonic()
            self._receive()
            if now_s - heartbeat_s > self._hang_s:
                # The fail-safe process has set neutral, or is about to: waking up must not move the motors again.
                self.controller.on_fault(
                    text("The guard itself hung for {milliseconds:.0f} ms.", milliseconds=(now_s - heartbeat_s) * 1000)
                )
            due = now_s >= deadline_s
            if due or self._messages.has_new_setpoint:
                self._decide()
            if due:
                heartbeat_s = now_s
                self._failsafe.heartbeat()
                self._systemd.notify_alive(now_s)
                late_s = now_s - deadline_s
                self._stats.count_tick(late_s, self._tick_s)
                # After a stall the schedule starts again: a burst of ticks would not help.
                deadline_s = now_s + self._tick_s if late_s > 4 * self._tick_s else deadline_s + self._tick_s
                self._housekeeping(now_s)

    def _decide(self) -> None:
        """Turn the newest setpoint into pulses, and report a changed mode."""
        now_ns = self._clock.now_ns()
        action = self.controller.tick(now_ns)
        pulses = None
        try:
            pulses = self._calibration.tick(now_ns) or self._actuators.apply_action(action, self.controller.mode)
        except HardwareMissing as error:
            self._on_motors_lost(str(error))
        is_fresh = self._messages.has_new_setpoint
        if (trace := self._stats.trace(now_ns, self.controller.mode, action, pulses, fresh=is_fresh)) is not None:
            self._reporter.send(trace)
        if is_fresh:
            self._stats.count_applied(now_ns)
            self._messages.has_new_setpoint = False
        self._stats.action = action
        self._reporter.report_state()

    def _receive(self) -> None:
        """Handle all stop requests and child messages that arrived since the last pass."""
        for request in self._stops.requests():
            self.controller.estop(request.reason)
            self._decide()
            self._stops.reply(
                request,
                text(
                    "The car is {mode}: {reason}", mode=self.controller.mode, reason=self.controller.mode_state.reason
                ),
            )
        for received in self._children.receive():
            self._on_message(received)

    def _on_message(self, received: ChildMessage) -> None:
        try:
            self._messages.on_message(received)
        except HardwareMissing as error:  # of a calibration that ends in neutral
            self._on_motors_lost(str(error))
        if received == _PILOT_EXITED:
            self._decide()  # at once: the car must not drive on until the next tick

    def _housekeeping(self, now_s: float) -> None:
        """Between two ticks: restart children, attach devices, send heartbeat and telemetry."""
        for received in self._children.restart_exited():
            self._on_message(received)
        self._attach_devices()
        self._reporter.report_due(now_s)
        self._systemd.notify_status(self._unit_status())

    def _unit_status(self) -> str:
        """The line by which an installation on this machine knows a car that is armed."""
        return CarUnitStatus(self.controller.mode, is_online=True, reason=str(self.controller.reason)).line()

    # Ending

    def _shut_down(self) -> None:
        self._systemd.notify_stopping()
        neutral = False
        try:
            self._actuators.set_neutral()
            neutral = self._actuators.is_attached  # else the fail-safe process tries once more
        finally:
            self._actuators.close()
            for opener in self._openers:
                opener.close()
            self._failsafe.close(STOP_TIMEOUT_S, neutral=neutral)  # first: it receives no more heartbeats
            self._children.stop(STOP_TIMEOUT_S)
            self._systemd.close()
            self._stops.close()
            self._selector.close()
            for end in self._child_ends:
                end.close()
