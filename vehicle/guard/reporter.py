"""What the guard tells: its state when it changed, beats, the trace of each decision, figures. All by way of comms."""

from shared.clock import Clock
from shared.protocol.messages import CarState
from vehicle.core.controller import DriveController
from vehicle.core.messages import ModeNotice, PilotReady
from vehicle.guard.children import ChildProcesses
from vehicle.guard.loop_stats import LoopStats
from vehicle.process.channel import IpcMessage

HEARTBEAT_PERIOD_S = 0.1
TELEMETRY_PERIOD_S = 0.5


class Reporter:
    """Knows what was told last; a comms that comes back is told the state again."""

    def __init__(self, helm: DriveController, clock: Clock, crew: ChildProcesses, tally: LoopStats) -> None:
        self._helm, self._clock, self._crew, self._tally = helm, clock, crew, tally
        self._told: CarState | None = None
        self._beat_due_s = self._figures_due_s = 0.0
        self.model = PilotReady("", "")
        self.guard_is_realtime = False

    def comms_ready(self) -> None:
        """Comms is there, perhaps anew."""
        self._crew.ready.add("comms")
        self._told = None

    def state(self) -> None:
        """If it is not as it was told; the pilot hears of another mode as well."""
        helm, model = self._helm, self.model
        told = (helm.mode, helm.reason, model.model, model.model_sha256, helm.throttle_percent, helm.practice)
        state = CarState(True, *told)
        if state == self._told:
            return
        mode_changed = self._told is None or self._told.mode != state.mode
        if self.say(state):
            self._told = state
        if mode_changed:
            self._crew.tell("pilot", ModeNotice(state.mode))

    def due(self, now_s: float) -> None:
        """Beat and figures, each in its time."""
        if now_s >= self._beat_due_s:
            self._beat_due_s = max(self._beat_due_s + HEARTBEAT_PERIOD_S, now_s)
            self.say(self._helm.beat(self._clock.now_ns()))
        if now_s >= self._figures_due_s:
            self._figures_due_s = now_s + TELEMETRY_PERIOD_S
            self.say(self._tally.figures(self.model, guard_is_realtime=self.guard_is_realtime))

    def say(self, word: IpcMessage) -> bool:
        """To comms; False if it was dropped."""
        return "comms" in self._crew.ready and self._crew.tell("comms", word)
