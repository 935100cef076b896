"""A child of cheap_farm.py: drives models that say in JSON how they drive, and holds its slot as long as a run would.

They lie in archives that the product's own preparation takes.

One job a line on its input, one answer a line on its output; it ends with its input.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import signal
import sys
import tarfile
import threading

from pydantic import TypeAdapter

from shared.rules.ranking import RunLap
from shared.traces.encoding import encode
from shared.traces.trace import DriveTrace, TraceEvent, TraceFrames
from shared.units import NS_PER_MS
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedRun
from simulator.virtual_races.judging.run_book import RunEnd
from vehicle.models.model_files import METADATA, MODEL

HOLD_S = 1.0  # as long as a short run drives
_JOB, _REPORT = TypeAdapter(EvaluationJob), TypeAdapter(EvaluationReport)


def model_file(racer: str, kind: str) -> bytes:
    """A model of this racer that drives so: `fast`, `crashing`, `hostile` (refused) or `doomed` (kills its child)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in ((MODEL, json.dumps({"racer": racer, "kind": kind}).encode()), (METADATA, b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def _kind(content: bytes) -> str:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        model = archive.extractfile(MODEL)
        assert model is not None
        kind: str = json.loads(model.read())["kind"]
    return kind


def drive(job: EvaluationJob) -> dict[str, object]:
    """The answer: a report, or a sentence about the model."""
    path = pathlib.Path(job.model)
    content = path.read_bytes() if path.is_file() else model_file("nobody", "fast")  # a folder: the canary's
    kind = _kind(content)
    if kind == "hostile":
        return {"refused": f"{path}: The graph uses 'While', which is not run."}
    if kind == "doomed":
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait(HOLD_S)
    runs = tuple(_run(job, content, seed, kind) for seed in job.seeds)
    report = EvaluationReport(hashlib.sha256(content).hexdigest(), runs, HOLD_S)
    return {"report": _REPORT.dump_python(report, mode="json")}


def _run(job: EvaluationJob, content: bytes, seed: int, kind: str) -> ReportedRun:
    drawn, at_ns, laps = random.Random(f"{content!r} {seed} {job.conditions}"), 0, list[RunLap]()
    for number in range(1, (1 if kind == "crashing" else job.conditions.laps) + 1):
        lap_ns = drawn.randrange(8000, 12000) * NS_PER_MS
        at_ns += lap_ns
        laps.append(RunLap(number, lap_ns, at_ns, off_tracks=drawn.randrange(2)))
    events = tuple(TraceEvent(lap.ended_ns, "line", lap.lap_ns) for lap in laps)
    frames = TraceFrames(*((drawn.randrange(4),) for _ in range(11)))
    trace = DriveTrace(job.conditions.track, "counterclockwise", 16_000, frames, events)
    packed = base64.b64encode(encode(trace)).decode()
    end: RunEnd = "resets" if kind == "crashing" else "laps"
    return ReportedRun(seed, tuple(laps), end, 0, len(laps) * 1_000_000, at_ns, 1, packed)


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(drive(_JOB.validate_json(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
