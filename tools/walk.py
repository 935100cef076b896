"""The walk of an edge: which files of the product run, one after the other, from a gate's edge to a posted result.

    .venv/bin/python tools/walk.py              the last edge of a qualifying run, as a table
    .venv/bin/python tools/walk.py --mid-lap    an edge that ends a lap within the run: nothing is due to be posted
    .venv/bin/python tools/walk.py --tree       every call in its order, indented, with its file
    .venv/bin/python tools/walk.py --json FILE  the figures for another program

What runs is the real station with its journal in a temporary folder, one car and one gate, on the mock wire, and the
real sync step. The station and sync have no threads of their own: both are driven from one thread, on a clock moved by
hand, so that two walks are the same call for call. HTTP is answered by a stub in place of `HttpExchange` (one more
file, two more moves). Two whole runs are driven and posted before the one that is measured, the second quicker than the
first, so that nothing in it is done for the first time.

Three stretches:

    edge to commit        the driver gets the level change .. the facts are committed
    commit to published   the rest of that turn of the timing thread: messages, orders to cars, the pages' view
    commit to posted      the step of sync that finds the result, posts it and stores the answer

A *move* is a change of the product file that runs: a call into another file is one, and the return from it is one.
Calls of other packages are looked through: what `sorted` calls back counts as called by the caller of `sorted`. A call
from outside (the driver's edge, the timing thread's turn, the sync step) is a move, the return to it is none. Each move
counts for the folder that it goes into. A *file* counts once in each stretch and once in all.

*Leaf helpers* (LEAVES) call nothing but each other and could stand in the standard library: the figures without them
look through them as through another package.
"""

import argparse
import itertools
import json
import pathlib
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from types import FrameType

from station.store.journal import Journal
from tools.walk_scenario import LAPS, NS_PER_S, Track

ROOT = pathlib.Path(__file__).resolve().parent.parent
MACHINES = ("shared", "station", "vehicle", "leaderboard", "simulator", "raceday")
# Helpers without calls of their own, by what they are.
LEAVES = {
    "clock": "shared.clock",
    "units": "shared.units",
    "topics": "shared.protocol.topics",
    "canonical JSON": "shared.protocol.canonical_json",
    "moments": "station.core.moment",
    "scale of UTC": "station.core.timing.utc_scale",
}
STRETCHES = ("edge to commit", "commit to published", "commit to posted")


@dataclass(frozen=True, slots=True)
class Event:
    """A function of the product begins (`entered`) or returns; `file` is relative to the checkout."""

    stretch: str
    entered: bool
    file: str
    function: str


@dataclass(slots=True)
class Count:
    """How many files ran, and how many moves led into them."""

    files: int = 0
    moves: int = 0


