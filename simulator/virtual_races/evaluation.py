"""`evaluate_runs` and `evaluate_heats`: the functions that evaluate models. Conditions, seeds, models in; runs out.

The same in, the same out. The farm, `raceday verify`, the choice among checkpoints and a racer at home call them. Runs
are driven in lock-step, each in a world of its own, or two in one; what happens in one depends on conditions, seed and
models alone. It knows no clock but the world's. A model is not trusted: callers that do not own it call it in a child
(isolated.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shared.conditions import Conditions
from shared.rules.ranking import RunLap
from shared.traces.trace import NO_CHOICE, DriveTrace
from simulator.batch.vector import BatchWorlds
from simulator.objects.lanes import lanes_of
from simulator.virtual_races.entrant import AnyEntrant, Chosen
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict, RivalRun, ahead_after
from simulator.virtual_races.judging.run_book import RunBook, RunEnd
from simulator.virtual_races.judging.run_judge import RunJudge
from simulator.virtual_races.recorder import FrameRecorder
from simulator.virtual_races.run_senses import RunSenses
from simulator.virtual_races.worlds import STAGGER_M, require_drivable, start_places, world_of
from simulator.world.world import START_BEFORE_LINE_M
from vehicle.models.metadata import HEIGHT, WIDTH

_NOTHING_CHOSEN: Chosen = (NO_CHOICE, 0.0, 0.0)


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


def evaluate_run(conditions: Conditions, seed: int, model: AnyEntrant) -> VirtualRun:
    """Drive one run. Raises BadInput for conditions that this world cannot make, or a model that does not answer."""
    return evaluate_runs(conditions, (seed,), model)[0]


@dataclass(frozen=True, slots=True)
class DrivenHeat:
    """Two models in one world: the run of each, and who is ahead. `in_front`: which of them started in front."""

    seed: int
    in_front: int
    runs: tuple[VirtualRun, VirtualRun]
    verdict: HeadToHeadVerdict


def evaluate_runs(conditions: Conditions, seeds: Sequence[int], model: AnyEntrant) -> tuple[VirtualRun, ...]:
    """Drive one run for each seed, in lock-step. Raises BadInput as `evaluate_run` does."""
    track = require_drivable(conditions)
    worlds = BatchWorlds([world_of(conditions, track, seed) for seed in seeds], (WIDTH, HEIGHT))
    try:
        books = [RunBook(conditions, track.length_m, START_BEFORE_LINE_M) for _ in seeds]
        return _Drive(conditions, tuple(seeds), [model] * len(seeds), worlds, books).drive()
    finally:
        worlds.close()


def evaluate_heats(
    conditions: Conditions, seeds: Sequence[int], models: tuple[AnyEntrant, AnyEntrant]
) -> tuple[DrivenHeat, ...]:
    """Let two models drive against each other, once for each seed; they take turns at starting in front.

    Penalties are served: the other one drives on meanwhile. Raises BadInput as `evaluate_run` does.
    """
    track = require_drivable(conditions)
    specs = []
    for heat, seed in enumerate(seeds):
        spec = world_of(conditions, track, seed)
        specs += [replace(spec, rival=2 * heat + 1), replace(spec, rival=2 * heat)]
    worlds = BatchWorlds(specs, (WIDTH, HEIGHT))
    try:
        books = []
        places = [track.locate(pose.x, pose.y) for pose in start_places(lanes_of(track))]
        for run in range(len(specs)):
            place = (run + run // 2) % 2
            worlds.put_at(places[place].s_m, places[place].lateral_m, worlds=[run])
            before_m = START_BEFORE_LINE_M + place * STAGGER_M
            books.append(RunBook(conditions, track.length_m, before_m, served=True))
        each_seed = tuple(seed for seed in seeds for _ in models)
        runs = _Drive(conditions, each_seed, [*models] * len(seeds), worlds, books).drive()
    finally:
        worlds.close()
    laps = min(conditions.laps, conditions.rules.max_laps or conditions.laps)
    heats = []
    for heat, seed in enumerate(seeds):
        pair = slice(2 * heat, 2 * heat + 2)
        rivals = [RivalRun(tuple(book.crossings_ns), book.reached_m, book.reached_ns) for book in books[pair]]
        first, second = runs[pair]
        heats.append(DrivenHeat(seed, heat % 2, (first, second), ahead_after(rivals, laps)))
    return tuple(heats)


class _Drive:
    """Runs while they are driven, each by its own model."""

    def __init__(
        self,
        conditions: Conditions,
        seeds: tuple[int, ...],
        models: Sequence[AnyEntrant],
        worlds: BatchWorlds,
        books: Sequence[RunBook],
    ) -> None:
        self._conditions, self._seeds, self._models, self._worlds = conditions, seeds, models, worlds
        self._judge = RunJudge(worlds, books, conditions.rules)
        self._recorder = FrameRecorder(worlds, worlds.specs[0].track)
        self._senses = RunSenses(worlds, models)
        self._commands = np.zeros((len(seeds), 2))
        self._chosen: list[Chosen] = [_NOTHING_CHOSEN] * len(seeds)

    def drive(self) -> tuple[VirtualRun, ...]:
        """Frame by frame until each run has ended."""
        books = self._judge.books
        active = list(range(len(self._seeds)))
        while active:
            self._answer(active)
            events = self._worlds.step(self._commands, active)
            self._recorder.look()
            self._judge.judge(active, events)
            for run in active:
                if (end := books[run].end) is not None:
                    status = "time_up" if end == "time" else self._judge.statuses[run]
                    self._recorder.write(run, self._chosen[run], status)
            active = [run for run in active if books[run].end is None]
        return tuple(self._record(run) for run in range(len(self._seeds)))

    def _answer(self, active: Sequence[int]) -> None:
        """Show each model its frame; write down the frame with what it chose. Whoever stands is not asked."""
        driving = [run for run in active if not self._judge.stands(run)]
        self._senses.look(driving)
        for run in active:
            model, stands = self._models[run], self._judge.stands(run)
            chosen = self._chosen[run] = _NOTHING_CHOSEN if stands else self._senses.ask(run)
            self._commands[run] = (0.0, 0.0) if stands else model.command(chosen)
            self._recorder.write(run, chosen, self._judge.statuses[run])

    def _record(self, run: int) -> VirtualRun:
        book = self._judge.books[run]
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
