"""From submit to rank on an idle farm, with a leaderboard, a farm and a racer's calls in processes of their own.

A racer sends the demo model as `raceday submit` does, and asks until the submission is scored and the board has it.
Then what two children at a time bring beside one after another, by wall clock and by processor time, and what two cores
bring beside one to all of it, with leaderboard and node (farm_throughput.py). By the clock other programs count as a
loss of two at a time alone, so it is said how much they took.
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
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.busy import others_sentence
from bench.report import OUT, console, machine
from bench.simulator.farm_throughput import FarmScaling, QueuedFarm
from leaderboard.accounts.keys import ApiKeys
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Caller
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.store.tables import ENTRIES
from raceday.submitting.api import LeaderboardApi
from raceday.submitting.packing import ModelArchive, opened_archive
from raceday.submitting.sender import ModelSending
from shared.conditions import Conditions, DrivenRules
from simulator.driving.policy import DEMO, find_model
from simulator.farm.engine_process import ProcessEngine
from simulator.virtual_races.isolated import EvaluationJob
from tests.leaderboard import sample_races, signed_in

RACE_ID, TRACK = "cup", "reinvent_base"
QUEUE = 16
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
    waits_s, scaling = _submit_to_rank(10 if quick else 60, 1 if quick else 3)
    p50_s, p99_s = statistics.median(waits_s), waits_s[min(len(waits_s) - 1, round(0.99 * len(waits_s)))]
    (by_clock, by_processor), (of_four, _) = (_efficiency(2 if quick else 6, jobs) for jobs in (16, 4))
    out = console()
    out.print(f"farm: {len(waits_s)} submissions of 3 runs of 3 laps on {TRACK}, one after another, an idle farm")
    out.print(f"  submit to rank, p50       {p50_s:6.2f} s  (goal {GOALS['p50_s']:.0f} s)", markup=False)
    out.print(f"  submit to rank, p99       {p99_s:6.2f} s  (goal {GOALS['p99_s']:.0f} s)", markup=False)
    out.print(f"  two at a time, by clock   {by_clock:6.2f}    (goal {GOALS['efficiency']:.2f} on two idle cores)")
    out.print(f"  two at a time, processor  {by_processor:6.2f}    (goal {GOALS['efficiency']:.2f})", markup=False)
    out.print(
        f"  the same of 4 jobs        {of_four:6.2f}    (by clock; of 16 above: what begins and ends alone counts less)"
    )
    _tell_scaling(scaling, GOALS["efficiency"])
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "farm", "machine": machine(), "goals": GOALS, "waits_s": waits_s, "p50_s": p50_s}
    document |= {"p99_s": p99_s, "efficiency_by_clock": by_clock, "efficiency_by_processor": by_processor}
    document |= {"efficiency_by_clock_of_4_jobs": of_four}
    document |= {"whole_farm": asdict(scaling)}
    (OUT / "farm.json").write_text(json.dumps(document, indent=1) + "\n")


def _tell_scaling(scaling: FarmScaling, goal: float) -> None:
    """The whole farm: what it comes to, and what of it costs which processor time."""
    out, two = console(), [spells["two"] for spells in scaling.spells]
    out.print(f"  leaderboard, node and children, a queue of {QUEUE} submissions, two jobs beside one:")
    out.print(f"    all on one core, by clock  {scaling.pinned:5.2f}    (goal {goal:.2f})", markup=False)
    out.print(
        f"    with a core free, by clock {scaling.free:5.2f}    (one drives, leaderboard and node have the other)"
    )
    out.print(f"    by processor               {scaling.by_processor:5.2f}    (goal {goal:.2f})", markup=False)
    for name, costs in (
        ("the drives", [spell.children_s for spell in two]),
        ("the node", [spell.node_s for spell in two]),
        ("the leaderboard", [spell.server_s for spell in two]),
    ):
        out.print(f"    processor, {name:15} {1000 * statistics.median(costs) / QUEUE:5.0f} ms a submission")
    out.print(f"    {others_sentence(scaling.others)}", markup=False)


def _submit_to_rank(submissions: int, rounds: int) -> tuple[list[float], FarmScaling]:
    """Seconds from the first call to the rank, in order of length; then queues on one core and on two."""
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        folder = pathlib.Path(name)
        keys = _league(folder)
        server = sample_races.start(folder)
        try:
            api = LeaderboardApi(server.url, keys.racer)
            with _farm(server.url, keys.farm):
                waits_s = sorted(_once(api) for _ in range(submissions))
            store = folder / "leaderboard.db"
            queued = QueuedFarm(server.url, keys.farm, server.process.pid, store, lambda: _fill(api))
            return waits_s, queued.scaling(rounds)
        finally:
            server.stop()


def _league(folder: pathlib.Path) -> _Keys:
    """A race that a racer has entered, in the store of the server that is started next."""
    board, now_utc_ns = open_board(folder / "leaderboard.db"), time.time_ns()
    board.create_race(sample_races.race(RACE_ID, venue="virtual", track=TRACK, in_work_per_racer=QUEUE), 1)
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
        (made,) = _submitted(api, archive, 1)
    while True:
        found: dict[str, Any] = api.call("GET", f"/submissions/{made}").document["submission"]
        took_s = time.monotonic() - began_s
        if found["state"] == "scored":
            return took_s
        if took_s > _SCORED_WITHIN_S or found["state"] in ("failed", "rejected", "unqualified"):
            raise RuntimeError(f"the submission is {found['state']}: {found['sentence']}")
        time.sleep(_EVERY_S)


def _submitted(api: LeaderboardApi, archive: ModelArchive, count: int) -> set[str]:
    """The ids of so many submissions of the model."""
    sending = ModelSending(api, archive, time.sleep, lambda _done, _size: None, print)
    if sending.begin("demo"):
        sending.send()
    return {sending.submit(RACE_ID, "", os.urandom(8).hex())["submission_id"] for _ in range(count)}


def _fill(api: LeaderboardApi) -> set[str]:
    """The ids of a queue of submissions of the demo model."""
    with opened_archive(find_model(DEMO).parent) as archive:
        return _submitted(api, archive, QUEUE)


def _efficiency(rounds: int, jobs: int) -> tuple[float, float]:
    """What two jobs at a time bring beside one after another, 1.0 is all: by the clock, and by processor time.

    `jobs`: so many in a row. A farm has a queue; of four, the last one often drives alone for a while.
    """
    conditions = replace(Conditions(), track=TRACK, profile="physical", rules=DrivenRules(consecutive_laps=3))
    job = EvaluationJob(str(find_model(DEMO).parent), conditions, (1, 2, 3))
    one, two = ProcessEngine(1), ProcessEngine(2)
    for engine in (one, two):
        engine.submit(job).result()
    by_clock, by_processor = [], []
    for _ in range(rounds):
        (serial_s, serial_cpu_s), (both_s, both_cpu_s) = (_drive(engine, job, jobs) for engine in (one, two))
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
