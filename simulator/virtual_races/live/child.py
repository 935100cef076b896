"""Drives a stranger's model, or two in one world, LIVE in a child process: no network, limits on memory and time.

World and models are in the child. The parent says on a line how far to drive and by which multipliers, the child
answers with a line, the picture; an empty line ends the run, and the answer is what was driven. Whatever a model does,
the parent has an answer in time or one sentence. Of two models it names the one at fault: the child marks in memory
that both have whose it has begun to load or to ask, so that one that hangs, or is killed, is known as well.
"""

import io
import json
import mmap
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.conditions import Conditions, check_conditions
from shared.errors import BadInput
from shared.text import text
from simulator.virtual_races.isolated import ReportedRun, load_engine, reported, restrict_to_models, unpacked
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict
from simulator.virtual_races.live.live_picture import LivePicture
from vehicle.models.run_isolated import (
    MEMORY,
    REFUSED,
    ChildFailed,
    child_environment,
    limit_printing,
    restrict,
    took_too_long,
    what_it_said,
)

if TYPE_CHECKING:
    from simulator.virtual_races.entrant import AnyEntrant
    from simulator.virtual_races.live.live_run import LiveOutcome, LiveRun

WORK = text("the model's LIVE run")
# Limits for one model; two have twice as much.
LOAD_S = 120.0  # a first start compiles the engine
ANSWER_S = 10.0  # for a fifth of a second of driving: who takes longer hangs
_CPU_S = 60  # beside the run time: a model that needs more of the processor than there is time is ended
_MEMORY_OF_TWO = 6 << 30  # with the engine, which they share
_NOBODY = 255  # the mark while no model is loaded or asked
_REHEARSED_NS = 200_000_000
_MAX_LINE = 8 << 20
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class LiveJob:
    """What to drive: a racer's file or a model's folder, by these conditions and this seed, for `run_ms` at most.

    `rival`: the model that drives against it in the same world, "" for none. `racers`: who they are, for what is said
    of a failure of one of the two.
    """

    __pydantic_config__ = _STRICT

    model: str
    conditions: Conditions
    seed: int
    run_ms: int
    checkpoint: str = ""
    rival: str = ""
    rival_checkpoint: str = ""
    racers: tuple[str, ...] = ()

    @property
    def cars(self) -> int:
        """How many drive."""
        return 2 if self.rival else 1


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What was driven: the run of each car, of two who is ahead; `cost_s`: the processor time of the child."""

    __pydantic_config__ = _STRICT

    runs: tuple[ReportedRun, ...]
    cost_s: float
    verdict: HeadToHeadVerdict | None = None


T = TypeVar("T")
_JOB, _PICTURE, _REPORT = TypeAdapter(LiveJob), TypeAdapter(LivePicture), TypeAdapter(LiveReport)


class IsolatedLiveRun:
    """A LIVE run in a child. Calls raise BadInput for the model's fault, ChildFailed where it may be the machine's."""

    def __init__(self, job: LiveJob) -> None:
        """Start the child, load its models, and return when it is ready."""
        self._about, self._job = Path(job.model), job
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the child
        self._mark = tempfile.TemporaryFile()  # noqa: SIM115
        self._own = tempfile.TemporaryDirectory(prefix="raceday-child-", ignore_cleanup_errors=True)
        os.pwrite(self._mark.fileno(), bytes([_NOBODY]), 0)
        self._read = b""
        cpu_s = round(_CPU_S * job.cars + job.run_ms / 1000)
        words = [str(cpu_s), str(job.cars), str(self._mark.fileno())]
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "simulator.virtual_races.live.child", *words],
            pass_fds=(self._mark.fileno(),),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=child_environment() | {"TMPDIR": self._own.name},
        )
        try:
            self._send(_JOB.dump_json(job))
            self._line(LOAD_S)
        except BaseException:
            self.close()
            raise

    def advance(self, run_ns: int, speed_percents: Sequence[int]) -> LivePicture:
        """Drive up to this time of the run, each car by its multiplier."""
        self._send(json.dumps([run_ns, list(speed_percents)]).encode())
        return _parsed(_PICTURE, self._line(ANSWER_S), self._about)

    def finish(self) -> LiveReport:
        """End the run; what was driven."""
        self._send(b"")
        report = _parsed(_REPORT, self._line(ANSWER_S), self._about)
        for run in report.runs:
            run.read_trace()
        self.close()
        return report

    def close(self) -> None:
        """End the child, whatever it does."""
        self._child.kill()  # no effect on a child that has ended
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            pipe.close()
        self._errors.close()
        self._mark.close()
        self._own.cleanup()

    def _send(self, line: bytes) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(line + b"\n")
            self._child.stdin.flush()
        except OSError:
            self._raise_end()

    def _line(self, timeout_s: float) -> bytes:
        """The next line of the child."""
        assert self._child.stdout is not None
        timeout_s *= self._job.cars
        pipe, ends_s = self._child.stdout.fileno(), time.monotonic() + timeout_s
        while b"\n" not in self._read:
            ready, _, _ = select.select([pipe], [], [], max(0.0, ends_s - time.monotonic()))
            if not ready:
                raise self._blamed(ChildFailed(f"{self._about}: {took_too_long(WORK, timeout_s)}"))
            got = os.read(pipe, 1 << 16)
            self._read += got
            if not got or len(self._read) > _MAX_LINE:
                self._raise_end()
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _raise_end(self) -> NoReturn:
        try:
            code = self._child.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            raise self._blamed(ChildFailed(f"{self._about}: {WORK} did not end.")) from None
        try:
            what_it_said(code, io.BytesIO(), self._errors, WORK, self._about)
        except BadInput as error:
            raise self._blamed(error) from None
        raise self._blamed(ChildFailed(f"{self._about}: {WORK} ended without an answer."))

    def _blamed(self, error: BadInput) -> BadInput:
        """The error with the racer whose model the child had to do with, if two drive."""
        racers, side = self._job.racers, os.pread(self._mark.fileno(), 1, 0)[0]
        if side >= len(racers):
            return error
        sentence = text("The model of {racer}: {sentence}", racer=racers[side], sentence=str(error))
        return ChildFailed(sentence) if isinstance(error, ChildFailed) else BadInput(sentence)


def _parsed(kind: TypeAdapter[T], line: bytes, about: Path) -> T:
    try:
        return kind.validate_json(line)
    except ValidationError as error:
        raise BadInput(text("{path}: the model's LIVE run did not answer as it should.", path=about)) from error


def main(arguments: list[str]) -> int:
    """Entry point of the child; returns the exit code."""
    cpu_s, cars, mark = (int(word) for word in arguments)
    restrict(cpu_s, max_memory=_MEMORY_OF_TWO if cars > 1 else MEMORY)
    marked = mmap.mmap(mark, 1)
    job = _JOB.validate_json(sys.stdin.readline())
    load_engine()
    restrict_to_models(job.model, job.rival)
    try:
        _drive(_loaded(job, lambda side: _set(marked, side)))
    except (BadInput, MemoryError) as error:
        sys.stderr.write(f"{str(error) or 'The model needs more memory than it is allowed.'}\n")
        return REFUSED
    return 0


def live_report(outcome: "LiveOutcome", cost_s: float) -> LiveReport:
    """What was driven, as it is sent to the parent."""
    return LiveReport(tuple(reported(run) for run in outcome.runs), cost_s, outcome.verdict)


def _drive(run: "LiveRun") -> None:
    _say(b"ready")
    while words := sys.stdin.readline().strip():
        run_ns, speed_percents = json.loads(words)
        _say(_PICTURE.dump_json(run.advance(run_ns, speed_percents)))
    _say(_REPORT.dump_json(live_report(run.finish(), round(time.process_time(), 3))))


def _set(marked: mmap.mmap, side: int | None) -> None:
    marked[0] = _NOBODY if side is None else side


def _loaded(job: LiveJob, asks: Callable[[int | None], None]) -> "LiveRun":
    conditions = check_conditions(job.conditions)
    with tempfile.TemporaryDirectory(prefix="raceday-") as folder:
        try:
            models = _models(job, conditions, Path(folder), asks)
        except BadInput as error:
            raise BadInput(str(error).replace(f"{folder}/", "")) from error
    from simulator.virtual_races.live.live_run import LiveRun  # noqa: PLC0415

    def begun() -> LiveRun:
        return LiveRun(conditions, job.seed, models, job.run_ms, asks)

    # A rehearsal: nothing is loaded, or compiled, while the audience waits.
    begun().advance(_REHEARSED_NS, (100,) * job.cars)
    return begun()


def _models(
    job: LiveJob, conditions: Conditions, folder: Path, asks: Callable[[int | None], None]
) -> "tuple[AnyEntrant, ...]":
    folders = []
    for side, (source, checkpoint) in enumerate(
        [(job.model, job.checkpoint), (job.rival, job.rival_checkpoint)][: job.cars]
    ):
        asks(side)
        folders.append(unpacked(source, checkpoint, folder / ("rival" if side else "model")))
    asks(None)
    limit_printing()
    # Imported here: the libraries are to be loaded under the limits.
    from simulator.virtual_races.entrant import load_entrant  # noqa: PLC0415
    from simulator.virtual_races.warm_up import warm_up  # noqa: PLC0415

    warm_up((conditions,))
    models = []
    for side, each in enumerate(folders):
        asks(side)
        # The first has what it would have alone, so that it is not the second that lacks what the first took.
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard if side else MEMORY, hard))
        models.append(load_entrant(each, conditions.profile))
    asks(None)
    return tuple(models)


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
