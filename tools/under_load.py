"""The tests beside busy loops: N runs, each in a fresh clone of HEAD, while K processes do nothing but compute.

    python3 tools/under_load.py                      three runs of `./dev test` beside four loops
    python3 tools/under_load.py --runs 1 --loops 8 --sessions each
    python3 tools/under_load.py --command "./dev test -q tests/vehicle"

It stops at the first run that fails. Each run's output goes to a log (run/under-load/1.log, ...); its line says what
pytest counted, how long it took, the load averages at its end and how many processors it got on average. The clones
are made in a temporary folder, or in `--clones DIR` where the tests need data in a folder beside the clone
(../shared/data). Uncommitted changes are not tested. The loops end with this script, on Ctrl-C too: each is ended by
its process id, and ends by itself when its parent is gone.

How much processor time the loops take depends on their session. Linux with `kernel.sched_autogroup_enabled = 1`
shares the processor equally among sessions, and only within a session among processes: four loops in one session of
their own take as much as one, and a shell's background jobs may take next to nothing from the tests of another
terminal. So, with --sessions:

    same   (default) in the session of the tests: each loop weighs as much as a process of the tests, with autogroup
           as without it. What the tests start in sessions of their own (the demo's parts) has its own share.
    one    all in one session: with autogroup the tests are left half of the machine, however many loops there are.
    each   every loop in its own: with autogroup each weighs as much as all of the tests together; the hardest.
"""

import argparse
import contextlib
import os
import pathlib
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
README_COMMAND = "./dev test"
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)
END_S = 60.0  # how long an interrupted run may take to end what it started
SUMMARY = re.compile(r"(\d+ (?:passed|failed|error|skipped|deselected)\w*(?:, \d+ \w+)*) in [\d.]+s")
# Arguments: how many loops, and our process id. The first loop forks the others; each ends when its parent is gone.
LOOP = """
import os, sys
count, parent = map(int, sys.argv[1:])
first = os.getpid()
for _ in range(count - 1):
    if os.fork() == 0:
        parent = first
        break
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: its exit code, what pytest counted, the time it took, and the processor time of all that it ended."""

    code: int
    counted: str
    wall_s: float
    cpu_s: float
    load: tuple[float, float, float]

    def line(self, number: int, runs: int) -> str:
        """The outcome as one line for the console."""
        verdict = "passed" if self.code == 0 else f"FAILED (exit {self.code})"
        load = " ".join(f"{each:.1f}" for each in self.load)
        share = self.cpu_s / self.wall_s
        return f"run {number} of {runs}: {verdict}; {self.counted}; {self.wall_s:.0f} s, load {load}, {share:.2f} CPUs"


@contextlib.contextmanager
def busy(count: int, sessions: str) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Run `count` busy loops for as long as the block lasts."""
    groups = [1] * count if sessions == "each" else [count] * bool(count)
    loops: list[subprocess.Popen[bytes]] = []
    try:
        for size in groups:
            command = [sys.executable, "-c", LOOP, str(size), str(os.getpid())]
            own_session = sessions != "same"
            group = None if own_session else 0  # so that Ctrl-C at the terminal is ours to pass on
            loop = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, start_new_session=own_session, process_group=group
            )
            loops.append(loop)
        yield loops
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def clone(root: pathlib.Path, to: pathlib.Path) -> None:
    """Clone HEAD of the repository to `to`. Raises CalledProcessError."""
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(root), str(to)], check=True)
    head = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    subprocess.run(["git", "-C", str(to), "checkout", "-q", "--detach", head.stdout.strip()], check=True)


def run(command: Sequence[str], folder: pathlib.Path, log: pathlib.Path) -> Outcome:
    """Run the command in `folder`, its output to `log`. On an interruption, end the command first and raise again."""
    began_s, before_s = time.monotonic(), _cpu_s()
    process = None
    with log.open("wb") as out:
        try:
            with _interruption_deferred():  # raised within Popen, it would leave a process that is known to no one
                process = subprocess.Popen(
                    command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, process_group=0
                )
            code = process.wait()
        except BaseException:
            if process is not None:
                _end(process)
            raise
    wall_s, cpu_s = time.monotonic() - began_s, _cpu_s() - before_s
    summaries = SUMMARY.findall(log.read_text(errors="replace"))
    return Outcome(code, summaries[-1] if summaries else "pytest counted nothing", wall_s, cpu_s, os.getloadavg())


@contextlib.contextmanager
def _interruption_deferred() -> Iterator[None]:
    """SIGINT and SIGTERM that come in this block raise KeyboardInterrupt at its end."""
    received: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _: received.append(number)) for each in INTERRUPTIONS}
    try:
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
        if received:
            raise KeyboardInterrupt


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the command and its children: by SIGINT, as Ctrl-C does, and by SIGKILL if they have not ended in time."""
    for kind, wait_s in ((signal.SIGINT, END_S), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
            return


def _cpu_s() -> float:
    """The processor time of all children that have ended and were waited for; the running loops do not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code: 0 when every run passed."""
    chosen = _parser().parse_args(arguments)
    logs: pathlib.Path = chosen.logs or chosen.repository / "run" / "under-load"
    logs.mkdir(parents=True, exist_ok=True)
    with busy(chosen.loops, chosen.sessions) as loops:
        for number in range(1, chosen.runs + 1):
            log = logs / f"{number}.log"
            print(f"run {number} of {chosen.runs} beside {chosen.loops} busy loops: {log}", flush=True)
            with tempfile.TemporaryDirectory(prefix="under-load-", dir=chosen.clones) as folder:
                clone(chosen.repository, pathlib.Path(folder))
                outcome = run(shlex.split(chosen.command), pathlib.Path(folder), log)
            print(outcome.line(number, chosen.runs), flush=True)
            if any(loop.poll() is not None for loop in loops):
                print("A busy loop ended before its time: this run does not count.")
                return 1
            if outcome.code:
                print(f"The output is in {log}.")
                return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/under_load.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="one after the other (default 3)")
    parser.add_argument("--loops", type=int, default=4, metavar="K", help="busy loops beside each run (default 4)")
    parser.add_argument("--sessions", choices=("same", "one", "each"), default="same", help="the session of the loops")
    parser.add_argument("--command", default=README_COMMAND, help="run in each clone (default: ./dev test)")
    parser.add_argument("--repository", type=pathlib.Path, default=ROOT, metavar="DIR", help="default: this one")
    parser.add_argument("--clones", type=pathlib.Path, metavar="DIR", help="make the clones in this folder")
    parser.add_argument("--logs", type=pathlib.Path, metavar="DIR", help="default: run/under-load")
    return parser


def _interrupted(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # A shell's background job ignores Ctrl-C, and so would everything that is started here.
    for interruption in INTERRUPTIONS:
        signal.signal(interruption, _interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
