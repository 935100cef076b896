"""The phases of a run, and the table of the commands and events that each of them allows.

    idle ──open──> armed ──start given, first crossing──> running ──laps, time, official──> finished ──open──> armed

What is not in the table is refused with a sentence that names the command and the phase.
"""

from typing import Literal

from shared.errors import Refused
from shared.protocol.messages import RunPhase
from shared.text import text
from station.core import inputs as e

_ANY: tuple[type[e.Command], ...] = (e.HandTime, e.OrderCar, e.Official, e.ReopenResults)
RULINGS: tuple[type[e.Command], ...] = (
    e.TakeBack,
    e.EnterModel,
    e.VoidLap,
    e.RestoreLap,
    e.AddPenalty,
    e.AddCrossing,
    e.DropCrossing,
    e.AssignCrossing,
    e.DismissProposal,
    e.ReassignRun,
    e.HandCrossing,
    e.ReplaceCrossing,
    e.RestoreProposal,
    e.Disqualify,
    e.Reinstate,
)
INCIDENTS: tuple[type[e.Command], ...] = (e.OffTrack, e.Collision, e.CarReset)

# Refusals in races of an earlier edition than this do not name these commands: they did not exist yet.
_SINCE: dict[type[e.Command], int] = {
    e.TakeBack: 1,
    e.EnterModel: 1,
    e.StageRun: 3,
    e.Relaunch: 3,
    e.MarkDnf: 3,
    e.SubmitRun: 3,
    e.DiscardRun: 3,
    **dict.fromkeys(
        (
            e.HandCrossing,
            e.ReplaceCrossing,
            e.RestoreProposal,
            e.Disqualify,
            e.Reinstate,
            e.Official,
            e.ReopenResults,
        ),
        e.HAND_TIMES,
    ),
}

Trigger = type[e.Command] | Literal["first crossing", "start dropped", "laps done", "time up"]


def _stay(phase: RunPhase, *kinds: type[e.Command]) -> dict[Trigger, RunPhase]:
    return dict.fromkeys(kinds, phase)


RACE: dict[RunPhase, dict[Trigger, RunPhase]] = {
    "idle": {e.OpenRun: "armed", **_stay("idle", e.SetMode, *_ANY)},
    "armed": {
        "first crossing": "running",
        e.FinishRun: "finished",
        e.AbandonRun: "finished",
        e.MarkDnf: "finished",
        **_stay("armed", e.ArmRun, e.StartRun, e.ResumeRun, e.ReassignRun, *INCIDENTS, *_ANY),
        **_stay("armed", e.AssignCrossing, e.DismissProposal, e.EnterModel, e.StageRun, e.Relaunch),
    },
    "running": {
        "start dropped": "armed",
        "laps done": "finished",
        "time up": "finished",
        e.FinishRun: "finished",
        e.AbandonRun: "finished",
        e.MarkDnf: "finished",
        e.Relaunch: "armed",
        **_stay("running", e.ResumeRun, *INCIDENTS, *RULINGS, *_ANY),
    },
    "finished": {e.OpenRun: "armed", **_stay("finished", e.SetMode, e.SubmitRun, e.DiscardRun, *RULINGS, *_ANY)},
}

NAMES: dict[type[e.Command], str] = {kind: name for name, kind in e.COMMANDS.items()}


def next_phase(phase: RunPhase, trigger: Trigger, edition: int = e.OFFICIATING) -> RunPhase:
    """The phase that follows `phase` after the trigger, by the table RACE. Raises Refused if it is not in the table."""
    if trigger in RACE[phase]:
        return RACE[phase][trigger]
    name = trigger if isinstance(trigger, str) else NAMES.get(trigger, trigger.__name__)
    kinds = [kind for kind in RACE[phase] if not isinstance(kind, str)]
    allowed = ", ".join(NAMES[kind] for kind in kinds if edition >= _SINCE.get(kind, 0))
    raise Refused(
        text(
            "`{name}` cannot be done while the run is {phase}; now possible: {allowed}.",
            name=name,
            phase=phase,
            allowed=allowed,
        )
    )
