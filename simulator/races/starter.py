"""A racer's turn as a generator: the car is called, armed, started, driven, and taken off the track."""

import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

from shared.units import NS_PER_MS, NS_PER_S
from shared.virtual_time import VirtualTime
from simulator.races.physical.ground_truth import GroundTruth
from simulator.races.physical.racers import DrivenLap, SimRacer, drive_lap
from simulator.races.physical.sim_car import SimCar
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


class OfficialsStation(Protocol):
    """The station as officials use it: None means that it does not answer now."""

    def give(self, command: e.Command) -> Accepted | Declined | None: ...
    def run(self) -> RunView | None: ...
    def stamp(self, virtual_ns: int) -> int:
        """The station's clock reading (ns) at a true time."""


@dataclass(frozen=True, slots=True)
class RacerTurn:
    """One racer's turn on the track."""

    run_id: str
    race: PlannedRace
    racer: SimRacer


class Starter:
    """Runs the turns on the track, one after the other."""

    def __init__(
        self,
        virtual_time: VirtualTime,
        station: OfficialsStation,
        truth: GroundTruth,
        cars: dict[str, SimCar],
        rng: random.Random,
    ) -> None:
        self.on_track: RacerTurn | None = None
        self._virtual_time, self._station, self._truth, self._cars, self._rng = virtual_time, station, truth, cars, rng

    def hold(self, turn: RacerTurn) -> Iterator[int]:
        """Run a whole turn, from the call to the empty track. Yields pauses in ns."""
        car = self._cars[turn.racer.car]
        car.load(turn.racer.model, turn.racer.model_sha256)
        car.on_duty(self._virtual_time.now_ns + 90 * NS_PER_S)
        if not (yield from self._insist(_opening(turn))):
            return
        self.on_track = turn
        yield from self._wait_for(car, ("ready",), e.ArmRun(author="starter"))
        yield from self._start(car)
        yield from self._wait_for(car, ("driving",), e.ResumeRun(author="starter"))
        car.take_stall_ns()
        car.gets_away()
        yield self._between(2.0, 6.0)
        yield from self._drive(turn, car)
        yield from self._off_the_track(turn, car)

    def _start(self, car: SimCar) -> Iterator[int]:
        """Give the start; a car whose message about its model was lost sends it again."""
        for _ in range(PATIENCE):
            if (yield from self._insist(e.StartRun(author="starter"))):
                return
            car.load(car.model, car.model_sha256)
            yield RETRY_NS
        yield from self._insist(e.StartRun(author="starter", by_hand=True, reason="the car does not answer"))

    def _drive(self, turn: RacerTurn, car: SimCar) -> Iterator[int]:
        car.forget_last_pass()
        speed_mps = turn.racer.line_speed_mps
        while True:
            self._truth.car_passes(car, turn.run_id, speed_mps)
            car.on_duty(self._virtual_time.now_ns + 90 * NS_PER_S)
            yield 500 * NS_PER_MS  # the starter checks the screen
            if self._is_over(turn):
                return
            lap = drive_lap(turn.racer, self._rng)
            self._call_out(lap)
            if lap.duration_ns is None:
                yield lap.troubles[-1].into_ns if lap.troubles else self._between(1.0, 6.0)
                return
            yield lap.duration_ns - 500 * NS_PER_MS
            if not (yield from self._gets_round(turn, car)):
                return
            speed_mps = lap.speed_mps

    def _gets_round(self, turn: RacerTurn, car: SimCar) -> Generator[int, None, bool]:
        """Complete the lap: a trip costs time; when the run is over, most cars stop before the line."""
        for _ in range(PATIENCE):
            if not car.stands:
                break
            yield NS_PER_S + 1
        if car.stands:
            return False
        while stalled_ns := car.take_stall_ns():
            yield stalled_ns
        return not self._is_over(turn) or self._rng.random() < 0.3

    def _off_the_track(self, turn: RacerTurn, car: SimCar) -> Iterator[int]:
        """End the run if it has not ended, and carry the car back."""
        yield self._between(1.0, 8.0)
        if not self._is_over(turn):
            end = e.AbandonRun if self._rng.random() < 0.1 else e.FinishRun
            yield from self._insist(end(author="starter", reason="the car does not go on"))
        self.on_track = None
        car.gets_away()
        car.take_stall_ns()
        yield self._between(5.0, 20.0)

    def _is_over(self, turn: RacerTurn) -> bool:
        run = self._station.run()
        return run is not None and run.run_id == turn.run_id and run.phase == "finished"

    def _call_out(self, lap: DrivenLap) -> None:
        """Report each incident a moment later, as an official does; half of the reports state its time."""
        for trouble in lap.troubles:
            happened_ns = self._virtual_time.now_ns + trouble.into_ns
            spoken_ns = happened_ns + self._between(0.2, 4.0)
            states_time = self._rng.random() < 0.5
            self._virtual_time.at(spoken_ns, lambda t=trouble.kind, h=happened_ns, w=states_time: self._call(t, h, w))  # type: ignore[misc]

    def _call(self, kind: str, happened_ns: int, states_time: bool) -> None:
        at_ns = self._station.stamp(happened_ns) if states_time else None
        command = INCIDENTS[kind](author="marshal", at_ns=at_ns)
        if self._station.give(command) is None and states_time:
            self._virtual_time.follow(self._insist_quietly(command))

    def _insist_quietly(self, command: e.Command) -> Iterator[int]:
        yield RETRY_NS
        yield from self._insist(command)

    def _insist(self, command: e.Command) -> Generator[int, None, bool]:
        """Repeat a command until the station answers; True if it was accepted."""
        for _ in range(PATIENCE):
            answer = self._station.give(command)
            if answer is not None:
                return isinstance(answer, Accepted)
            yield RETRY_NS
        return False

    def _wait_for(self, car: SimCar, modes: tuple[str, ...], again: e.Command) -> Iterator[int]:
        """Wait until the car reports one of the modes; repeat the command `again` every 12 s."""
        for tries in range(PATIENCE):
            if car.mode in modes:
                return
            if tries and tries % 12 == 0:
                self._station.give(again)
            yield NS_PER_S

    def _between(self, min_s: float, max_s: float) -> int:
        return round(self._rng.uniform(min_s, max_s) * NS_PER_S)


def _opening(turn: RacerTurn) -> e.OpenRun:
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
