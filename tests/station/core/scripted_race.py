"""Scripts races on the engine for the core's tests: a station with one gate, and a short method for each event."""

import os
from collections.abc import Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.engine import Engine
from station.core.facts import CommandRefused, Fact, Lap
from station.core.runs.run import Run
from station.store.encoding import decode_input, encode_input

# Few examples in the fast tests, more in the slow ones; RACEDAY_EXAMPLES=2000 tries more in both.
EXAMPLES = int(os.environ.get("RACEDAY_EXAMPLES", "20"))
QUICK = settings(deadline=None, max_examples=EXAMPLES)
THOROUGH = settings(deadline=None, max_examples=3 * EXAMPLES)
S = 1_000_000_000
MS = 1_000_000
BOOT = "boot-a"
UTC = 1_700_000_000 * S
F = TypeVar("F")
T = TypeVar("T")


def moment(at_ns: int, boot: str = BOOT) -> e.Moment:
    return e.Moment(boot, at_ns, UTC + at_ns)


def refusal(facts: Sequence[Fact]) -> str:
    """The sentence with which a command was refused, "" if it was not."""
    return next((fact.sentence for fact in facts if isinstance(fact, CommandRefused)), "")


def only(facts: Sequence[Fact], kind: type[F]) -> list[F]:
    return [fact for fact in facts if isinstance(fact, kind)]


def corners(values: Sequence[T], *fast: T) -> list[Any]:
    """These values as parameters: the fast tests try only `fast`, the whole suite tries all of them."""
    return [value if value in fast else pytest.param(value, marks=pytest.mark.slow) for value in values]


class Hand:
    """Drives an engine that has a started station and a race. `inputs` and `facts`: all that went in and came out.

    `started` False: nothing has gone in yet.
    """

    def __init__(self, rules: RaceRules | None = None, *gates: e.GateSpec, started: bool = True) -> None:
        self.engine = Engine()
        self.inputs: list[e.Input] = []
        self.facts: list[tuple[Fact, ...]] = []
        self.seq = 0
        self.reports = 0
        if started:
            self.do(e.Booted(moment(0), "station-1", gates or (e.GateSpec("start"),)))
            self.do(e.OpenRace(moment(0), "race-1", "A race", rules or RaceRules()))

    def do(self, event: e.Input) -> tuple[Fact, ...]:
        self.inputs.append(event)
        self.facts.append(self.engine.handle(event))
        return self.facts[-1]

    def edge(
        self,
        at_ns: int,
        broken: bool = True,
        sensor: str = "beam",
        boot: str = BOOT,
        gate: str = "start",
        lost: int = 0,
    ) -> tuple[Fact, ...]:
        self.seq += 1 + lost
        return self.do(e.Edge(gate, sensor, broken, at_ns, self.seq, boot))

    def cross(self, at_ns: int, boot: str = BOOT, width_ns: int = 120 * MS) -> tuple[Fact, ...]:
        """A car crosses the line: the beam is broken for as long as a car of the usual length takes."""
        first = self.edge(at_ns, boot=boot)
        return first + self.edge(at_ns + width_ns, broken=False, boot=boot)

    def report(self, at_ns: int, lap_ns: int | None, taken_ns: int, boot: str = "car-boot") -> tuple[Fact, ...]:
        self.reports += 1
        return self.do(e.CarReport("car-1", boot, self.reports, at_ns, boot, moment(taken_ns), lap_ns, 30 * MS))

    def open(self, racer: str = "Ann", run_id: str = "", at_ns: int = 0, car: str = "car-1") -> tuple[Fact, ...]:
        return self.do(e.OpenRun(author="judge", racer=racer, car=car, run_id=run_id, moment=moment(at_ns)))

    def go(self, at_ns: int = 0) -> tuple[Fact, ...]:
        return self.do(e.StartRun(author="judge", moment=moment(at_ns)))

    def tick(self, at_ns: int, boot: str = BOOT) -> tuple[Fact, ...]:
        return self.do(e.Tick(moment(at_ns, boot)))

    def drive(self, stamps_s: Sequence[float], racer: str = "Ann") -> None:
        """Drives a run: it is opened and started, and its car crosses the line at these times."""
        self.open(racer, at_ns=round(stamps_s[0] * S) - S)
        self.go(round(stamps_s[0] * S) - S)
        for at_s in stamps_s:
            self.cross(round(at_s * S))

    def give(self, command: type[e.Command], at_ns: int, /, **fields: object) -> tuple[Fact, ...]:
        """An official gives a command of this kind."""
        return self.do(command(author="judge", moment=moment(at_ns), **fields))  # type: ignore[arg-type]

    def check_replay(self) -> None:
        """Asserts that what was stored of the inputs, read back, gives the same facts."""
        replayed = Engine()
        for event, facts in zip(self.inputs, self.facts, strict=True):
            if facts:
                assert replayed.handle(decode_input(encode_input(event))) == facts

    @property
    def run(self) -> Run:
        assert self.engine.run is not None
        return self.engine.run

    @property
    def laps(self) -> tuple[Lap, ...]:
        return self.run.book.laps()

    @property
    def lap_times(self) -> list[int]:
        return [lap.lap_ns for lap in self.laps]
