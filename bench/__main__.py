"""`./dev bench [name] [--quick]`: runs one benchmark, or all of them. `python -m bench --help` lists the names."""

import argparse
import importlib
import sys
from dataclasses import dataclass
from typing import Any

from shared.errors import RacedayError


@dataclass(frozen=True, slots=True)
class Bench:
    """A benchmark: the module whose `main(quick, **options) -> None` runs it, what it measures, and its options."""

    module: str
    measures: str
    options: tuple[str, ...] = ()


BENCHES: dict[str, Bench] = {
    "bridge": Bench(
        "bench.vehicle.bridge", "a stock car by its bridge: time until its wheels stand, also after kill -9"
    ),
    "decoders": Bench("bench.station.decoders", "random bytes through each timing decoder: speed, hangs, memory"),
    "event-size": Bench("bench.station.event_size", "200 racers, 1,000 runs, 10,000 laps: start, rulings, pages"),
    "farm": Bench("bench.simulator.farm", "submit to rank on an idle farm; two children beside one after another"),
    "flood": Bench("bench.station.flood", "20,000 messages a second of one car: how late another car's leases come"),
    "fuzz": Bench("bench.fuzz.campaign", "every parser of what comes from outside: inputs that escape", ("minutes",)),
    "import": Bench("bench.vehicle.model_import", "import of a full-size DeepRacer archive: time and memory"),
    "journal": Bench("bench.station.journal", "committing one crossing and its lap, beside a plain SQLite insert"),
    "lapwatch-optics": Bench(
        "bench.vehicle.lapwatch_optics", "the lap watcher through real optics and lenses: its report beside the truth"
    ),
    "leaderboard": Bench(
        "bench.leaderboard.big_boards", "a million racers beside ten thousand, Redis and plain SQL: pages, ranks, posts"
    ),
    "pages": Bench(
        "bench.station.page_work", "a slow browser: work for each update and longest task, beside a plain page"
    ),
    "ray": Bench("bench.simulator.ray_efficiency", "a Ray cluster of two nodes, beside serial runs: efficiency"),
    "real-submissions": Bench(
        "bench.leaderboard.real_submissions", "as `submissions`, a few with real drives: by children, by a Ray cluster"
    ),
    "refusal": Bench("bench.station.disk_full", "a full disk: time until it is reported, and until work resumes"),
    "schemathesis": Bench("bench.web.generated", "every call with generated documents: 5xx, undeclared", ("minutes",)),
    "stalled": Bench("bench.leaderboard.stalled", "posts and pages beside 500 stalled connections, and without"),
    "sabotage": Bench("bench.sabotage.run", "25 planted bugs: is each caught by one of the campaigns"),
    "screens": Bench("bench.station.screens", "500 watchers beside a bare broadcaster; their cost for the timing"),
    "station": Bench("bench.station.throughput", "crossings per second, latency to 50 browsers, a million crossings"),
    "submissions": Bench(
        "bench.leaderboard.submissions", "2,000 submissions while servers, farms and nodes are killed: lost, doubled"
    ),
    "tamper": Bench("bench.station.tamper", "altered journals and evidence: which alterations are found"),
    "timing": Bench("bench.station.timing", "device clocks mapped to the station's clock: error and bound"),
    "virtual": Bench(
        "bench.simulator.virtual", "many worlds at once, beside CarRacing-v3: steps, memory a world", ("baseline",)
    ),
    "vehicle": Bench("bench.vehicle.control_loop", "the car's control loop, beside its peers"),
    "watchers": Bench(
        "bench.leaderboard.watchers", "5,000 watchers of a race beside a bare broadcaster of the same bytes"
    ),
    "wire": Bench("bench.station.wire", "MQTT from publish to delivery: mosquitto and the embedded broker"),
    "world": Bench("bench.vehicle.world", "the mock world: a frame, a policy's answer, one closed-loop step"),
}


# Thousands of trials each, whose whole runs take from minutes to hours: `campaigns` runs all of them.
CAMPAIGNS: dict[str, Bench] = {
    "kills": Bench("bench.campaigns.kills", "10,000 kill -9 of all processes of a hall and of its cars"),
    "power-cuts": Bench("bench.campaigns.power_cuts", "14,500 power cuts of every store, some with less syncing"),
    "partitions": Bench("bench.campaigns.partitions", "1,500 partitions and broker kills: laps lost, catching up"),
    "raw-answers": Bench("bench.campaigns.raw_answers", "100,000 raw HTTP answers to sync"),
    "posts": Bench("bench.campaigns.posts", "100,000 abused posts and kill -9 of either side"),
    "faults": Bench("bench.campaigns.faults", "faults of the car's processes, 20 trials each: time to neutral"),
    "race-hours": Bench("bench.campaigns.race_hours", "10,000 simulated race-hours, by ranges of seeds", ("seeds",)),
}


def main() -> None:
    chosen = _arguments()
    names = {"": BENCHES, "campaigns": CAMPAIGNS}.get(chosen.name, {chosen.name: None})
    failed = False
    for name in names:
        try:
            _run(name, chosen)
        except RacedayError as error:
            print(error, file=sys.stderr)
            failed = True
    sys.exit(1 if failed else 0)


def _run(name: str, chosen: argparse.Namespace) -> None:
    bench = BENCHES.get(name) or CAMPAIGNS[name]
    options: dict[str, Any] = {each: value for each in bench.options if (value := getattr(chosen, each))}
    if name in CAMPAIGNS:
        options["resume"] = chosen.resume
    importlib.import_module(bench.module).main(chosen.quick, **options)


def _arguments() -> argparse.Namespace:
    table = [f"  {name:16} {bench.measures}" for name, bench in BENCHES.items()]
    table += ["campaigns, each with --resume:", *(f"  {name:16} {each.measures}" for name, each in CAMPAIGNS.items())]
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        epilog="\n".join(["benchmarks:", *table]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ("", "campaigns", *BENCHES, *CAMPAIGNS)
    what = "one of those below; `campaigns`: all of these, one after the other; default: all benchmarks"
    parser.add_argument("name", nargs="?", default="", choices=names, metavar="name", help=what)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a rough figure, and a check that it runs")
    parser.add_argument("--resume", action="store_true", help="a campaign: go on where run/bench/NAME.json ends")
    parser.add_argument("--seeds", default="", metavar="A..B", help="race-hours: only these seeds now")
    parser.add_argument("--minutes", type=float, metavar="N", help="fuzz, schemathesis: for so long")
    parser.add_argument("--baseline", action="store_true", help="virtual: measure the older commit again, too")
    chosen = parser.parse_args()
    if chosen.resume and chosen.name not in ("campaigns", *CAMPAIGNS):
        parser.error("--resume is for a campaign")
    for option in ("seeds", "minutes", "baseline"):
        if getattr(chosen, option) and option not in (BENCHES | CAMPAIGNS).get(chosen.name, Bench("", "")).options:
            parser.error(f"--{option} is not for {chosen.name or 'all'}")
    return chosen


if __name__ == "__main__":
    main()