class Recorder:
    """A profile function for `sys.setprofile`: all calls of the product's Python functions, in their order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.stretch = ""
        self._names: dict[str, str] = {}  # co_filename -> relative name, "" for what is not of the product
        self._ends = {Journal.append.__code__: STRETCHES[1]}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not (file := self._relative(code.co_filename)):
            return
        self.events.append(Event(self.stretch, event == "call", file, code.co_qualname))
        if event == "return" and self.stretch:
            self.stretch = self._ends.get(code, self.stretch)

    def record(self, stretch: str, *actions: Callable[[], object]) -> None:
        """Do the actions one after the other and record their calls; the commit begins the next stretch."""
        self.stretch = stretch
        before = sys.getprofile()
        sys.setprofile(self)
        try:
            for action in actions:
                action()
        finally:
            sys.setprofile(before)

    def _relative(self, filename: str) -> str:
        known = self._names.get(filename)
        if known is None:
            path = pathlib.Path(filename)
            inside = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in MACHINES
            known = self._names[filename] = path.relative_to(ROOT).as_posix() if inside else ""
        return known


def recorded(mid_lap: bool) -> list[Event]:
    """Drive and post two runs, then a third, each quicker; returns the calls of its last edge, or of an earlier one."""
    recorder = Recorder()
    with tempfile.TemporaryDirectory(prefix="walk-") as name:
        track = Track(pathlib.Path(name))
        try:
            for lap_s in (13, 12):
                drive(track, LAPS, lap_s * NS_PER_S)
                track.break_beam()
                track.leave_gate()
                track.sync_step()
                track.sync_step()
            drive(track, LAPS - 1 if mid_lap else LAPS, 11 * NS_PER_S)
            recorder.record(STRETCHES[0], track.break_beam, track.station.pump)
            if not mid_lap:
                recorder.record(STRETCHES[2], track.sync_step)
        finally:
            track.close()
    return recorder.events


def drive(track: Track, laps: int, lap_ns: int) -> None:
    """Drive a run from its opening until just before the edge that ends lap `laps`."""
    track.start_run()
    for _ in range(laps):
        track.come_round(lap_ns)
        track.break_beam()
        track.leave_gate()
    track.come_round(lap_ns)


def moves(events: Sequence[Event], leaves: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """Each change of the running file as (stretch, the file that runs from now on); `leaves` are looked through."""
    stack: list[str] = []
    running = ""
    for event in events:
        if not event.entered:
            stack.pop()
        elif event.file in leaves:
            stack.append(stack[-1] if stack else running)
        else:
            stack.append(event.file)
        if stack and stack[-1] != running:
            running = stack[-1]
            yield event.stretch, running


def counted(steps: Sequence[tuple[str, str]]) -> dict[str, dict[str, Count]]:
    """The counts, by stretch ("all": the whole walk), then by folder ("all": all folders)."""
    table: dict[str, dict[str, Count]] = {}
    for stretch in (*STRETCHES, "all"):
        files = [file for of, file in steps if stretch in (of, "all")]
        by_folder: defaultdict[str, list[str]] = defaultdict(list)
        for file in files:
            by_folder[folder(file)].append(file)
        table[stretch] = {name: Count(len(set(into)), len(into)) for name, into in sorted(by_folder.items())}
        table[stretch]["all"] = Count(len(set(files)), len(files))
    return table


def folder(file: str) -> str:
    """`station/core` of `station/core/runs/run.py`: the first two names of its path at most."""
    return "/".join(pathlib.PurePosixPath(file).parent.parts[:2])


def leaf_files() -> frozenset[str]:
    """The files of LEAVES."""
    return frozenset(name.replace(".", "/") + ".py" for name in LEAVES.values())


def table(title: str, figures: dict[str, dict[str, Count]]) -> str:
    """The figures as text: a row for each folder, with the files and moves of each stretch."""
    folders = [*(name for name in figures["all"] if name != "all"), "all"]
    lines = [title, f"{'':<22}" + "".join(f"{stretch:>22}" for stretch in figures)]
    lines.append(f"{'moves into':<22}" + f"{'files':>14}{'moves':>8}" * len(figures))
    for name in folders:
        cells = [figures[stretch].get(name, Count()) for stretch in figures]
        lines.append(f"{name:<22}" + "".join(f"{cell.files:>14}{cell.moves:>8}" for cell in cells))
    return "\n".join(lines)


def tree(events: Sequence[Event], leaves: frozenset[str]) -> Iterator[str]:
    """Every call, indented by its depth, with its file where that differs from the line before.

    Leaf helpers and functions without a name (`<genexpr>`) are looked through; equal lines become one with a count.
    """
    lines: list[tuple[str, int, str, str]] = []
    depth: list[int] = []
    for event in events:
        if not event.entered:
            depth.pop()
            continue
        hidden = event.file in leaves or event.function.endswith(">")
        depth.append((depth[-1] if depth else 0) + (not hidden))
        if not hidden:
            lines.append((event.stretch, depth[-1] - 1, event.file, event.function))
    shown: tuple[str, str] = ("", "")
    width = max((len(file) for _, _, file, _ in lines), default=0) + 2
    for line, times in _runs(lines):
        stretch, indent, file, function = line
        if stretch != shown[0]:
            yield f"\n== {stretch} =="
        name = "" if (stretch, file) == shown else file
        yield f"{name:<{width}}{'  ' * indent}{function}" + (f" ({times} times)" if times > 1 else "")
        shown = (stretch, file)


def _runs(lines: Sequence[tuple[str, int, str, str]]) -> Iterator[tuple[tuple[str, int, str, str], int]]:
    for line, same in itertools.groupby(lines):
        yield line, len(list(same))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tools/walk.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mid-lap", action="store_true", help="an edge that ends a lap within the run")
    parser.add_argument("--tree", action="store_true", help="every call in its order, without the leaf helpers")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the figures, written to this file")
    chosen = parser.parse_args(arguments)
    events, leaves = recorded(chosen.mid_lap), leaf_files()
    without, every = counted(list(moves(events, leaves))), counted(list(moves(events)))
    walk = "an edge that ends a lap within the run" if chosen.mid_lap else "the last edge of a qualifying run"
    if chosen.tree:
        print("\n".join(tree(events, leaves)).lstrip())
    else:
        print(table(f"Leaf helpers left out: {walk}", without), table("All calls", every), sep="\n\n")
    if chosen.json is not None:
        figures = {"walk": walk, "without leaf helpers": without, "all calls": every}
        chosen.json.write_text(json.dumps(figures, default=asdict, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
