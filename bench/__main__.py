"""`./dev bench [name] [--quick]`: the table of benches."""

import argparse
import importlib

# name -> module; each has `main(quick: bool) -> None`.
BENCHES: dict[str, str] = {
    "decoders": "bench.decoders",
    "durability": "bench.durability",
    "faults": "bench.faults",
    "import": "bench.importing",
    "journal": "bench.journal",
    "refusal": "bench.refusal",
    "station": "bench.station",
    "tamper": "bench.tamper",
    "timing": "bench.timing",
    "vehicle": "bench.vehicle",
    "wire": "bench.wire",
    "world": "bench.world",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("name", nargs="?", choices=tuple(BENCHES), help="one bench; without it, all")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: does it run, and roughly how fast")
    chosen = parser.parse_args()
    for name, module in BENCHES.items():
        if chosen.name in (None, name):
            importlib.import_module(module).main(chosen.quick)


if __name__ == "__main__":
    main()
