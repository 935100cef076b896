"""The commands that officials give. Every command is an input: it is journaled, and replayed.

Those that concern the event itself (races, racers, cars) are defined in event/commands.py.
The page and scripts send commands by name (COMMANDS), the service stamps and queues them, and command_handlers.py
carries them out.
Example: `OpenRun(author="judge", racer="Ann", car="car-1")` begins a run.
"""

from dataclasses import dataclass

from station.core.event.commands import *
from station.core.moment import CarOrder, Command, Mode, later
from station.core.queue.commands import *
from station.core.race.commands import *
from station.core.rulings.commands import *


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun(Command):
    """Opens a racer's run in the phase `armed`: the car gets its lease and the order to arm.

    `run_id` "": the station numbers the run. The command is refused while a gate is not ready, unless
    `override_reason` gives a reason to arm all the same. `model` and `model_sha256` are the entry's: a car that
    reports another model is refused at the start, and the reported model is the one that is posted.
    `hand_timed`: an official's hand times are its crossings, because the gate is dead; it needs a `reason`, which also
    overrides the gate.
    """

    racer: str
    car: str
    run_id: str = ""
    model: str = ""
    model_sha256: str = ""
    throttle_percent: int | None = None
    override_reason: str = ""
    hand_timed: bool = later(False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRun(Command):
    """Orders the car of the armed run to arm (again); `override_reason` as in OpenRun.

    `run_id` "" means the only run that is on, here and below; with several on, the command must name its run.
    """

    override_reason: str = ""
    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun(Command):
    """Gives the start: the car may go. Earlier crossings do not count.

    Lap 1 begins at the next start/finish crossing or, with the race rule `lap_1_from = "signal"`, with this command.
    `by_hand`: a person starts the car because it has no agent or does not answer: it gets no order and no lease, and
    the result records that.
    """

    run_id: str = later("")
    by_hand: bool = later(False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishRun(Command):
    """Ends the run now; the laps that it has count."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonRun(Command):
    """Ends the run now; it does not count."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRun(Command):
    """After a trip: resets and arms the car, and starts it again if the start was given; the lap simply continues."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTransponder(Command):
    """States that the `transponder` is on this `car`, or carried by this `racer`; with neither, it has no owner here.

    This holds from now on, and also for its earlier passes in this race: the runs concerned are counted again.
    """

    transponder: str
    car: str = ""
    racer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandTime(Command):
    """Records that an official saw the car pass the gate now: a witness, and a crossing only in a run timed by hand."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCar(Command):
    """An official's order to one car. `estop` is sent before it is stored; all others afterwards."""

    car: str
    action: CarOrder
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAll(Command):
    """Stops every car, known or not; none gets a lease until ReleaseStop. Sent before it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStop(Command):
    """Allows cars to be armed again. This moves no car: each needs an order of its own to leave its stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode(Command):
    """Sets test or race mode. In test mode crossings are shown but reach no race, and no run can be armed."""

    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class TryGate(Command):
    """Has a gate tested again, from the next pass on: what its passes have shown so far is forgotten."""

    gate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClock(Command):
    """Corrects the station's time of day to `utc_ms` (ms since 1970, UTC). The machine's own clock is not changed."""

    utc_ms: int


# The names that the page and the operator's scripts use: POST /api/v1/commands {"command": NAME, ...fields}.
COMMANDS: dict[str, type[Command]] = {
    "open_run": OpenRun,
    "arm": ArmRun,
    "start": StartRun,
    "finish": FinishRun,
    "abandon": AbandonRun,
    "resume": ResumeRun,
    "off_track": OffTrack,
    "collision": Collision,
    "reset": CarReset,
    "take_back": TakeBack,
    "enter_model": EnterModel,
    "void_lap": VoidLap,
    "restore_lap": RestoreLap,
    "add_penalty": AddPenalty,
    "add_crossing": AddCrossing,
    "drop_crossing": DropCrossing,
    "assign_crossing": AssignCrossing,
    "assign_transponder": AssignTransponder,
    "dismiss": DismissProposal,
    "reassign": ReassignRun,
    "hand_time": HandTime,
    "hand_crossing": HandCrossing,
    "replace_crossing": ReplaceCrossing,
    "restore_proposal": RestoreProposal,
    "disqualify": Disqualify,
    "reinstate": Reinstate,
    "official": Official,
    "reopen_results": ReopenResults,
    "undo": UndoLast,
    "order": OrderCar,
    "stop_all": StopAll,
    "release_stop": ReleaseStop,
    "set_mode": SetMode,
    "set_clock": SetClock,
    "try_gate": TryGate,
    "queue": QueueRacer,
    "move_in_queue": MoveInQueue,
    "call_next": CallNext,
    "no_show": MarkNoShow,
    "leave_queue": LeaveQueue,
    "rerun": Rerun,
    "stage": StageRun,
    "relaunch": Relaunch,
    "pause": PauseRace,
    "continue": ContinueRace,
    "dnf": MarkDnf,
    "submit": SubmitRun,
    "discard": DiscardRun,
    "create_event": CreateEvent,
    "change_event": ChangeEvent,
    "create_race": CreateRace,
    "change_race": ChangeRace,
    "switch_race": SwitchRace,
    "close_race": CloseRace,
    "reopen_race": ReopenRace,
    "add_racer": AddRacer,
    "change_racer": ChangeRacer,
    "remove_racer": RemoveRacer,
    "merge_racers": MergeRacers,
    "check_in": CheckIn,
    "import_racers": ImportRacers,
    "add_car": AddCar,
    "change_car": ChangeCar,
    "remove_car": RemoveCar,
}
