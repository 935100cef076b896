"""One fuzz target in a process of its own: `python -m bench.fuzz.fuzz_process NAME ENGINE CPU_S FOLDER`.

Called by campaign.py. `atheris` is guided by the coverage of our code and keeps what reached something new in
FOLDER/corpus/NAME; `mutation` draws by chance. Writes FOLDER/NAME.json, and each input that escaped to FOLDER/found/.
"""

import contextlib
import hashlib
import importlib
import json
import logging
import os
import pathlib
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NoReturn

from bench.fuzz.mutation import MAX_BYTES, Mutator
from bench.fuzz.target import FuzzTarget
from bench.fuzz.targets import TARGETS
from bench.fuzz.trial import FuzzTrial

RSS_LIMIT_MB = 2_048
WATCHED = ("shared", "station", "vehicle", "leaderboard", "simulator", "raceday")


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What came of one target. `grown_mb`: of the process, from the first input to the last."""

    name: str
    engine: str
    inputs: int
    refused: int
    cpu_s: float
    slowest_ms: float
    grown_mb: int
    escapes: dict[str, str]  # kind and place: sentence


class FuzzProcess:
    """The trial of one target within its processor time."""

    def __init__(self, name: str, engine: str, cpu_s: float, folder: pathlib.Path) -> None:
        self.name, self.engine, self.cpu_s, self.folder = name, engine, cpu_s, folder
        self.corpus = folder / "corpus" / name
        for each in (self.corpus, folder / "found"):
            each.mkdir(parents=True, exist_ok=True)

    def begin(self, target: FuzzTarget) -> FuzzTrial:
        """Stores the seeds beside what earlier runs kept."""
        for seed in target.seeds:
            (self.corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        self._began_cpu_s, self._began_mb = time.process_time(), resident_mb()
        return FuzzTrial(target)

    @property
    def is_over(self) -> bool:
        return time.process_time() - self._began_cpu_s > self.cpu_s

    def finish(self, trial: FuzzTrial) -> None:
        """Writes the report, what escaped, and the slowest input."""
        for escape in trial.escapes.values():
            (self.folder / "found" / f"{self.name}-{escape.file_name}").write_bytes(escape.data)
        (self.folder / "found" / f"{self.name}-slowest.bin").write_bytes(trial.slowest)
        report = TargetReport(
            self.name,
            self.engine,
            trial.inputs,
            trial.refused,
            round(time.process_time() - self._began_cpu_s, 1),
            round(trial.slowest_ms, 1),
            resident_mb() - self._began_mb,
            {key: escape.sentence for key, escape in trial.escapes.items()},
        )
        (self.folder / f"{self.name}.json").write_text(json.dumps(asdict(report), indent=1) + "\n")


def by_coverage(process: FuzzProcess) -> NoReturn:
    """Fuzzes with Atheris until the time is over; it never returns."""
    atheris = importlib.import_module("atheris")  # only where it has a wheel
    with atheris.instrument_imports(include=list(WATCHED)):
        target = TARGETS[process.name]()
    trial = process.begin(target)

    def one(data: bytes) -> None:
        trial.one(data)
        if process.is_over:
            process.finish(trial)
            os._exit(0)  # libFuzzer would go on

    options = (
        f"-max_len={MAX_BYTES}",
        f"-rss_limit_mb={RSS_LIMIT_MB}",
        "-timeout=60",
        "-verbosity=0",
    )
    found = f"-artifact_prefix={process.folder}/found/{process.name}-"
    with trial:
        atheris.Setup([sys.argv[0], str(process.corpus), *options, found], one)
        atheris.Fuzz()
    raise SystemExit("the fuzzer ended by itself")


def by_chance(process: FuzzProcess) -> None:
    """Fuzzes by mutation until the time is over."""
    trial = process.begin(TARGETS[process.name]())
    seeds = [path.read_bytes() for path in sorted(process.corpus.iterdir())]
    mutator = Mutator(seeds, random.Random(process.name))
    resource.setrlimit(resource.RLIMIT_DATA, (RSS_LIMIT_MB << 20, RSS_LIMIT_MB << 20))
    with trial:
        for seed in seeds:
            trial.one(seed)
        while not process.is_over:
            data, refused = mutator.draw(), trial.refused
            trial.one(data)
            if trial.refused == refused:
                mutator.keep(data)
    process.finish(trial)


def resident_mb() -> int:
    """The resident memory of this process."""
    pages = int(pathlib.Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") >> 20


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """What the code under test says of each input would be gigabytes; libFuzzer writes to the descriptor itself."""
    logging.disable(logging.CRITICAL)
    with pathlib.Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


def main(arguments: list[str]) -> int:
    """Entry point of the process."""
    name, engine, cpu_s, folder = arguments
    process = FuzzProcess(name, engine, float(cpu_s), pathlib.Path(folder))
    with _quietly():
        (by_coverage if engine == "atheris" else by_chance)(process)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
