"""`./dev bench fuzz [--minutes N]`: each parser of bench/fuzz/targets/ in a process of its own, one after another.

Guided by coverage where Atheris has a wheel (CPython 3.11 on x86-64 Linux), by chance elsewhere: the table says which.
What reached something new is kept in run/fuzz/corpus/ for the next run; an input that escaped, in run/fuzz/found/.
"""

import importlib.util
import json
import os
import pathlib
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from bench.fuzz.targets import TARGETS
from bench.report import OUT, console, machine

FOLDER = pathlib.Path("run") / "fuzz"
LOCK = pathlib.Path(__file__).with_name("atheris.lock")
CPU_S = 16.0  # of each target, unless --minutes says otherwise
QUICK_CPU_S = 0.5
# By how much more than its processor time a target may take: machines are busy, and the fuzzer reads its corpus first.
_SLACK, _SLACK_S = 10.0, 180.0


def main(quick: bool, minutes: float | None = None) -> None:
    """Prints the table and writes run/bench/fuzz.json; fails if an input escaped, hung, or ended its process."""
    engine = "atheris" if has_atheris(is_wanted=not quick) else "mutation"
    cpu_s = QUICK_CPU_S if quick else CPU_S if minutes is None else max(QUICK_CPU_S, minutes * 60 / len(TARGETS))
    began = time.monotonic()
    rows = [fuzzed(name, engine, cpu_s) for name in TARGETS]
    show(rows, engine, time.monotonic() - began)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "fuzz", "machine": machine(), "engine": engine, "cpu_s": cpu_s, "rows": rows}
    (OUT / "fuzz.json").write_text(json.dumps(document, indent=1) + "\n")
    assert not any(row["escapes"] for row in rows), f"inputs escaped: they are in {FOLDER / 'found'}"


def has_atheris(*, is_wanted: bool) -> bool:
    """Whether Atheris can be imported; if it is wanted and there is a wheel for this machine, it is installed first."""
    if importlib.util.find_spec("atheris") is not None:
        return True
    has_wheel = sys.version_info[:2] == (3, 11) and platform.machine() == "x86_64" and sys.platform == "linux"
    if not (is_wanted and has_wheel):
        return False
    console().print("installing Atheris, once ...")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    installed = subprocess.run([*pip, "-r", str(LOCK)], check=False).returncode == 0
    importlib.invalidate_caches()
    return installed and importlib.util.find_spec("atheris") is not None


def fuzzed(name: str, engine: str, cpu_s: float, folder: pathlib.Path = FOLDER) -> dict[str, Any]:
    """The report of one target, whose process may also have died or hung: that is an escape, too."""
    folder.mkdir(parents=True, exist_ok=True)
    report, log = folder / f"{name}.json", folder / f"{name}.log"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.fuzz.fuzz_process", name, engine, str(cpu_s), str(folder)]
    with log.open("wb") as out:
        try:
            code = subprocess.run(
                command, stdout=out, stderr=out, check=False, timeout=_SLACK * cpu_s + _SLACK_S
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
    if report.exists():
        row: dict[str, Any] = json.loads(report.read_text())
        return row
    how = "did not end" if code is None else f"ended with {code}"
    row = {"name": name, "engine": engine, "inputs": 0, "refused": 0, "cpu_s": 0.0, "slowest_ms": 0.0, "grown_mb": 0}
    return row | {"escapes": {f"the process {how}": f"see {log}"}}


def show(rows: Sequence[dict[str, Any]], engine: str, took_s: float) -> None:
    """Prints the table."""
    table = Table(title=f"fuzz: {len(rows)} parsers, {engine}, {took_s / 60:.1f} minutes", title_justify="left")
    for column in ("parser", "inputs", "refused", "CPU s", "slowest ms", "grown MB", "escapes"):
        table.add_column(column, justify="left" if column == "parser" else "right")
    for row in rows:
        counts = (f"{row['inputs']:,}", f"{row['refused']:,}", f"{row['cpu_s']:.1f}", f"{row['slowest_ms']:.1f}")
        table.add_row(row["name"], *counts, str(row["grown_mb"]), str(len(row["escapes"])))
    out = console()
    out.print(table)
    out.print(
        f"  {sum(row['inputs'] for row in rows):,} inputs; load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores"
    )
    for row in rows:
        for key, sentence in row["escapes"].items():
            out.print(f"  {row['name']}: {key}: {sentence}", markup=False)
