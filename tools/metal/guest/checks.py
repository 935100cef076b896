"""How a scenario says what it saw: a line of JSON for each check, written at once. Called by every script here."""

import json
import os
import pathlib
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

RESULTS = pathlib.Path("/metal/results.jsonl")

T = TypeVar("T")


def record(**fields: object) -> None:
    """Adds one line to the results, and has it on the host's disk before it returns."""
    with RESULTS.open("a", encoding="utf-8") as results:
        results.write(json.dumps(fields) + "\n")
        results.flush()
        os.fsync(results.fileno())


def check(what: str, is_good: bool, seen: object) -> bool:
    """Records one check of the scenario that runs; returns whether it was good."""
    record(scenario=os.environ["METAL_SCENARIO"], what=what, is_good=bool(is_good), seen=str(seen))
    print(f"{'ok    ' if is_good else 'FAILED'} {what}: {seen}", flush=True)
    return is_good


def run(command: Sequence[str], limit_s: float = 600.0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, whatever its exit code; what it printed goes to the scenario's log too."""
    print(f"$ {' '.join(command)}", flush=True)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=limit_s, env={**os.environ, **environment}
    )
    print(done.stdout[-8000:], done.stderr[-8000:], sep="", flush=True)
    return done


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that a command printed, for what a check saw."""
    return (done.stdout + done.stderr).strip().split("\n")[-1]


def until(what: Callable[[], T | None], limit_s: float, every_s: float = 1.0) -> T | None:
    """Asks again and again until there is an answer; None if there was none in time."""
    end_s = time.monotonic() + limit_s
    while True:
        answer = what()
        if answer is not None or time.monotonic() > end_s:
            return answer
        time.sleep(every_s)
