"""Hours of racing on virtual time: independent meetings, each with its own machines and its own seed.

A meeting lasts at most `MEETING_H` hours and is single-threaded; several run in parallel processes. The outcome, hash
included, does not depend on the number of processes: meeting n is drawn from (seed, n) and nothing else.
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
from simulator.races.hosts.tally import MeetingTally, SimulationReport, total_of
from simulator.races.race_day import hold

MEETING_H = 2.0
MIN_FREE_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Simulation:
    """The settings of a simulation. `keep`: a folder for the journals and boards, or None to discard them."""

    seed: int
    hours: float
    kinds: frozenset[str]
    jobs: int = 1
    keep: pathlib.Path | None = None


@dataclass(frozen=True, slots=True)
class SimulatedMeeting:
    """One meeting of a simulation: its seed, length, faults and folder (None: a temporary one)."""

    seed: str
    hours: float
    kinds: frozenset[str]
    folder: pathlib.Path | None


def simulate(
    settings: Simulation, meeting_done: Callable[[float, MeetingTally], None] = lambda _hours, _tally: None
) -> SimulationReport:
    """Run all meetings; `meeting_done(hours, tally)` is called after each, in order."""
    began = time.monotonic()
    tallies = []
    parts = _parts(settings)
    for part, tally in zip(parts, _tallies(parts, settings.jobs), strict=True):
        tallies.append(tally)
        meeting_done(part.hours, tally)
    return SimulationReport(settings.seed, settings.hours, total_of(tallies), time.monotonic() - began)


def _parts(settings: Simulation) -> list[SimulatedMeeting]:
    parts: list[SimulatedMeeting] = []
    left_h = settings.hours
    while left_h > 1e-9:
        hours = min(MEETING_H, left_h)
        folder = None if settings.keep is None else settings.keep / f"meeting-{len(parts):04d}"
        parts.append(SimulatedMeeting(f"{settings.seed}/{len(parts)}", hours, settings.kinds, folder))
        left_h -= hours
    return parts


def _tallies(parts: list[SimulatedMeeting], jobs: int) -> Iterator[MeetingTally]:
    if jobs == 1 or len(parts) == 1:
        yield from map(run_part, parts)
        return
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(min(jobs, len(parts)), mp_context=spawn) as pool:
        yield from pool.map(run_part, parts)


def run_part(part: SimulatedMeeting) -> MeetingTally:
    """Run one meeting in this process; its folder is deleted unless it is to be kept."""
    length_ns = round(part.hours * 3600 * NS_PER_S)
    if part.folder is not None:
        part.folder.mkdir(parents=True, exist_ok=True)
        return hold(part.seed, length_ns, part.kinds, part.folder)
    with tempfile.TemporaryDirectory(prefix="raceday-races-", dir=scratch()) as name:
        return hold(part.seed, length_ns, part.kinds, pathlib.Path(name))


def scratch() -> str | None:
    """The folder for scratch files: in memory where possible, since no power is cut here and a disk's sync only waits.

    SQLite still syncs at every commit. A TMPDIR, or a folder for the files to keep, takes precedence.
    """
    shared_memory = pathlib.Path("/dev/shm")  # noqa: S108  only the folder: the names in it are random
    fit = (
        "TMPDIR" not in os.environ
        and os.access(shared_memory, os.W_OK)
        and shutil.disk_usage(shared_memory).free > MIN_FREE_BYTES
    )
    return str(shared_memory) if fit else None
