"""`raceday protest RUN -o bundle.zip`: all that made a run's times, for whoever doubts them."""

import argparse
import pathlib

from shared.config import load
from station.build import JOURNAL
from station.config import StationConfig
from station.evidence.bundle import make


def main(arguments: list[str]) -> int:
    """The command. Raises BadInput, StorageError."""
    parser = argparse.ArgumentParser(prog="raceday protest", description="Everything about one run, to be checked.")
    parser.add_argument("run", help="the run's id, as the station's page shows it")
    parser.add_argument("-o", "--out", type=pathlib.Path, metavar="FILE", help="default: protest-RUN.zip")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--config", type=pathlib.Path, default=pathlib.Path("config/station.toml"), metavar="FILE")
    source.add_argument("--journal", type=pathlib.Path, metavar="FILE", help="a station.db, instead of the config's")
    asked = parser.parse_args(arguments)
    journal = asked.journal or load(asked.config, StationConfig).data_dir / JOURNAL
    out = asked.out or pathlib.Path(f"protest-{asked.run}.zip")
    sentence = make(journal, asked.run, out)
    print(f"{out}: {sentence}")  # noqa: T201  the answer
    print(f"anybody checks it with: python3 {out}")  # noqa: T201  the answer
    return 0
