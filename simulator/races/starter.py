"""Racers' turns as stories: the car is called, armed, started, driven round, and taken off the track again."""

import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

from shared.units import NS_PER_MS, NS_PER_S
from simulator.races.physical.ground_truth import Hall
from simulator.races.physical.racers import DrivenLap, Racer, drive_lap
from simulator.races.physical.sim_car import CarRadio
from simulator.races.physical.virtual_time import Universe
from simulator.races.schedule import PlannedRace
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined
from station.views.race_views import RunView

RETRY_NS = 2 * NS_PER_S
PATIENCE = 45

INCIDENTS: dict[str, Callable[..., e.Command]] = {
    "off_track": e.OffTrack,
    "collision": e.Collision,
    "reset": e.CarReset,
}


class Desk(Protocol):
    """The station as officials meet it: None means that it does not answer now."""

    def give(self, command: e.Command) -> Accepted | Declined | None: ...
    def run(self) -> RunView | None: ...
    def stamp(self, universe_ns: int) -> int:
        """What the station's clock showed then."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One racer's go."""

    run_id: str
    race: PlannedRace
    racer: Racer


class Track:
    """Takes one turn after the other over the track."""

    def __init__(
        self, universe: Universe, desk: Desk, hall: Hall, radios: dict[str, CarRadio], rng: random.Random
    ) -> None:
        self.on_track: Turn | None = None
        self._universe, self._desk, self._hall, self._radios, self._rng = universe, desk, hall, radios, rng

    def hold(self, turn: Turn) -> Iterator[int]:
        """The whole turn, from the call to the empty track. Yields the ns that go by."""
        radio = self._radios[turn.racer.car]
        radio.load(turn.racer.model, turn.racer.model_sha256)
        radio.on_duty(self._universe.now_ns + 90 * NS_PER_S)
        if not (yield from self._insist(_opening(turn))):
            return
        self.on_track = turn
        yield from self._wait_for(radio, ("ready",), e.ArmRun(author="starter"))
        yield from self._start(radio)
        yield from self._wait_for(radio, ("driving",), e.ResumeRun(author="starter"))
        radio.take_stall_ns()
        radio.gets_away()
        yield self._between(2.0, 6.0)
        yield from self._drive(turn, radio)
        yield from self._off_the_track(turn, radio)

    def _start(self, radio: CarRadio) -> Iterator[int]:
        """A car whose word about its model was lost on the way says it again."""
        for _ in range(PATIENCE):
            if (yield from self._insist(e.StartRun(author="starter"))):
                return
            radio.load(radio.model, radio.model_sha256)
            yield RETRY_NS
        yield from self._insist(e.StartRun(author="starter", by_hand=True, reason="the car does not answer"))

    def _drive(self, turn: Turn, radio: CarRadio) -> Iterator[int]:
        radio.forget_last_pass()
        speed_mps = turn.racer.line_speed_mps
        while True:
            self._hall.car_passes(radio, turn.run_id, speed_mps)
            radio.on_duty(self._universe.now_ns + 90 * NS_PER_S)
            yield 500 * NS_PER_MS  # the starter looks up at the screen
            if self._is_over(turn):
                return
            lap = drive_lap(turn.racer, self._rng)
            self._call_out(lap)
            if lap.duration_ns is None:
                yield lap.troubles[-1].into_ns if lap.troubles else self._between(1.0, 6.0)
                return
            yield lap.duration_ns - 500 * NS_PER_MS
            if not (yield from self._gets_round(turn, radio)):
                return
            speed_mps = lap.speed_mps

    def _gets_round(self, turn: Turn, radio: CarRadio) -> Generator[int, None, bool]:
        """What came between: a trip costs time; a run that is over lets most cars stop before the line."""
        for _ in range(PATIENCE):
            if not radio.stands:
                break
            yield NS_PER_S + 1
        if radio.stands:
            return False
        while stalled_ns := radio.take_stall_ns():
            yield stalled_ns
        return not self._is_over(turn) or self._rng.random() < 0.3

    def _off_the_track(self, turn: Turn, radio: CarRadio) -> Iterator[int]:
        """The run ends if it has not yet, and the car is carried back."""
        yield self._between(1.0, 8.0)
        if not self._is_over(turn):
            end = e.AbandonRun if self._rng.random() < 0.1 else e.FinishRun
            yield from self._insist(end(author="starter", reason="the car does not go on"))
        self.on_track = None
        radio.gets_away()
        radio.take_stall_ns()
        yield self._between(5.0, 20.0)

    def _is_over(self, turn: Turn) -> bool:
        run = self._desk.run()
        return run is not None and run.run_id == turn.run_id and run.phase == "finished"

    def _call_out(self, lap: DrivenLap) -> None:
        """An official sees each trouble and calls it, a moment later; half of them say when it was."""
        for trouble in lap.troubles:
            happened_ns = self._universe.now_ns + trouble.into_ns
            spoken_ns = happened_ns + self._between(0.2, 4.0)
            says_when = self._rng.random() < 0.5
            self._universe.at(spoken_ns, lambda t=trouble.kind, h=happened_ns, w=says_when: self._call(t, h, w))  # type: ignore[misc]

    def _call(self, kind: str, happened_ns: int, says_when: bool) -> None:
        at_ns = self._desk.stamp(happened_ns) if says_when else None
        command = INCIDENTS[kind](author="marshal", at_ns=at_ns)
        if self._desk.give(command) is None and says_when:
            self._universe.follow(self._insist_quietly(command))

    def _insist_quietly(self, command: e.Command) -> Iterator[int]:
        yield RETRY_NS
        yield from self._insist(command)

    def _insist(self, command: e.Command) -> Generator[int, None, bool]:
        """Give it until the station answers; True if it was accepted. Someone who gets no answer asks again."""
        for _ in range(PATIENCE):
            answer = self._desk.give(command)
            if answer is not None:
                return isinstance(answer, Accepted)
            yield RETRY_NS
        return False

    def _wait_for(self, radio: CarRadio, modes: tuple[str, ...], again: e.Command) -> Iterator[int]:
        """Until the car shows it; a car that cannot be reached is switched by hand after a while."""
        for tries in range(PATIENCE):
            if radio.mode in modes:
                return
            if tries and tries % 12 == 0:
                self._desk.give(again)
            yield NS_PER_S

    def _between(self, least_s: float, most_s: float) -> int:
        return round(self._rng.uniform(least_s, most_s) * NS_PER_S)


def _opening(turn: Turn) -> e.OpenRun:
    racer = turn.racer
    return e.OpenRun(
        author="starter",
        racer=racer.name,
        car=racer.car,
        run_id=turn.run_id,
        model=racer.model,
        model_sha256=racer.model_sha256,
        throttle_percent=60,
    )
