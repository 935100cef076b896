"""`evaluate_runs`: the one function that evaluates a model. Conditions, seeds, model in; runs out, always the same.

The farm, `raceday verify`, the choice among checkpoints and a racer at home call it. The runs of a model are driven in
lock-step, each in a world of its own; what happens in one depends on conditions, seed and model alone. It knows no
clock but the world's. A model is not trusted: callers that do not own it call it in a child (isolated.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.conditions import Conditions
from shared.rules.ranking import RunLap
from shared.traces.trace import NO_CHOICE, DriveTrace, Status
from shared.units import NS_PER_S
from simulator.batch.track_objects import BOX
from simulator.batch.vector import CRASHED, CROSSING, LEFT_TRACK, BatchWorlds, Events
from simulator.virtual_races.entrant import Chosen, Entrant
from simulator.virtual_races.faults import StuckCounter
from simulator.virtual_races.recorder import FrameRecorder
from simulator.virtual_races.run_book import FaultKind, RunBook, RunEnd
from simulator.virtual_races.worlds import require_drivable, world_of
from simulator.world.world import START_BEFORE_LINE_M
from vehicle.models.metadata import HEIGHT, WIDTH


@dataclass(frozen=True, slots=True)
class VirtualRun:
    """One run. `end`: its laps were driven, its time was up, or its resets were used up.

    `progress_ppm`: how far it came in the lap that it did not finish; `driven_ns`: without penalties; `frames`: how
    often the model was asked.
    """

    seed: int
    laps: tuple[RunLap, ...]
    end: RunEnd
    resets: int
    progress_ppm: int
    driven_ns: int
    frames: int
    trace: DriveTrace


def evaluate_run(conditions: Conditions, seed: int, model: Entrant) -> VirtualRun:
    """Drive one run. Raises BadInput for conditions that this world cannot make, or a model that does not answer."""
    return evaluate_runs(conditions, (seed,), model)[0]


def evaluate_runs(conditions: Conditions, seeds: Sequence[int], model: Entrant) -> tuple[VirtualRun, ...]:
    """Drive one run for each seed, in lock-step. Raises BadInput as `evaluate_run` does."""
    track = require_drivable(conditions)
    worlds = BatchWorlds([world_of(conditions, track, seed) for seed in seeds], (WIDTH, HEIGHT))
    try:
        return _Evaluation(conditions, tuple(seeds), model, worlds).drive()
    finally:
        worlds.close()


class _Evaluation:
    """The runs of one model while they are driven."""

    def __init__(self, conditions: Conditions, seeds: tuple[int, ...], model: Entrant, worlds: BatchWorlds) -> None:
        self._conditions, self._seeds, self._model, self._worlds = conditions, seeds, model, worlds
        track = worlds.specs[0].track
        self._books = [RunBook(conditions, track.length_m, START_BEFORE_LINE_M) for _ in seeds]
        self._stuck = StuckCounter(len(seeds))
        self._recorder = FrameRecorder(worlds, track)
        self._statuses: list[Status] = ["prepare"] * len(seeds)
        self._pictures: NDArray[np.uint8] = np.zeros((len(seeds), HEIGHT, WIDTH), np.uint8)
        self._commands = np.zeros((len(seeds), 2))
        self._chosen: list[Chosen] = [(NO_CHOICE, 0.0, 0.0)] * len(seeds)

    def drive(self) -> tuple[VirtualRun, ...]:
        """Frame by frame until each run has ended."""
        active = list(range(len(self._seeds)))
        while active:
            self._answer(active)
            events = self._worlds.step(self._commands, active)
            self._recorder.look()
            for run in active:
                self._judge(run, events[events["world"] == run])
            self._stuck.clear(run for run in active if self._statuses[run] != "in_progress")
            active = [run for run in active if self._books[run].end is None]
        return tuple(self._record(run) for run in range(len(self._seeds)))

    def _answer(self, active: Sequence[int]) -> None:
        """Show each model its frame; write down the frame with what it chose."""
        self._worlds.render(self._pictures, active)
        for run in active:
            chosen = self._chosen[run] = self._model.choose(self._pictures[run])
            self._commands[run] = self._model.command(chosen)
            self._recorder.write(run, chosen, self._statuses[run])

    def _judge(self, run: int, events: Events) -> None:
        """What the last frame interval means for the run."""
        book, at_ns = self._books[run], int(self._worlds.now_ns[run])
        progress_m = float(self._worlds.progress_m[run])
        left_ns = crashed_ns = None
        for event in events:
            if event["kind"] == LEFT_TRACK:
                left_ns = int(event["at_ns"])
            elif event["kind"] == CRASHED and crashed_ns is None and self._at_fault(run, event):
                crashed_ns = int(event["at_ns"])
            elif left_ns is None and crashed_ns is None and _is_start_line(event):
                book.cross(int(event["at_ns"]), progress_m)
        book.look(at_ns, progress_m)
        fault: FaultKind | None = "crashed" if crashed_ns is not None else self._fault(run)
        self._statuses[run] = fault or "in_progress"
        fault_ns = {"crashed": crashed_ns, "off_track": left_ns}.get(fault or "")
        if fault and book.fault(fault, at_ns if fault_ns is None else fault_ns, at_ns):
            self._worlds.put_back([run])
        if book.end is not None:
            self._recorder.write(run, self._chosen[run], "time_up" if book.end == "time" else self._statuses[run])

    def _at_fault(self, run: int, event: Any) -> bool:
        """True if the car ran into something; False if a bot ran into it, which then waits as long as the car would."""
        if int(event["direction"]) == 1 or int(self._worlds.objects["kind"][run, int(event["gate"])]) == BOX:
            return True
        self._worlds.pause_bots(run, self._conditions.rules.collision_penalty_ns / NS_PER_S)
        return False

    def _fault(self, run: int) -> FaultKind | None:
        if bool(self._worlds.off_track[run]):
            return "off_track"
        x, y, _ = self._worlds.pose[run].tolist()
        return self._stuck.look(run, float(self._worlds.progress_m[run]), x, y)

    def _record(self, run: int) -> VirtualRun:
        book = self._books[run]
        assert book.end is not None
        trace = self._recorder.trace(run, self._conditions, book.events)
        return VirtualRun(
            seed=self._seeds[run],
            laps=tuple(book.laps),
            end=book.end,
            resets=book.resets,
            progress_ppm=book.progress_ppm,
            driven_ns=int(self._worlds.now_ns[run]),
            frames=len(trace.frames) - 1,
            trace=trace,
        )


def _is_start_line(event: Any) -> bool:
    """True if the car crossed the start line forwards."""
    return bool(event["kind"] == CROSSING and event["gate"] == 0 and event["direction"] == 1)
