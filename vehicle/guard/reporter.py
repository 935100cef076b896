"""What the guard sends to comms: its state when it changes, heartbeats, traces of its decisions, telemetry."""

from shared.clock import Clock
from shared.protocol.messages import CarMode, CarState
from vehicle.core.controller import DriveController
from vehicle.core.messages import ModeNotice, PilotReady
from vehicle.guard.children import ChildProcesses
from vehicle.guard.loop_stats import LoopStats
from vehicle.process.channel import IpcMessage

HEARTBEAT_PERIOD_S = 0.1
TELEMETRY_PERIOD_S = 0.5


class Reporter:
    """Sends to comms; it remembers the last state sent, and sends it again to a restarted comms."""

    def __init__(self, controller: DriveController, clock: Clock, children: ChildProcesses, stats: LoopStats) -> None:
        self._controller, self._clock, self._children, self._stats = controller, clock, children, stats
        self._reported: CarState | None = None
        self._noticed: tuple[CarMode, PilotReady] | None = None  # the mode that the pilot has, and which pilot
        self._heartbeat_due_s = self._telemetry_due_s = 0.0
        self.model = PilotReady("", "")
        self.guard_is_realtime = False

    def on_comms_ready(self) -> None:
        """Comms has started or restarted: send it the state again, even if unchanged."""
        self._children.ready.add("comms")
        self._reported = None

    def report_state(self) -> None:
        """Send the state to comms if it changed, and notify the pilot if the mode changed."""
        controller, model = self._controller, self.model
        fields = (
            controller.mode,
            controller.reason,
            model.model,
            model.model_sha256,
            controller.throttle_percent,
            controller.is_practice,
        )
        state = CarState(True, *fields)
        self._notify_pilot(state.mode)
        if state != self._reported and self.send(state):
            self._reported = state

    def _notify_pilot(self, mode: CarMode) -> None:
        """Send the pilot a mode that it does not have yet, once, whether comms is there or not."""
        known = self._noticed is not None and self._noticed[0] == mode and self._noticed[1] is self.model
        if not known and self._children.send("pilot", ModeNotice(mode)):
            self._noticed = (mode, self.model)

    def report_due(self, now_s: float) -> None:
        """Send heartbeat and telemetry when they are due; `now_s` is monotonic time."""
        if now_s >= self._heartbeat_due_s:
            self._heartbeat_due_s = max(self._heartbeat_due_s + HEARTBEAT_PERIOD_S, now_s)
            self.send(self._controller.next_heartbeat(self._clock.now_ns()))
        if now_s >= self._telemetry_due_s:
            self._telemetry_due_s = now_s + TELEMETRY_PERIOD_S
            self.send(self._stats.take_telemetry(self.model, guard_is_realtime=self.guard_is_realtime))

    def send(self, message: IpcMessage) -> bool:
        """Send a message to comms; False if it was dropped."""
        return "comms" in self._children.ready and self._children.send("comms", message)
