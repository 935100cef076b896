"""Races for the core, drawn from a seed, with gates that the simulated meetings do not have.

Transponders on a decoder's loop with several cars at once, two timing systems at one line, sensors in line with a split
gate and cars that roll back, and a station that is restarted in the middle of a run. Each race is a list of inputs
in order of time.
"""

import random
from collections.abc import Callable

from shared.rules.ranking import RaceRules
from station.core import inputs as e

S, MS = 1_000_000_000, 1_000_000
UTC_NS = 1_790_000_000 * S
BOOT, BACKUP_BOOT = "boot-1", "backup-1"
BACKUP_ZERO_NS = 7_000 * S  # the backup's clock began so much earlier
BLOCKED_NS = 120 * MS

Timed = list[tuple[int, e.Input]]


def moment(at_ns: int, boot: str = BOOT) -> e.Moment:
    """The station's clock."""
    return e.Moment(boot, at_ns, UTC_NS + at_ns)


class DrawnRace:
    """Inputs with the time at which the station receives them; `inputs` sorts them, with a tick each 0.5 s."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)
        self.timed: Timed = []
        self._numbers: dict[str, int] = {}

    def at(self, at_ns: int, given: e.Input) -> None:
        self.timed.append((at_ns, given))

    def begin(self, rules: RaceRules, *gates: e.GateSpec, cars: int = 1, known: tuple[e.Transponder, ...] = ()) -> None:
        self.at(0, e.Booted(moment(0), "station", gates, known))
        self.at(1, e.OpenRace(moment(1), "race", "A race", rules, cars_on_track=cars))

    def run(self, number: int, at_ns: int, *, by_hand: bool = False) -> str:
        """Opens a run and starts it a second later."""
        run_id, start_ns = f"run-{number}", at_ns + S
        racer, car = f"Racer {number}", f"car-{number}"
        self.at(at_ns, e.OpenRun(author="starter", racer=racer, car=car, run_id=run_id, moment=moment(at_ns)))
        self.at(start_ns, e.StartRun(author="starter", run_id=run_id, by_hand=by_hand, moment=moment(start_ns)))
        return run_id

    def passed(self, at_ns: int, gate: str = "start", sensors: tuple[str, ...] = ("beam",), apart_ns: int = 0) -> None:
        """A car breaks each sensor for a while, in this order."""
        for place, sensor in enumerate(sensors):
            begun_ns = at_ns + place * apart_ns
            self.at(begun_ns, self.edge(gate, sensor, begun_ns))
            self.at(begun_ns + BLOCKED_NS, self.edge(gate, sensor, begun_ns + BLOCKED_NS, broken=False))

    def edge(
        self, gate: str, sensor: str, at_ns: int, boot: str = BOOT, *, broken: bool = True, tag: str = ""
    ) -> e.Edge:
        return e.Edge(gate, sensor, broken, at_ns, 0, boot, transponder=tag)

    def inputs(self) -> list[e.Input]:
        """The inputs in order of time; edges get their numbers here, as a gate counts them."""
        end_ns = max(at_ns for at_ns, _ in self.timed) + 5 * S
        ticks: Timed = [(at_ns, e.Tick(moment(at_ns))) for at_ns in range(2 * S, end_ns, S // 2)]
        return [self._numbered(given) for _, given in sorted(self.timed + ticks, key=lambda each: each[0])]

    def _numbered(self, given: e.Input) -> e.Input:
        if not isinstance(given, e.Edge):
            return given
        number = self._numbers[given.boot] = self._numbers.get(given.boot, 0) + 1
        return e.Edge(
            given.gate, given.sensor, given.broken, given.at_ns, number, given.boot, transponder=given.transponder
        )


def transponders(seed: str) -> list[e.Input]:
    """Three cars on a loop: one id gets its owner in mid-race, one car has two ids, some passes are not read."""
    race = DrawnRace(seed)
    known = (e.Transponder("1001", car="car-1"), e.Transponder("1002", car="car-1"), e.Transponder("2001", car="car-2"))
    rules = RaceRules(method="total_time", consecutive_laps=3, max_laps=6, attempts_per_racer=2)
    race.begin(rules, e.GateSpec("start", sensors=("loop",), lockout_ns=300 * MS), cars=3, known=known)
    for number, tags in enumerate((("1001", "1002"), ("2001",), ("00000BB9",)), 1):
        race.run(number, 2 * S)
        at_ns = 4 * S + race.rng.randint(0, 3 * S)
        for _ in range(7):
            for tag in tags:
                if race.rng.random() > 0.1:
                    read_ns = at_ns + race.rng.randint(0, 30 * MS)
                    race.at(read_ns, race.edge("start", "loop", read_ns, f"{BOOT}/loop.1", tag=tag))
            at_ns += race.rng.randint(7 * S, 10 * S)
    named_at = moment(31 * S)
    race.at(
        31 * S, e.AssignTransponder(author="judge", transponder="3001", car="car-3", reason="looked", moment=named_at)
    )
    for number in (1, 2, 3):
        end_ns = 80 * S + number
        race.at(end_ns, e.FinishRun(author="judge", run_id=f"run-{number}", moment=moment(end_ns)))
    return race.inputs()


def backup_timing(seed: str) -> list[e.Input]:
    """System B at the same line on a clock of its own; system A misses one pass of six."""
    race = DrawnRace(seed)
    race.begin(RaceRules(max_laps=12), e.GateSpec("start"), e.GateSpec("spare", system="B"))
    race.at(1, e.ClockPair(e.Moment(BACKUP_BOOT, BACKUP_ZERO_NS, UTC_NS + 20 * MS)))
    race.run(1, 2 * S)
    at_ns = 4 * S
    for lap in range(13):
        if lap < 4 or race.rng.random() > 1 / 6:
            race.passed(at_ns)
        late_ns = at_ns + race.rng.randint(-50_000, 50_000)
        for stamp_ns, broken in ((late_ns, True), (late_ns + BLOCKED_NS, False)):
            edge = race.edge("spare", "beam", BACKUP_ZERO_NS + stamp_ns, BACKUP_BOOT, broken=broken)
            race.at(stamp_ns, edge)
        at_ns += race.rng.randint(7 * S, 9 * S)
    return race.inputs()


def in_line(seed: str) -> list[e.Input]:
    """Two sensors in line give direction and speed; lap 1 begins with the signal; incidents, and a car rolls back."""
    race = DrawnRace(seed)
    rules = RaceRules(
        method="best_lap",
        consecutive_laps=1,
        time_limit_s=60.0,
        off_track_penalty_s=1.5,
        collision_penalty_s=2.0,
        max_resets_per_lap=1,
        lap_1_from="signal",
        at_time_limit="finish_lap",
    )
    start = e.GateSpec("start", sensors=("front", "rear"), baseline_mm=100, layout="in_line")
    race.begin(rules, start, e.GateSpec("half", kind="split"))
    for number, begin_ns in ((1, 2 * S), (2, 100 * S)):
        race.run(number, begin_ns)
        at_ns = begin_ns + 3 * S
        while at_ns < begin_ns + 80 * S:
            forward = race.rng.random() > 0.15
            sensors = ("front", "rear") if forward else ("rear", "front")
            race.passed(at_ns, sensors=sensors, apart_ns=race.rng.randint(40, 60) * MS)
            race.passed(at_ns + 3 * S, gate="half")
            happened_ns = at_ns + race.rng.randint(S, 5 * S)
            kind = race.rng.choice((e.OffTrack, e.Collision, e.CarReset, None))
            if kind is not None:
                race.at(happened_ns, kind(author="marshal", at_ns=happened_ns, moment=moment(happened_ns)))
            at_ns += race.rng.randint(8 * S, 10 * S)
        end_ns = begin_ns + 90 * S
        race.at(end_ns, e.VoidLap(author="judge", number=2, run_id=f"run-{number}", moment=moment(end_ns)))
        race.at(
            end_ns + S,
            e.AddPenalty(author="judge", number=3, seconds=0.75, run_id=f"run-{number}", moment=moment(end_ns + S)),
        )
    return race.inputs()


def started_anew(seed: str) -> list[e.Input]:
    """The station is restarted in mid-run, on the same clock; hands break the beam, and officials rule on it."""
    race = DrawnRace(seed)
    gate = e.GateSpec("start")
    race.begin(RaceRules(consecutive_laps=2, max_laps=8), gate)
    race.run(1, 2 * S)
    at_ns = 4 * S
    for lap in range(9):
        race.passed(at_ns)
        if lap == 3:
            race.at(at_ns + S, e.Booted(moment(at_ns + S), "station", (gate,), start="again"))
        if race.rng.random() < 0.4:
            race.passed(at_ns + race.rng.randint(2 * S, 4 * S))  # a hand, or a marshal's foot
        at_ns += race.rng.randint(8 * S, 9 * S)
    race.at(90 * S, e.DropCrossing(author="judge", number=2, run_id="run-1", reason="a hand", moment=moment(90 * S)))
    race.at(91 * S, e.AddCrossing(author="judge", at_ns=70 * S, run_id="run-1", moment=moment(91 * S)))
    race.at(92 * S, e.FinishRun(author="judge", run_id="run-1", moment=moment(92 * S)))
    return race.inputs()


DRAWN: dict[str, Callable[[str], list[e.Input]]] = {
    "transponders": transponders,
    "backup timing": backup_timing,
    "sensors in line": in_line,
    "station started anew": started_anew,
}
