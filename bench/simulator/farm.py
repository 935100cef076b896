"""From submit to rank on an idle farm, with a leaderboard, a farm and a racer's calls in processes of their own.

A racer sends the demo model as `raceday submit` does, and asks until the submission is scored and the board has it.
Then what two children at a time bring beside one after another, by wall clock and by processor time.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bench.report import OUT, console, machine
from leaderboard.accounts.keys import ApiKeys
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Caller
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.store.tables import ENTRIES
from raceday.submitting.api import LeaderboardApi
from raceday.submitting.packing import opened_archive
from raceday.submitting.sender import ModelSending
from shared.conditions import Conditions, DrivenRules
from simulator.driving.policy import DEMO, find_model
from simulator.farm.engine_process import ProcessEngine
from simulator.virtual_races.isolated import EvaluationJob
from tests.leaderboard import sample_races, signed_in

RACE_ID, TRACK = "cup", "reinvent_base"
GOALS = {"p50_s": 3.0, "p99_s": 10.0, "efficiency": 0.95}
_EVERY_S = 0.02
_SCORED_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True)
class _Keys:
    """`racer`: that submits; `farm`: that claims."""

    racer: str
    farm: str


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/farm.json."""
    waits_s = _submit_to_rank(10 if quick else 60)
    p50_s, p99_s = statistics.median(waits_s), waits_s[min(len(waits_s) - 1, round(0.99 * len(waits_s)))]
    by_clock, by_processor = _efficiency(2 if quick else 6)
    out = console()
    out.print(f"farm: {len(waits_s)} submissions of 3 runs of 3 laps on {TRACK}, one after another, an idle farm")
    out.print(f"  submit to rank, p50       {p50_s:6.2f} s  (goal {GOALS['p50_s']:.0f} s)", markup=False)
    out.print(f"  submit to rank, p99       {p99_s:6.2f} s  (goal {GOALS['p99_s']:.0f} s)", markup=False)
    out.print(f"  two at a time, by clock   {by_clock:6.2f}    (goal {GOALS['efficiency']:.2f} on two idle cores)")
    out.print(f"  two at a time, processor  {by_processor:6.2f}    (goal {GOALS['efficiency']:.2f})", markup=False)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "farm", "machine": machine(), "goals": GOALS, "waits_s": waits_s, "p50_s": p50_s}
    document |= {"p99_s": p99_s, "efficiency_by_clock": by_clock, "efficiency_by_processor": by_processor}
    (OUT / "farm.json").write_text(json.dumps(document, indent=1) + "\n")


def _submit_to_rank(submissions: int) -> list[float]:
    """Seconds from the first call to the rank, in order of length."""
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        folder = pathlib.Path(name)
        keys = _league(folder)
        server = sample_races.start(folder)
        try:
            with _farm(server.url, keys.farm):
                return sorted(_once(LeaderboardApi(server.url, keys.racer)) for _ in range(submissions))
        finally:
            server.stop()


def _league(folder: pathlib.Path) -> _Keys:
    """A race that a racer has entered, in the store of the server that is started next."""
    board, now_utc_ns = open_board(folder / "leaderboard.db"), time.time_ns()
    board.create_race(sample_races.race(RACE_ID, venue="virtual", track=TRACK), 1)
    RaceConditions(board.store, lambda _race: None).set(ADMIN, RACE_ID, b'{"profile": "physical"}', now_utc_ns)
    account_id = signed_in.account(board.store, "ada")
    with board.store.write() as db:
        entry = {"race_id": RACE_ID, "racer": "ada", "name": "Ada", "entered_utc_ns": 1, "account_id": account_id}
        db.execute(ENTRIES.insert(), entry)
    keys, ada = ApiKeys(board.store), Caller(account_id, "ada")
    made = _Keys(
        keys.create(ada, "Terminal", {"submissions:write"}, (), None, now_utc_ns).key,
        keys.create(ADMIN, "Farm", {"farm"}, (), None, now_utc_ns).key,
    )
    board.close()
    return made


@contextlib.contextmanager
def _farm(url: str, key: str) -> Iterator[None]:
    """A farm that has driven its canary."""
    words = [sys.executable, "-m", "raceday", "farm", "--server", url, "--jobs", "1", "--no-live"]
    farm = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"RACEDAY_KEY": key})
    assert farm.stdout is not None
    try:
        if "canary" not in (first := farm.stdout.readline()):
            raise RuntimeError(f"the farm did not start: {first}")
        yield
    finally:
        farm.terminate()
        farm.communicate()


def _once(api: LeaderboardApi) -> float:
    """One submission, until it is scored; the seconds that it took."""
    with opened_archive(find_model(DEMO).parent) as archive:
        began_s = time.monotonic()
        sending = ModelSending(api, archive, time.sleep, lambda _done, _size: None)
        if sending.begin("demo"):
            sending.send()
        made = sending.submit(RACE_ID, "", os.urandom(8).hex())
    while True:
        found: dict[str, Any] = api.call("GET", f"/submissions/{made['submission_id']}").document["submission"]
        took_s = time.monotonic() - began_s
        if found["state"] == "scored":
            return took_s
        if took_s > _SCORED_WITHIN_S or found["state"] in ("failed", "rejected", "unqualified"):
            raise RuntimeError(f"the submission is {found['state']}: {found['sentence']}")
        time.sleep(_EVERY_S)


def _efficiency(rounds: int) -> tuple[float, float]:
    """What two jobs at a time bring beside one after another, 1.0 is all: by the clock, and by processor time."""
    conditions = replace(Conditions(), track=TRACK, profile="physical", rules=DrivenRules(consecutive_laps=3))
    job = EvaluationJob(str(find_model(DEMO).parent), conditions, (1, 2, 3))
    one, two = ProcessEngine(1), ProcessEngine(2)
    for engine in (one, two):
        engine.submit(job).result()
    by_clock, by_processor = [], []
    for _ in range(rounds):
        (serial_s, serial_cpu_s), (both_s, both_cpu_s) = (_drive(engine, job, 4) for engine in (one, two))
        by_clock.append(serial_s / (2 * both_s))
        by_processor.append(serial_cpu_s / both_cpu_s)
    one.close()
    two.close()
    return statistics.median(by_clock), statistics.median(by_processor)


def _drive(engine: ProcessEngine, job: EvaluationJob, times: int) -> tuple[float, float]:
    """Seconds, and seconds of processor of the children."""
    began_s = time.monotonic()
    reports = [driven.result() for driven in [engine.submit(job) for _ in range(times)]]
    return time.monotonic() - began_s, sum(report.cost_s for report in reports)
