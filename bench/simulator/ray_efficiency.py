"""A Ray cluster of two nodes beside serial runs on this machine: what the cluster costs for the same jobs.

By processor time, of all processes of either, so that it holds on a busy machine as well; and by the clock: serial
time over twice the cluster's, which says something on a machine with two cores that does nothing else.
"""

import json
import pathlib
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future

import psutil
from rich.table import Table

from bench.busy import OthersShare, others_sentence
from bench.report import OUT, console, machine
from shared.conditions import Conditions, DrivenRules
from simulator.driving.policy import DEMO, find_model
from simulator.farm.canary import canary_sha256
from simulator.farm.engine_process import ProcessEngine
from simulator.farm.engine_ray import RayEngine
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport
from tests.simulator.farm.ray_cluster import two_nodes

LEAST = 0.92
_CONDITIONS = Conditions(track="reinvent_base", laps=3, profile="physical", rules=DrivenRules(consecutive_laps=1))
Submit = Callable[[EvaluationJob], Future[EvaluationReport]]


def main(quick: bool) -> None:
    """Measure rounds of both, interleaved."""
    rounds, jobs = (1, 6) if quick else (4, 12)
    serial, cluster = [0.0, 0.0], [0.0, 0.0]
    with tempfile.TemporaryDirectory(prefix="rd-") as folder, two_nodes(pathlib.Path(folder)) as nodes:
        ours, theirs = ProcessEngine(1), RayEngine(nodes.address, None, lambda sentence: console().print(sentence))
        for engine, machines in ((ours, 1), (theirs, 2)):
            canary_sha256(engine)
            _driven(engine.submit, 0, 2 * machines)  # all is loaded, on each machine
        others = OthersShare()
        for number in range(rounds):
            for spent, engine in ((serial, ours), (cluster, theirs)):
                clock_s, processor_s = _driven(engine.submit, number * jobs, jobs)
                spent[0] += clock_s
                spent[1] += processor_s
        share = others.share(serial[1] + cluster[1])
        theirs.close()
        ours.close()
    by_processor, by_clock = serial[1] / cluster[1], serial[0] / (2 * cluster[0])
    table = Table(title=f"{rounds * jobs} jobs of three laps: two Ray nodes of a core each, beside serial runs")
    for heading in ("", "clock s", "processor s"):
        table.add_column(heading)
    for name, (clock_s, processor_s) in (("serial", serial), ("Ray", cluster)):
        table.add_row(name, f"{clock_s:.1f}", f"{processor_s:.1f}")
    table.add_row("efficiency", f"{by_clock:.3f}", f"{by_processor:.3f}")
    console().print(table)
    console().print(others_sentence(share), markup=False)
    OUT.mkdir(parents=True, exist_ok=True)
    figures = {
        "serial_s": serial,
        "ray_s": cluster,
        "by_processor": by_processor,
        "by_clock": by_clock,
        "others": share,
    }
    document = {"bench": "ray", "machine": machine(), "least": LEAST} | figures
    (OUT / "ray.json").write_text(json.dumps(document, indent=1) + "\n")


def _driven(submit: Submit, first_seed: int, jobs: int) -> tuple[float, float]:
    """(seconds by the clock, seconds of processor) for these jobs."""
    model, began, before = str(find_model(DEMO).parent), time.perf_counter(), _processor_s()
    for driven in [submit(EvaluationJob(model, _CONDITIONS, (first_seed + n,))) for n in range(jobs)]:
        driven.result()
    return time.perf_counter() - began, _processor_s() - before


def _processor_s() -> float:
    """Of this process, and of all that it started and they did."""
    this = psutil.Process()
    times = [each.cpu_times() for each in (this, *this.children(recursive=True)) if each.is_running()]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)
