"""The phases of a run in the mock world: prepare, run, pause and park, as a table of what follows from what.

As deepracer-simapp has them (`reset/constants.py`, `agent_ctrl/rollout_agent_ctrl.py`): a car that leaves the road,
crashes, stands or goes backwards is put back and pauses for its penalty, while the lap time goes on; when its resets
are used up, or its laps driven, it is parked. Pure: time and occurrences are arguments, the next state is the answer.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from shared.errors import BadInput
from shared.text import text

NS_PER_S = 1_000_000_000
MAX_PENALTY_S = 60.0
MAX_RESETS = 10_000


class Phase(StrEnum):
    """Where a run is."""

    PREPARE = "prepare"  # placed at the start, the countdown runs
    RUN = "run"
    PAUSE = "pause"  # put back, serving a penalty; the lap time runs on
    PARK = "park"  # over


class Occurrence(StrEnum):
    """What happens to a run."""

    READY = "ready"  # the countdown or the penalty is over
    OFF_TRACK = "off_track"
    CRASHED = "crashed"
    REVERSED = "reversed"
    IMMOBILIZED = "immobilized"
    FINISHED = "finished"  # all laps are driven
    TIME_UP = "time_up"


RESETTING = (Occurrence.CRASHED, Occurrence.OFF_TRACK, Occurrence.REVERSED, Occurrence.IMMOBILIZED)

# (phase, what happens) -> the next phase; what is not named changes nothing
_NEXT: dict[tuple[Phase, Occurrence], Phase] = {
    (Phase.PREPARE, Occurrence.READY): Phase.RUN,
    (Phase.PREPARE, Occurrence.TIME_UP): Phase.PARK,
    **{(Phase.RUN, reset): Phase.PAUSE for reset in RESETTING},
    (Phase.RUN, Occurrence.FINISHED): Phase.PARK,
    (Phase.RUN, Occurrence.TIME_UP): Phase.PARK,
    (Phase.PAUSE, Occurrence.READY): Phase.RUN,
    (Phase.PAUSE, Occurrence.FINISHED): Phase.PARK,  # the reset came in the step in which it crossed the line
    (Phase.PAUSE, Occurrence.TIME_UP): Phase.PARK,
}


@dataclass(frozen=True, slots=True)
class ResetRules:
    """Penalties in seconds, the resets that a run may have, and the countdown before it."""

    off_track_s: float = 2.0
    crashed_s: float = 5.0
    reversed_s: float = 2.0
    immobilized_s: float = 2.0
    max_resets: int = 15
    countdown_s: float = 0.0

    def __post_init__(self) -> None:
        """Raises BadInput."""
        for seconds in (*(self.penalty_s(reset) for reset in RESETTING), self.countdown_s):
            if not 0.0 <= seconds <= MAX_PENALTY_S:
                raise BadInput(
                    text(
                        "A penalty or countdown of {value} s is not allowed: it must be 0 to {limit} s.",
                        value=str(seconds)[:20],
                        limit=f"{MAX_PENALTY_S:g}",
                    )
                )
        if not 0 <= self.max_resets <= MAX_RESETS:
            raise BadInput(
                text(
                    "A run may have 0 to {limit} resets, not {value}.",
                    limit=MAX_RESETS,
                    value=str(self.max_resets)[:20],
                )
            )

    def penalty_s(self, reset: Occurrence) -> float:
        """The pause for one kind of reset."""
        return {
            Occurrence.OFF_TRACK: self.off_track_s,
            Occurrence.CRASHED: self.crashed_s,
            Occurrence.REVERSED: self.reversed_s,
            Occurrence.IMMOBILIZED: self.immobilized_s,
        }[reset]


@dataclass(frozen=True, slots=True)
class VirtualRunState:
    """A run at one moment: its phase, until when it waits, and what it was reset for so far."""

    phase: Phase = Phase.PREPARE
    until_ns: int = 0
    resets: tuple[Occurrence, ...] = ()
    ended_by: Occurrence | None = None

    def count(self, reset: Occurrence) -> int:
        """How often the run was reset for this."""
        return self.resets.count(reset)


@dataclass(frozen=True, slots=True)
class PhaseStep:
    """The state after an occurrence, and whether the car has to be put back now."""

    state: VirtualRunState
    put_back: bool = field(default=False)


def begin(rules: ResetRules, at_ns: int) -> VirtualRunState:
    """A run that was placed at the start at `at_ns`."""
    return VirtualRunState(until_ns=at_ns + round(rules.countdown_s * NS_PER_S))


def occur(state: VirtualRunState, what: Occurrence, at_ns: int, rules: ResetRules) -> PhaseStep:
    """What follows when `what` happens at `at_ns`; the same state if nothing does."""
    phase = _NEXT.get((state.phase, what))
    if phase is None or (what is Occurrence.READY and at_ns < state.until_ns):
        return PhaseStep(state)
    if phase is Phase.PAUSE:
        if len(state.resets) >= rules.max_resets:
            return PhaseStep(replace(state, phase=Phase.PARK, ended_by=what))
        until_ns = at_ns + round(rules.penalty_s(what) * NS_PER_S)
        return PhaseStep(VirtualRunState(Phase.PAUSE, until_ns, (*state.resets, what)), put_back=True)
    if phase is Phase.PARK:
        return PhaseStep(replace(state, phase=phase, ended_by=what))
    return PhaseStep(replace(state, phase=phase))


def on_time(state: VirtualRunState, at_ns: int, rules: ResetRules) -> VirtualRunState:
    """The state at `at_ns` if nothing else happens: a countdown or a penalty ends by itself."""
    return occur(state, Occurrence.READY, at_ns, rules).state
