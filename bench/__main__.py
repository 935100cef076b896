"""`./dev bench [name] [--quick]`: runs one benchmark, or all of them. `python -m bench --help` lists the names."""

import argparse
import importlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bench:
    """A benchmark: the module whose `main(quick: bool) -> None` runs it, and what it measures."""

    module: str
    measures: str


BENCHES: dict[str, Bench] = {
    "bridge": Bench(
        "bench.vehicle.bridge", "a stock car by its bridge: time until its wheels stand, also after kill -9"
    ),
    "decoders": Bench("bench.station.decoders", "random bytes through each timing decoder: speed, hangs, memory"),
    "durability": Bench("bench.station.durability", "power cuts and kill -9: acknowledged records that were lost"),
    "event-size": Bench("bench.station.event_size", "200 racers, 1,000 runs, 10,000 laps: start, rulings, pages"),
    "farm": Bench("bench.simulator.farm", "submit to rank on an idle farm; two children beside one after another"),
    "faults": Bench("bench.vehicle.faults", "faults of the car's processes: time to neutral"),
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
    "posts": Bench("bench.leaderboard.posts", "abused posts and kill -9 of either side: lost, doubled, different"),
    "ray": Bench("bench.simulator.ray_efficiency", "a Ray cluster of two nodes, beside serial runs: efficiency"),
    "real-submissions": Bench(
        "bench.leaderboard.real_submissions", "as `submissions`, a few with real drives: by children, by a Ray cluster"
    ),
    "refusal": Bench("bench.station.disk_full", "a full disk: time until it is reported, and until work resumes"),
    "stalled": Bench("bench.leaderboard.stalled", "posts and pages beside 500 stalled connections, and without"),
    "sabotage": Bench("bench.sabotage.run", "24 planted bugs: is each caught by one of the campaigns"),
    "screens": Bench("bench.station.screens", "500 watchers beside a bare broadcaster; their cost for the timing"),
    "station": Bench("bench.station.throughput", "crossings per second, latency to 50 browsers, a million crossings"),
    "submissions": Bench(
        "bench.leaderboard.submissions", "2,000 submissions while servers, farms and nodes are killed: lost, doubled"
    ),
    "tamper": Bench("bench.station.tamper", "altered journals and evidence: which alterations are found"),
    "timing": Bench("bench.station.timing", "device clocks mapped to the station's clock: error and bound"),
    "virtual": Bench("bench.simulator.virtual", "many worlds at once, beside CarRacing-v3: steps, memory a world"),
    "vehicle": Bench("bench.vehicle.control_loop", "the car's control loop, beside its peers"),
    "watchers": Bench(
        "bench.leaderboard.watchers", "5,000 watchers of a race beside a bare broadcaster of the same bytes"
    ),
    "wire": Bench("bench.station.wire", "MQTT from publish to delivery: mosquitto and the embedded broker"),
    "world": Bench("bench.vehicle.world", "the mock world: a frame, a policy's answer, one closed-loop step"),
}


def main() -> None:
    names = "\n".join(f"  {name:16} {bench.measures}" for name, bench in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="./dev bench", epilog=f"benchmarks:\n{names}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "name", nargs="?", choices=tuple(BENCHES), metavar="name", help="one of those below; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a rough figure, and a check that it runs")
    parser.add_argument("--baseline", action="store_true", help="with virtual: measure the older commit again, too")
    chosen = parser.parse_args()
    if chosen.baseline and chosen.name != "virtual":
        parser.error("--baseline is for virtual")
    for name, bench in BENCHES.items():
        if chosen.name in (None, name):
            importlib.import_module(bench.module).main(chosen.quick, **({"baseline": True} if chosen.baseline else {}))


if __name__ == "__main__":
    main()
