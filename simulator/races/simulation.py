"""Hours of racing on virtual time: meetings one beside the other, each a world of its own from its own seed.

A meeting lasts `MEETING_H` hours at most and is single-threaded; several run in processes of their own. The
outcome, hash included, does not depend on how many: meeting n is drawn from (seed, n) and from nothing else.
"""

import concurrent.futures
import multiprocessing
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.units import NS_PER_S
from simulator.races.hosts.tally import MeetingTally, SimulationReport, total
from simulator.races.race_day import hold

MEETING_H = 2.0
ROOM_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is asked for. `keep`: a folder for the journals and boards, or None to throw them away."""

    seed: int
    hours: float
    kinds: frozenset[str]
    jobs: int = 1
    keep: pathlib.Path | None = None


@dataclass(frozen=True, slots=True)
class SimulatedMeeting:
    """One meeting of a simulation."""

    seed: str
    hours: float
    kinds: frozenset[str]
    folder: pathlib.Path | None


def simulate(
    wanted: Simulation, meeting_done: Callable[[float, MeetingTally], None] = lambda _hours, _tally: None
) -> SimulationReport:
    """Run it all; `meeting_done(hours, tally)` hears of each meeting, in order."""
    began = time.monotonic()
    tallies = []
    parts = _parts(wanted)
    for part, tally in zip(parts, _held(parts, wanted.jobs), strict=True):
        tallies.append(tally)
        meeting_done(part.hours, tally)
    return SimulationReport(wanted.seed, wanted.hours, total(tallies), time.monotonic() - began)


def _parts(wanted: Simulation) -> list[SimulatedMeeting]:
    parts: list[SimulatedMeeting] = []
    left_h = wanted.hours
    while left_h > 1e-9:
        hours = min(MEETING_H, left_h)
        folder = None if wanted.keep is None else wanted.keep / f"meeting-{len(parts):04d}"
        parts.append(SimulatedMeeting(f"{wanted.seed}/{len(parts)}", hours, wanted.kinds, folder))
        left_h -= hours
    return parts


def _held(parts: list[SimulatedMeeting], jobs: int) -> Iterator[MeetingTally]:
    if jobs == 1 or len(parts) == 1:
        yield from map(run_part, parts)
        return
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(min(jobs, len(parts)), mp_context=spawn) as pool:
        yield from pool.map(run_part, parts)


def run_part(part: SimulatedMeeting) -> MeetingTally:
    """One meeting, in this process; its folder goes when it was not asked for."""
    length_ns = round(part.hours * 3600 * NS_PER_S)
    if part.folder is not None:
        part.folder.mkdir(parents=True, exist_ok=True)
        return hold(part.seed, length_ns, part.kinds, part.folder)
    with tempfile.TemporaryDirectory(prefix="raceday-races-", dir=scratch()) as name:
        return hold(part.seed, length_ns, part.kinds, pathlib.Path(name))


def scratch() -> str | None:
    """Memory, where there is some: no power is cut here, so the disk's own waiting would teach nothing.

    SQLite still syncs at every commit. Whoever names a TMPDIR, or asks to keep the files, gets that disk.
    """
    shared_memory = pathlib.Path("/dev/shm")  # noqa: S108  only the folder: the names in it are random
    fit = (
        "TMPDIR" not in os.environ
        and os.access(shared_memory, os.W_OK)
        and shutil.disk_usage(shared_memory).free > ROOM_BYTES
    )
    return str(shared_memory) if fit else None
