"""What comes into the core: edges, car reports, operator commands, the race's set-up, and the clock.

Every input is journaled and replays, by the name of its class. `Edge.at_ns` is on the clock of `Edge.boot` (whoever
saw it stamped it); everything else carries a `Moment`, one reading of the station's own clock. What comes out is in
facts.py. The whole vocabulary is here by one name (`from station.core import inputs as e`): commands are defined in
commands.py, everything else below. Example: `e.Edge("start", "beam", True, at_ns, seq, boot)` is a beam that was just
broken.
"""

from dataclasses import dataclass
from typing import Literal

from shared.rules.ranking import RaceRules
from station.core.commands import *
from station.core.moment import *

# The edition of the rules that inputs are judged by: a journal replays by the edition that it was written under.
# 2: names and transponders are compared in a normal form; run ids are unique over all races; a clock that is set right
# corrects earlier stamps.
# 3: a transponder that is assigned in another notation is the one that is known or was read; if its owner was wrong,
# the runs are counted again from everything that was read.
# 4: a transponder that is given to a car and a racer at once is refused; before, the racer was left out silently.
EDITION = 4
OFFICIATING = 5  # the edition of a new race's rules
ATTEMPTS = 5  # a race's edition from which a run without a score is told to the leaderboard too
DISCARDS = 4  # a race's edition from which a discarded run is told to the leaderboard as no attempt
HAND_TIMES = 3  # a race's edition from which a hand time is a witness of a missed crossing
REBOOTS = 2  # a race's edition from which the time of day of another boot cannot shorten its runs
GateKind = Literal["start_finish", "split"]
System = Literal["A", "B"]
Layout = Literal["", "unsaid", "single", "in_line", "side_by_side"]
Proof = Literal["", "pass", "level"]


@dataclass(frozen=True, slots=True)
class GateSpec:
    """How one gate is built; journaled at boot, so that a replay judges edges as they were judged then.

    `layout` of its sensors: "in_line", in the order in which a forward car meets them (that gives direction and, with
    `baseline_mm` between them, speed); "side_by_side" on one line, where either may be first; "unsaid": in line if a
    baseline is given, else side by side, so that no pass is lost for a direction that was never set; "": from a
    journal without layouts, when several sensors always stood in line.
    `lockout_ns` counts from the timing edge, over all sensors. `uncertainty_ns` is that of a single stamp. A gate of
    `system` "B" stands at the same line as A's, on another device. `proof`: what each sensor must have seen before a
    run can be armed: "pass", "level" (a beam that is free, broken for as long as a car takes, and free again), or
    nothing (""). `wiring` identifies the device and its settings: a gate that is wired differently is tested again.
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
        """Whether the order in which its sensors fire shows the direction of a car."""
        in_line = self.layout in ("", "in_line") or (self.layout == "unsaid" and self.baseline_mm > 0)
        return in_line and len(self.sensors) > 1


@dataclass(frozen=True, slots=True)
class Edge:
    """One level change of one sensor, stamped by whoever saw it.

    `at_ns` is on the monotonic clock of `boot`. `seq` counts per gate and boot without gaps, from any start.
    `uncertainty_ns` is this stamp's own, if the driver knows it: the larger of it and the gate's is published.
    `transponder`: the id that a decoder read, "" if it reads none.
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
    """A car's own report that it passed the gate: a witness, never a crossing.

    `boot` and `seq` are those of the message's envelope, and the same in a repeat. `at_ns` is on the clock of
    `car_boot`. `taken` is when the station first received the report, which is always after the passing.
    `decided_at_ns`: when the car knew of it, on the same clock as `at_ns`; 0: it did not say.
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
    decided_at_ns: int = later(0)


@dataclass(frozen=True, slots=True)
class CarModel:
    """The model that a car reports it drives with, whenever that changes. `online` False: the car is gone."""

    moment: Moment
    car: str
    online: bool
    model: str
    model_sha256: str


@dataclass(frozen=True, slots=True)
class Transponder:
    """A transponder's owner: a car, or a racer who carries it from car to car; the other of the two is ""."""

    id: str
    car: str = ""
    racer: str = ""


@dataclass(frozen=True, slots=True)
class Booted:
    """The station's process has started: its name, how its gates are built, and the owners of known transponders.

    `edition`: the rules by which everything that follows is judged, so that an old journal gives its old facts.
    Journals that name none are of the first edition, which compared names and transponders letter by letter.

    `start` is drawn at random at each start: two continuations of one journal, one of them from a backup, never share
    it. `clock_trusted`: as `trusted` of a ClockPair.
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
    """The journal's name: random, drawn once when the file is created.

    A journal that continues a damaged one names it: `old_journal`, its last good record `old_seq` with the hash
    `old_head` (hexadecimal), and `runs`, the highest run number that it gave.
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
    """One clock's monotonic time and UTC, read together, so that its stamps can be shown as times of day.

    `trusted`: this UTC is right as far as the machine knows (a time server disciplines its kernel's clock). `paced`:
    this clock does not run at the rate of real time (a mock world's may be faster), so its pairs never correct earlier
    stamps.
    """

    moment: Moment
    trusted: bool = later(True)
    paced: bool = later(False)


@dataclass(frozen=True, slots=True)
class GateReported:
    """A gate's driver reports that it is healthy or faulty. An unchanged repeat changes nothing."""

    moment: Moment
    gate: str
    healthy: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateNote:
    """What a gate's driver noticed about its device or line: it explains times, and changes none.

    `count`: how many numbers are missing, or bytes were dropped; `boot`: the boot of the edges that follow. The service
    stamps `moment` when it receives the note.
    """

    gate: str
    kind: NoteKind
    sentence: str
    count: int = 0
    boot: str = ""
    moment: Moment = NEVER


@dataclass(frozen=True, slots=True)
class OpenRace:
    """The race that runs belong to from now on. An unchanged repeat changes nothing.

    `cars_on_track`: how many runs may be on at the same time. `ties_by_uncertainty`: results that their uncertainty
    cannot tell apart are tied (older races tied only equal ones). `officiating`: the edition of the race's rules; from
    1 on, a lap that is much too short is held, a missed crossing is proposed, and a model is what the car reports;
    from 2 on (`REBOOTS`), the time of day of another boot of the station cannot shorten a run; from 3 on
    (`HAND_TIMES`), a hand time is a witness of a missed crossing, very long laps are asked about, and a refusal names
    the commands of a run's procedure too; from 5 on (`ATTEMPTS`), a run without a score is a result too, which is shown
    and not ranked. `submit_after_s`: how long after its end a run's result is submitted by the
    station, in s; 0: at once; negative: only by an official. `official_by_two`: to declare results official, and to
    open them again, takes two people.
    """

    moment: Moment
    race_id: str
    name: str
    rules: RaceRules
    track: str = ""
    kind: Literal["physical", "virtual"] = "physical"
    cars_on_track: int = later(1)
    ties_by_uncertainty: bool = later(False)
    officiating: int = later(OFFICIATING, meant=0)
    submit_after_s: float = later(0.0)
    official_by_two: bool = later(False)


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. A tick that yields no facts changes nothing."""

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
