"""Drives runs in lock-step, each by its own model: shows each its frames, judges them, writes them down.

`evaluate_runs` drives to the end as fast as it can (evaluation.py), a LIVE race frame by frame in real time (live/).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shared.conditions import Conditions
from shared.rules.ranking import RunLap
from shared.traces.trace import NO_CHOICE, DriveTrace
from simulator.batch.vector import BatchWorlds, Events
from simulator.virtual_races.entrant import AnyEntrant, Chosen
from simulator.virtual_races.judging.run_book import RunBook, RunEnd
from simulator.virtual_races.judging.run_judge import RunJudge
from simulator.virtual_races.recorder import FrameRecorder
from simulator.virtual_races.run_senses import RunSenses
from vehicle.models.metadata import HEIGHT, WIDTH

PICTURE_SIZE = (WIDTH, HEIGHT)
FULL_PERCENT = 100
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


class LockStepRuns:
    """The runs of a batch of worlds, a book and a model each.

    `speed_percent`: by how much the speed that a model wishes is scaled, never its steering. `asks` is told which run's
    model is asked, and None once it has answered: so somebody outside knows whose model hangs.
    """

    def __init__(
        self,
        conditions: Conditions,
        seeds: Sequence[int],
        models: Sequence[AnyEntrant],
        worlds: BatchWorlds,
        books: Sequence[RunBook],
        asks: Callable[[int | None], None] = lambda _: None,
    ) -> None:
        self._conditions, self._seeds, self._models, self._worlds = conditions, tuple(seeds), models, worlds
        self.books = tuple(books)
        self._asks = asks
        self.speed_percent = [FULL_PERCENT] * len(self.books)
        self._judge = RunJudge(worlds, books, conditions.rules)
        self._recorder = FrameRecorder(worlds, worlds.specs[0].track)
        self._senses = RunSenses(worlds, models)
        self._commands = np.zeros((len(seeds), 2))
        self._chosen: list[Chosen] = [_NOTHING_CHOSEN] * len(seeds)

    @property
    def going(self) -> list[int]:
        """The runs that are not over."""
        return [run for run, book in enumerate(self.books) if book.end is None]

    def frame(self, going: Sequence[int]) -> Events:
        """Drive one frame interval of these runs, which are not over; returns what the batch reports of it."""
        self._answer(going)
        events = self._worlds.step(self._commands, going)
        self._recorder.look()
        self._judge.judge(going, events)
        for run in going:
            if (end := self.books[run].end) is not None:
                self._recorder.write(run, self._chosen[run], "time_up" if end == "time" else self._judge.statuses[run])
        return events

    def along_m(self, run: int) -> float:
        """Where the run's car was along the track at the end of the last frame, before anybody was put back."""
        return self._recorder.along_m(run)

    def stop(self, run: int) -> None:
        """Somebody ends the run, if it is not over."""
        book = self.books[run]
        if book.end is None:
            book.stop(int(self._worlds.now_ns[run]))
            self._recorder.write(run, self._chosen[run], "time_up")

    def driven(self) -> tuple[VirtualRun, ...]:
        """What was driven, once all runs are over."""
        return tuple(self._record(run) for run in range(len(self.books)))

    def _answer(self, going: Sequence[int]) -> None:
        """Show each model its frame; write down the frame with what it chose. Whoever stands is not asked."""
        driving = [run for run in going if not self._judge.stands(run)]
        self._senses.look(driving)
        for run in going:
            chosen = self._chosen[run] = _NOTHING_CHOSEN if self._judge.stands(run) else self._choose(run)
            self._commands[run] = (0.0, 0.0) if self._judge.stands(run) else self._models[run].command(chosen)
            self._recorder.write(run, chosen, self._judge.statuses[run])

    def _choose(self, run: int) -> Chosen:
        self._asks(run)
        row, angle_deg, speed_mps = self._senses.ask(run)
        self._asks(None)
        if self.speed_percent[run] == FULL_PERCENT:
            return row, angle_deg, speed_mps
        return row, angle_deg, speed_mps * self.speed_percent[run] / FULL_PERCENT

    def _record(self, run: int) -> VirtualRun:
        book = self.books[run]
        assert book.end is not None
        trace = self._recorder.trace(run, self._conditions, book.events, book.served)
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
