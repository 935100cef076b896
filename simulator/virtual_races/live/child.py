"""Drives a stranger's model LIVE in a child process: no network, limits on memory and on processor time.

World and model are in the child. The parent says on a line how far to drive and by which multiplier, the child answers
with a line, the picture; an empty line ends the run, and the answer is what was driven. Whatever the model does, the
parent has an answer in time or one sentence.
"""

import io
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.conditions import Conditions, check_conditions
from shared.errors import BadInput
from shared.text import text
from simulator.virtual_races.isolated import ReportedRun, reported, unpacked
from simulator.virtual_races.live.live_picture import LivePicture
from vehicle.models.run_isolated import REFUSED, ChildFailed, child_environment, limit_printing, restrict, what_it_said

if TYPE_CHECKING:
    from simulator.virtual_races.live.live_run import LiveRun

WORK = "the model's LIVE run"
LOAD_S = 120.0  # a first start compiles the engine
ANSWER_S = 10.0  # for a fifth of a second of driving: who takes longer hangs
_CPU_S = 60  # beside the run time: a model that needs more of the processor than there is time is ended
_MAX_LINE = 8 << 20
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class LiveJob:
    """What to drive: a racer's file or a model's folder, by these conditions and this seed, for `run_ms` at most."""

    __pydantic_config__ = _STRICT

    model: str
    conditions: Conditions
    seed: int
    run_ms: int
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What was driven; `cost_s`: the processor time of the child."""

    __pydantic_config__ = _STRICT

    run: ReportedRun
    cost_s: float


T = TypeVar("T")
_JOB, _PICTURE, _REPORT = TypeAdapter(LiveJob), TypeAdapter(LivePicture), TypeAdapter(LiveReport)


class IsolatedLiveRun:
    """A LIVE run in a child. Calls raise BadInput for the model's fault, ChildFailed where it may be the machine's."""

    def __init__(self, job: LiveJob) -> None:
        """Start the child, load the model, and return when it is ready."""
        self._about = Path(job.model)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the child
        self._read = b""
        cpu_s = round(_CPU_S + job.run_ms / 1000)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "simulator.virtual_races.live.child", str(cpu_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=child_environment(),
        )
        try:
            self._send(_JOB.dump_json(job))
            self._line(LOAD_S)
        except BaseException:
            self.close()
            raise

    def advance(self, run_ns: int, speed_percent: int) -> LivePicture:
        """Drive up to this time of the run."""
        self._send(json.dumps([run_ns, speed_percent]).encode())
        return _parsed(_PICTURE, self._line(ANSWER_S), self._about)

    def finish(self) -> LiveReport:
        """End the run; what was driven."""
        self._send(b"")
        report = _parsed(_REPORT, self._line(ANSWER_S), self._about)
        report.run.read_trace()
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
        pipe, ends_s = self._child.stdout.fileno(), time.monotonic() + timeout_s
        while b"\n" not in self._read:
            ready, _, _ = select.select([pipe], [], [], max(0.0, ends_s - time.monotonic()))
            if not ready:
                raise ChildFailed(f"{self._about}: {WORK} took longer than {timeout_s:.0f} s.")
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
            raise ChildFailed(f"{self._about}: {WORK} did not end.") from None
        what_it_said(code, io.BytesIO(), self._errors, WORK, self._about)
        raise ChildFailed(f"{self._about}: {WORK} ended without an answer.")


def _parsed(kind: TypeAdapter[T], line: bytes, about: Path) -> T:
    try:
        return kind.validate_json(line)
    except ValidationError as error:
        raise BadInput(text("{path}: the model's LIVE run did not answer as it should.", path=about)) from error


def main(arguments: list[str]) -> int:
    """Entry point of the child; returns the exit code."""
    restrict(round(float(arguments[0])))
    job = _JOB.validate_json(sys.stdin.readline())
    try:
        run = _loaded(job)
        _say(b"ready")
        while words := sys.stdin.readline().strip():
            run_ns, speed_percent = json.loads(words)
            _say(_PICTURE.dump_json(run.advance(run_ns, speed_percent)))
        driven = LiveReport(reported(run.finish()), round(time.process_time(), 3))
        _say(_REPORT.dump_json(driven))
    except (BadInput, MemoryError) as error:
        sys.stderr.write(f"{str(error) or 'The model needs more memory than it is allowed.'}\n")
        return REFUSED
    return 0


def _loaded(job: LiveJob) -> "LiveRun":
    conditions = check_conditions(job.conditions)
    with tempfile.TemporaryDirectory(prefix="raceday-") as name:
        folder = unpacked(job.model, job.checkpoint, Path(name) / "model")
        limit_printing()
        # Imported here: the libraries are to be loaded under the limits.
        from simulator.virtual_races.entrant import load_entrant  # noqa: PLC0415
        from simulator.virtual_races.live.live_run import LiveRun  # noqa: PLC0415
        from simulator.virtual_races.warm_up import warm_up  # noqa: PLC0415

        warm_up((conditions,))  # no machine code is loaded, or compiled, while the audience waits
        model = load_entrant(folder, conditions.profile)
    return LiveRun(conditions, job.seed, model, job.run_ms)


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
