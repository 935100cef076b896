"""`evaluate_runs` and `evaluate_heats`: the functions that evaluate models. Conditions, seeds, models in; runs out.

The same in, the same out. The farm, `raceday verify`, the choice among checkpoints and a racer at home call them. Runs
are driven in lock-step, each in a world of its own, or two in one; what happens in one depends on conditions, seed and
models alone. It knows no clock but the world's. A model is not trusted: callers that do not own it call it in a child
(isolated.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.conditions import Conditions
from simulator.batch.vector import BatchWorlds, WorldSpec
from simulator.objects.lanes import lanes_of
from simulator.virtual_races.entrant import AnyEntrant
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict, RivalRun, ahead_after
from simulator.virtual_races.judging.run_book import RunBook, laps_of
from simulator.virtual_races.lock_step import PICTURE_SIZE, LockStepRuns, VirtualRun
from simulator.virtual_races.worlds import STAGGER_M, require_drivable, start_places, world_of
from simulator.world.geometry import Track
from simulator.world.world import START_BEFORE_LINE_M

__all__ = ["DrivenHeat", "VirtualRun", "evaluate_heats", "evaluate_run", "evaluate_runs"]


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
    worlds = BatchWorlds([world_of(conditions, track, seed) for seed in seeds], PICTURE_SIZE)
    try:
        books = [RunBook(conditions, track.length_m, START_BEFORE_LINE_M) for _ in seeds]
        return _driven(LockStepRuns(conditions, seeds, [model] * len(seeds), worlds, books))
    finally:
        worlds.close()


def evaluate_heats(
    conditions: Conditions, seeds: Sequence[int], models: tuple[AnyEntrant, AnyEntrant]
) -> tuple[DrivenHeat, ...]:
    """Let two models drive against each other, once for each seed; they take turns at starting in front.

    Penalties are served: the other one drives on meanwhile. Raises BadInput as `evaluate_run` does.
    """
    track = require_drivable(conditions)
    worlds, books = rival_worlds(conditions, track, seeds)
    each_seed = tuple(seed for seed in seeds for _ in models)
    try:
        runs = _driven(LockStepRuns(conditions, each_seed, [*models] * len(seeds), worlds, books))
    finally:
        worlds.close()
    heats = []
    for heat, seed in enumerate(seeds):
        pair = slice(2 * heat, 2 * heat + 2)
        first, second = runs[pair]
        heats.append(DrivenHeat(seed, heat % 2, (first, second), verdict_of(conditions, books[pair])))
    return tuple(heats)


def verdict_of(conditions: Conditions, books: Sequence[RunBook]) -> HeadToHeadVerdict:
    """Who is ahead, by the books of two that drove in one world."""
    rivals = [RivalRun(tuple(book.crossings_ns), book.reached_m, book.reached_ns) for book in books]
    return ahead_after(rivals, laps_of(conditions))


def rival_worlds(
    conditions: Conditions, track: Track, seeds: Sequence[int], splits: tuple[float, ...] = ()
) -> tuple[BatchWorlds, list[RunBook]]:
    """Two worlds a seed with each other's car in them, at their starts, and the books of their runs."""
    specs: list[WorldSpec] = []
    for seed in seeds:
        spec, number = replace(world_of(conditions, track, seed), splits=splits), len(specs)
        specs += [replace(spec, rival=number + 1), replace(spec, rival=number)]
    worlds = BatchWorlds(specs, PICTURE_SIZE)
    places = [track.locate(pose.x, pose.y) for pose in start_places(lanes_of(track))]
    books = []
    for run in range(len(specs)):
        behind = (run + run // 2) % 2  # they take turns at it
        worlds.put_at(places[behind].s_m, places[behind].lateral_m, worlds=[run])
        before_m = START_BEFORE_LINE_M + behind * STAGGER_M
        books.append(RunBook(conditions, track.length_m, before_m, served=True))
    return worlds, books


def _driven(runs: LockStepRuns) -> tuple[VirtualRun, ...]:
    """Frame by frame until each run has ended."""
    while going := runs.going:
        runs.frame(going)
    return runs.driven()
