"""`raceday protest RUN --race RACE`: writes all evidence about a run to one bundle; `--check` checks one."""

import argparse
import pathlib

from shared.chosen_config import add_config_option, chosen_config
from shared.config import load
from station.build import JOURNAL
from station.commands.journal import parsed_key
from station.config import StationConfig
from station.evidence.bundle import make_bundle
from station.evidence.limited_check import check_in_child


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises BadInput, StorageError."""
    parser = argparse.ArgumentParser(
        prog="raceday protest", description="Writes all evidence about one run to a bundle, or checks a bundle."
    )
    parser.add_argument("run", nargs="?", help="the run's id, as the station's page shows it")
    parser.add_argument("--race", default="", metavar="RACE", help="the race, if several have a run with this id")
    parser.add_argument("--check", metavar="BUNDLE", help="check this bundle; the program in it is not run")
    parser.add_argument(
        "--key", action="append", default=[], metavar="HEX", help="with --check: trust only this public key"
    )
    parser.add_argument("-o", "--out", type=pathlib.Path, metavar="FILE", help="default: protest-RUN.zip")
    source = parser.add_mutually_exclusive_group()
    add_config_option(source, "station.toml")
    source.add_argument("--journal", type=pathlib.Path, metavar="FILE", help="a station.db, instead of the config's")
    options = parser.parse_args(arguments)
    if (options.run is None) == (options.check is None):
        parser.error("name a run, or a bundle with --check.")
    if options.check is not None:
        return check_in_child(options.check, frozenset(parsed_key(text).hex() for text in options.key))
    journal = options.journal or load(chosen_config(options.config, "station.toml"), StationConfig).data_dir / JOURNAL
    out = options.out or pathlib.Path(f"protest-{options.run}.zip")
    sentence = make_bundle(journal, options.run, out, options.race)
    print(f"{out}: {sentence}")
    print(f"anybody can check it with: python3 {out}")
    return 0
