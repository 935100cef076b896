"""What an official orders. Every command is an input: it is journaled, and replayed.

The page and scripts send them by name (COMMANDS); the service stamps and queues them; command_handlers.py does them.
Example: `OpenRun(author="judge", racer="Ann", car="car-1")` begins a run.
"""

from dataclasses import dataclass, field
from typing import Literal

from station.core.moment import NEVER, CarOrder, Mode, Moment, later


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What an official orders. The service stamps `moment` when it takes the command."""

    author: str
    reason: str = ""
    moment: Moment = field(default=NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun(Command):
    """A racer's turn begins: phase armed; the car gets its lease and the order to arm. `run_id` "" = numbered.

    On a gate that is not ready it is refused, unless `override_reason` says why it shall be armed all the same. `model`
    and `model_sha256` are the entry's: what the car reports must be that, and what it reports is what is posted.
    """

    racer: str
    car: str
    run_id: str = ""
    model: str = ""
    model_sha256: str = ""
    throttle_percent: int | None = None
    override_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRun(Command):
    """Order the car of the armed run to arm (again); `override_reason` as of OpenRun.

    `run_id` "" is the one run that is on, here and below; with several on, the command must name its run.
    """

    override_reason: str = ""
    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun(Command):
    """The car may go. From now the next start/finish crossing begins lap 1; crossings before do not count.

    `by_hand`: a person starts the car, which has no agent of ours or does not answer: no order and no lease goes to
    it, and the result says so.
    """

    run_id: str = later("")
    by_hand: bool = later(False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishRun(Command):
    """The run ends here; what it has counts."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonRun(Command):
    """The run ends here and does not count."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRun(Command):
    """The car tripped: reset and arm it, and start it again if the start was given; the lap goes on as it is."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class OffTrack(Command):
    """The car left the track; counts in the lap that was on at `at_ns` (None: now), on the station's clock."""

    at_ns: int | None = None
    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision(Command):
    """The car hit something; counts as OffTrack does."""

    at_ns: int | None = None
    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarReset(Command):
    """A marshal put the car back on the track; counts against `max_resets_per_lap`."""

    at_ns: int | None = None
    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Command):
    """One off track, collision or reset of lap `number` was none; None: the newest of that kind."""

    kind: Literal["off_track", "collision", "reset"]
    number: int | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterModel(Command):
    """The run's entry names another model: what its car has is allowed, and the record says who allowed it and why."""

    model: str
    model_sha256: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidLap(Command):
    """Lap `number` does not count. `run_id` "" is the run on the track or else the last one; so below."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreLap(Command):
    """Lap `number` counts after all: takes back VoidLap or a doubt about its crossing; void by rule stays void."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPenalty(Command):
    """Seconds on top of lap `number`; negative takes some back, never below zero in sum."""

    number: int
    seconds: float
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCrossing(Command):
    """A crossing that the gate missed, or one it flagged, counts: the lap around `at_ns` becomes two.

    `at_ns` is on the clock of the run's gate. A flagged crossing is taken when `at_ns` is its stamp exactly.
    """

    at_ns: int
    uncertainty_ns: int = 100_000_000
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCrossing(Command):
    """The crossing that ended lap `number` was false: that lap and the next become one.

    0 is the crossing that began lap 1: the run begins at the next one instead, and its time limit too.
    """

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCrossing(Command):
    """The doubtful crossing `number` was the run's: it counts at its own stamp."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTransponder(Command):
    """The `transponder` is on this `car`, or carried by this `racer`; with neither it is nobody's here.

    It stays so; what it passed in the run before counts for the run.
    """

    transponder: str
    car: str = ""
    racer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissProposal(Command):
    """What was proposed at `at_ns` of the gate's clock is not so: it is asked no more, and nothing changes."""

    at_ns: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignRun(Command):
    """The run was another racer's."""

    racer: str
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandTime(Command):
    """An official saw the car pass the gate now: a witness, never a crossing by itself."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCar(Command):
    """An order to one car by hand. `estop` goes out before it is stored; all others after."""

    car: str
    action: CarOrder
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAll(Command):
    """Every car stops, known or not, and none gets a lease until ReleaseStop. It goes out before it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStop(Command):
    """Cars may be armed again. None moves of it: each is led out of its stop by an order of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode(Command):
    """Test mode: crossings are shown and reach no race, and no run can be armed. Race mode: the other epoch."""

    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class TryGate(Command):
    """What a gate's passes have shown so far is forgotten: it is tested again, from the next pass on."""

    gate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClock(Command):
    """It is `utc_ms` (since 1970, UTC) now: the station's clock is not set. The machine's own stays as it is."""

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
    "order": OrderCar,
    "stop_all": StopAll,
    "release_stop": ReleaseStop,
    "set_mode": SetMode,
    "set_clock": SetClock,
    "try_gate": TryGate,
}
