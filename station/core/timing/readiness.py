"""Whether the station is ready to arm a run: its gates must be ready, and it must be in race mode.

An official may override a gate that is not ready, but not test mode. Called by engine.py (the test filter of the
pipeline), by set_up.py with what drivers report, and by command_handlers.py before a run is armed. Test mode and race
mode are separate periods: what crosses a gate in test mode (a hand, a marshal's shoe, the two-pulse test) reaches no
race, even if its edge arrives after the change.
"""

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.timing.gate import Gate
from station.core.timing.utc_scale import UtcScale

TESTING = text("it was made in test mode")
OVERRIDE = "override_reason"  # a refusal that names it can be overridden with it
MAX_NOTES = 8  # notes of each gate for the pages; the journal has all of them


class GateReadiness:
    """The last report about each gate, and the current mode, test or race."""

    def __init__(self) -> None:
        self.mode: e.Mode = "race"
        self._epoch = 0
        self._began = e.NEVER
        self._not_ready: dict[str, str] = {}  # gate -> why its driver is faulty
        self.notes: dict[str, tuple[f.GateNoteStored, ...]] = {}  # gate -> what its driver noticed, newest first

    def on_driver_event(self, event: e.GateReported | e.GateNote, scale: UtcScale) -> list[f.Fact]:
        """Records a driver's report of its health, or its note about the device; returns the facts."""
        return self.record_note(event, scale) if isinstance(event, e.GateNote) else self.record_health(event)

    def record_health(self, report: e.GateReported) -> list[f.Fact]:
        """Records that a driver is faulty, now for another reason, or healthy again; no facts if that was known."""
        known = self._not_ready.get(report.gate)
        if (known is None) if report.healthy else (known == report.sentence):
            return []
        if report.healthy:
            del self._not_ready[report.gate]
        else:
            self._not_ready[report.gate] = report.sentence
        return [f.GateHealthChanged(report.gate, report.healthy, report.sentence)]

    def record_note(self, note: e.GateNote, scale: UtcScale) -> list[f.Fact]:
        """Stores a driver's note about its device and returns its fact; nothing else follows from it."""
        noted = f.GateNoteStored(note.gate, note.kind, note.sentence, note.count, scale.of_moment(note.moment))
        self.notes[note.gate] = (noted, *self.notes.get(note.gate, ()))[:MAX_NOTES]
        return [noted]

    def forget_gates_but(self, gates: tuple[e.GateSpec, ...]) -> None:
        """Forgets gates that are not configured any more, after a start."""
        names = {gate.name for gate in gates}
        self._not_ready = {gate: why for gate, why in self._not_ready.items() if gate in names}
        self.notes = {gate: noted for gate, noted in self.notes.items() if gate in names}

    def change_mode(self, command: e.SetMode) -> list[f.Fact]:
        """Changes to test or race mode; returns the fact. Raises Refused if the station is in that mode already."""
        if command.mode == self.mode:
            raise Refused(text("The station is in {mode} mode already.", mode=self.mode))
        self.mode, self._began = command.mode, command.moment
        self._epoch += 1
        return [f.ModeChanged(self._epoch, command.mode, command.author)]

    def is_test_crossing(self, crossing: f.Crossing, scale: UtcScale, by_clocks: bool) -> bool:
        """Whether the crossing was made in test mode, so that it is recorded but reaches no race.

        `by_clocks`: if a clock kept running through a reboot, it decides, not the time of day (which may have jumped).
        """
        if self.mode == "test" or self._began == e.NEVER:
            return self.mode == "test"
        if e.clock_of(crossing.boot) == e.clock_of(self._began.boot):
            return crossing.at_ns < self._began.at_ns
        if by_clocks:
            at_ns = scale.on_station(crossing.boot, crossing.at_ns, self._began.boot)
            if at_ns is not None:
                return at_ns < self._began.at_ns
            if scale.within_boot(crossing.boot, crossing.at_ns):
                return False  # the mode was changed before the station booted
        return scale.utc_ns(crossing.boot, crossing.at_ns) < scale.of_moment(self._began)

    def record_layout_doubt(self, doubted: f.LayoutDoubted, utc_ns: int) -> list[f.Fact]:
        """Stores a doubt about the gate's layout among its notes, and returns the fact; none if the doubt is over."""
        if not doubted.sentence:
            return []
        noted = f.GateNoteStored(doubted.gate, "layout", doubted.sentence, 0, utc_ns)
        self.notes[doubted.gate] = (noted, *self.notes.get(doubted.gate, ()))[:MAX_NOTES]
        return [noted]

    def check_can_arm(self, gates: dict[str, Gate], command: e.OpenRun | e.ArmRun) -> list[f.Fact]:
        """Checks that a run can be armed; the facts name the gates that are not ready and that the command overrides.

        Raises Refused in test mode, or if a gate is not ready and the command gives no reason to override that.
        """
        if self.mode == "test":
            raise Refused(text("The station is in test mode: go back to race mode before you arm a run."))
        not_ready = [(gate, why) for gate in sorted(gates) if (why := self._why(gates[gate]))]
        if not not_ready:
            return []
        if not command.override_reason.strip():
            gate, why = not_ready[0]
            raise Refused(
                text(
                    "The gate {gate} is not ready ({why}): fix it, or give an `{option}`.",
                    gate=gate,
                    why=why,
                    option=OVERRIDE,
                )
            )
        return [f.GateOverridden(gate, why, command.author, command.override_reason) for gate, why in not_ready]

    def _why(self, gate: Gate) -> str:
        """The reason why a gate is not ready; "" if it is."""
        if gate.stuck:
            return text("blocked: {names}", names=", ".join(gate.stuck))
        return self._not_ready.get(gate.spec.name, "") or gate.doubt or untried(gate.trial.missing)


def untried(sensors: tuple[str, ...]) -> str:
    """What to do about a gate whose `sensors` have not seen a proper pass; "" if there are none."""
    if not sensors:
        return ""
    return text("Not tested yet: no proper pass was seen at {names}; roll a car through.", names=", ".join(sensors))
