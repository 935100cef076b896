"""What comes into the core: edges, car reports, operator commands, the race's set-up, and the clock.

Every input is journaled and replays. `Edge.at_ns` is on the clock of `Edge.boot` (whoever saw it stamped it);
everything else carries a `Moment`, one reading of the station's own clock. What comes out is in facts.py.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from shared.ranking import RaceRules

GateKind = Literal["start_finish", "split"]
System = Literal["A", "B"]
CarOrder = Literal["arm", "start", "stop", "estop", "reset"]
Mode = Literal["race", "test"]
NoteKind = Literal["missed_numbers", "clock_jump", "restart", "wrap", "dropped_bytes"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the station's clock: monotonic ns with the boot they belong to, and UTC beside them (display)."""

    boot: str
    at_ns: int
    utc_ns: int


def later(default: Any) -> Any:
    """A field that came after journals were written: it is stored only where it differs from what they meant."""
    return field(default=default, metadata={"later": True})


def clock_of(boot: str) -> str:
    """Whose ns a boot counts. A gate with a count of its own on the station's clock is "STATION-BOOT/DEVICE-BOOT"."""
    return boot.partition("/")[0]


NEVER = Moment("", 0, 0)  # what a command carries before the service stamps it


@dataclass(frozen=True, slots=True)
class GateSpec:
    """How one gate is built; journaled at boot, so that a replay judges edges as they were judged.

    `sensors` in the order in which a forward car meets them; with two, `baseline_mm` apart, direction and speed
    are known. `lockout_ns` counts from the timing edge, over all sensors. `uncertainty_ns` of one stamp. A gate of
    `system` "B" stands at the same line as A's, on another device.
    """

    name: str
    sensors: tuple[str, ...] = ("beam",)
    kind: GateKind = "start_finish"
    lockout_ns: int = 1_000_000_000
    stuck_ns: int = 5_000_000_000
    uncertainty_ns: int = 1_000
    baseline_mm: int = 0
    min_width_ns: int = 0
    max_width_ns: int = 2_000_000_000
    system: System = "A"


@dataclass(frozen=True, slots=True)
class Edge:
    """One level change of one sensor, stamped by whoever saw it.

    `at_ns` is on the monotonic clock of `boot`. `seq` counts per gate and boot without gaps, from any start.
    `uncertainty_ns` is this stamp's own, where the driver knows it: the larger of it and the gate's is published.
    `transponder`: whose id a decoder read, "" where it reads none.
    """

    gate: str
    sensor: str
    broken: bool
    at_ns: int
    seq: int
    boot: str
    uncertainty_ns: int = 0
    transponder: str = later("")


@dataclass(frozen=True, slots=True)
class CarReport:
    """A car's own word for having passed the gate: a witness. `boot`, `seq` are its envelope's (repeats repeat them).

    `at_ns` is on the clock of `car_boot`. `taken` is when the station first heard it: never before it happened.
    """

    car: str
    boot: str
    seq: int
    at_ns: int
    car_boot: str
    taken: Moment
    lap_ns: int | None = None
    uncertainty_ns: int = 0
    board_id: int = 0
    frames_seen: int = 0


@dataclass(frozen=True, slots=True)
class Transponder:
    """Whose transponder it is: a car's, or a racer's who carries it from car to car; the other one is ""."""

    id: str
    car: str = ""
    racer: str = ""


@dataclass(frozen=True, slots=True)
class Booted:
    """The station's process has started: its name, how its gates are built, and whose transponders they read."""

    moment: Moment
    station: str
    gates: tuple[GateSpec, ...]
    transponders: tuple[Transponder, ...] = later(())


@dataclass(frozen=True, slots=True)
class ClockPair:
    """A sampled monotonic/UTC pair, so that a stamp can be shown as a time of day."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class GateReported:
    """A gate's driver says that it is well, or is not. Given again unchanged it changes nothing."""

    moment: Moment
    gate: str
    healthy: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateNote:
    """What a gate's driver noticed of its device and its line: it explains times, and changes none.

    `count` of what is missing or was dropped; `boot`: the boot that begins with it, or goes on. The service stamps
    `moment` when it takes the note.
    """

    gate: str
    kind: NoteKind
    sentence: str
    count: int = 0
    boot: str = ""
    moment: Moment = NEVER


@dataclass(frozen=True, slots=True)
class OpenRace:
    """The race that runs from now on belong to. Given again unchanged it changes nothing.

    `cars_on_track`: so many runs may be on at the same time. `ties_by_uncertainty`: results that their uncertainty
    cannot tell apart are tied (races before this was so knew only equal ones).
    """

    moment: Moment
    race_id: str
    name: str
    rules: RaceRules
    track: str = ""
    kind: Literal["physical", "virtual"] = "physical"
    cars_on_track: int = later(1)
    ties_by_uncertainty: bool = later(False)


@dataclass(frozen=True, slots=True)
class Tick:
    """Time goes by. A tick that yields no facts changes nothing."""

    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What an official orders. The service stamps `moment` when it takes the command."""

    author: str
    reason: str = ""
    moment: Moment = field(default=NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun(Command):
    """A racer's turn begins: phase armed; the car gets its lease and the order to arm. `run_id` "" = numbered.

    On a gate that is not fit it is refused, unless `override_reason` says why it shall be armed all the same.
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
    """The car may go. From now the next start/finish crossing begins lap 1; crossings before do not count."""

    run_id: str = later("")


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
class VoidLap(Command):
    """Lap `number` does not count. `run_id` "" is the run on the track or else the last one; so below."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreLap(Command):
    """Lap `number` counts after all (takes back VoidLap; a lap void by rule stays void)."""

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
    """The crossing that ended lap `number` was false: that lap and the next become one."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCrossing(Command):
    """The doubtful crossing `number` was the run's: it counts at its own stamp."""

    number: int
    run_id: str = ""


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
class HandTap(Command):
    """An official saw the car pass the gate now: a witness, never a crossing by itself."""

    run_id: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCar(Command):
    """An order to one car by hand. `estop` goes out before it is stored; all others after."""

    car: str
    action: CarOrder
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode(Command):
    """Test mode: crossings are shown and reach no race, and no run can be armed. Race mode: the other epoch."""

    mode: Mode


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
    "void_lap": VoidLap,
    "restore_lap": RestoreLap,
    "add_penalty": AddPenalty,
    "add_crossing": AddCrossing,
    "drop_crossing": DropCrossing,
    "give_crossing": GiveCrossing,
    "dismiss": DismissProposal,
    "reassign": ReassignRun,
    "hand_tap": HandTap,
    "order": OrderCar,
    "set_mode": SetMode,
}

Input = Edge | CarReport | Booted | ClockPair | GateReported | GateNote | OpenRace | Tick | Command
