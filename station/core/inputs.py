"""What comes into the core: edges, car reports, operator commands, the race's set-up, and the clock.

Every input is journaled and replays, by the name of its class. `Edge.at_ns` is on the clock of `Edge.boot` (whoever
saw it stamped it); everything else carries a `Moment`, one reading of the station's own clock. What comes out is in
facts.py. The whole vocabulary is here by one name (`from station.core import inputs as e`): commands are defined in
commands.py, all else below. Example: `e.Edge("start", "beam", True, at_ns, seq, boot)` is a beam that was broken.
"""

from dataclasses import dataclass
from typing import Literal

from shared.rules.ranking import RaceRules
from station.core.commands import *
from station.core.moment import *

# By which rules of this program an input was judged: a journal replays by those that it was written under. 2: names
# and transponders in a normal form; run ids over all races; a clock that is put right corrects what it stamped before.
# 3: a transponder that is given in another notation is the one that is known, or was read; where an owner was the wrong
# one, the runs are told anew from all that was read.
EDITION = 3
REBOOTS = 2  # the edition of a race from which no time of day of another boot takes anything from its runs
GateKind = Literal["start_finish", "split"]
System = Literal["A", "B"]
Layout = Literal["", "unsaid", "single", "in_line", "side_by_side"]
Proof = Literal["", "pass", "level"]


@dataclass(frozen=True, slots=True)
class GateSpec:
    """How one gate is built; journaled at boot, so that a replay judges edges as they were judged.

    `layout` of its sensors: "in_line", in the order in which a forward car meets them (that gives direction and, with
    `baseline_mm` between them, speed); "side_by_side" on one line, where either may be first; "unsaid": in line if a
    baseline is given, else side by side, so that no pass is lost for a direction that nobody asked for; "": of a
    journal from before this was said, when several sensors always stood in line.
    `lockout_ns` counts from the timing edge, over all sensors. `uncertainty_ns` of one stamp. A gate of `system` "B"
    stands at the same line as A's, on another device. `proof`: what each sensor must have seen before a run is armed:
    "pass", or "level": a beam that is free, broken for as long as a car takes, and free again. `wiring` tells devices
    and their settings apart: a gate that is wired again is tested again.
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
    layout: Layout = later("unsaid", meant="")  # noqa: RUF009  a field
    proof: Proof = later("")  # noqa: RUF009  a field
    wiring: str = later("")

    @property
    def directed(self) -> bool:
        """Whether the order in which its sensors fire tells the way that a car goes."""
        in_line = self.layout in ("", "in_line") or (self.layout == "unsaid" and self.baseline_mm > 0)
        return in_line and len(self.sensors) > 1


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
class CarModel:
    """What a car says that it drives, as soon as it is another model than before. `online` False: it speaks no more."""

    moment: Moment
    car: str
    online: bool
    model: str
    model_sha256: str


@dataclass(frozen=True, slots=True)
class Transponder:
    """Whose transponder it is: a car's, or a racer's who carries it from car to car; the other one is ""."""

    id: str
    car: str = ""
    racer: str = ""


@dataclass(frozen=True, slots=True)
class Booted:
    """The station's process has started: its name, how its gates are built, and whose transponders they read.

    `edition` of the rules by which all that follows is judged, so that an old journal makes its old facts. Journals
    that name none are of the first: there names and transponders were compared letter by letter.

    `start` is drawn at each start: two lives of one journal, one of them from a backup, never share it.
    `clock_trusted`: as of a ClockPair.
    """

    moment: Moment
    station: str
    gates: tuple[GateSpec, ...]
    transponders: tuple[Transponder, ...] = later(())
    edition: int = later(EDITION, meant=1)
    start: str = later("")
    clock_trusted: bool = later(True)


@dataclass(frozen=True, slots=True)
class JournalBegan:
    """The journal's name: random, made once with the file.

    A journal that goes on for a damaged one names it: `old_journal`, its last good record `old_seq` with the hash
    `old_head` (hexadecimal), and `runs`, the highest number that it gave to a run.
    """

    moment: Moment
    journal: str
    old_journal: str = ""
    old_seq: int = 0
    old_head: str = ""
    runs: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClockPair:
    """A sampled monotonic/UTC pair, so that a stamp can be shown as a time of day.

    `trusted`: this UTC is right as far as the machine can tell (its kernel is kept by a time server). `paced`: this
    clock does not go with the day (a mock world's may be faster), so its pairs never correct what was stamped before.
    """

    moment: Moment
    trusted: bool = later(True)
    paced: bool = later(False)


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

    `cars_on_track`: how many runs may be on at the same time. `ties_by_uncertainty`: results that their uncertainty
    cannot tell apart are tied (races before this was so knew only equal ones). `officiating`: its edition; from 1 on
    a lap that is much too short is held, a missed crossing is asked for, and a model is what the car reports; from 2 on
    (`REBOOTS`) nothing is taken from a run by the time of day of another boot of the station.
    """

    moment: Moment
    race_id: str
    name: str
    rules: RaceRules
    track: str = ""
    kind: Literal["physical", "virtual"] = "physical"
    cars_on_track: int = later(1)
    ties_by_uncertainty: bool = later(False)
    officiating: int = later(2, meant=0)


@dataclass(frozen=True, slots=True)
class Tick:
    """Time goes by. A tick that yields no facts changes nothing."""

    moment: Moment


Input = (
    Edge
    | CarReport
    | CarModel
    | Booted
    | JournalBegan
    | ClockPair
    | GateReported
    | GateNote
    | OpenRace
    | Tick
    | Command
)
