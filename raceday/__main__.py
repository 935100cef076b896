"""The `raceday` command: a table of commands, and the one place where an error becomes a sentence and an exit code."""

import contextlib
import errno
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from raceday.extras import missing_sentence
from raceday.version import version_text
from shared.errors import HardwareMissing, RacedayError, StorageError
from shared.files import DISK_FULL
from shared.process.start_up import without_collecting

# ONNX Runtime sends telemetry from its first import on, unless this is set before.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

DISK_ERRORS = DISK_FULL | {errno.EROFS}
RACE_EXTRAS = ("station", "simulator")
DEMO_EXTRAS = ("station", "vehicle", "leaderboard", "simulator")


@dataclass(frozen=True, slots=True)
class CliCommand:
    """A command: its name, the module with its `main(arguments) -> exit code`, and one line of help.

    `extras` are those that it needs, where its module's machine does not say it (`raceday/extras.py`).
    """

    words: str
    module: str
    what: str
    main: str = "main"
    extras: tuple[str, ...] = ()


# A module is imported only when its command is called.
COMMANDS: tuple[CliCommand, ...] = (
    CliCommand("demo", "raceday.demo.demo", "a whole race on this machine, with no hardware", extras=DEMO_EXTRAS),
    CliCommand("vehicle", "vehicle.commands.vehicle", "the car's agent: guard, pilot and comms"),
    CliCommand("bridge", "vehicle.commands.bridge", "a stock car, whose own software stays, as a car of ours"),
    CliCommand("station", "station.commands.station", "the trackside station: gates, laps, officiating, the live page"),
    CliCommand("sync", "station.commands.sync", "the service that posts qualified results to the leaderboard"),
    CliCommand("leaderboard", "leaderboard.cli", "the reference leaderboard"),
    CliCommand("vendor", "station.commands.vendor", "check an endpoint that stations are to post to: vendor check"),
    CliCommand("league", "leaderboard.commands.league", "a leaderboard's data: backup, restore, archive a season"),
    CliCommand("world", "simulator.realtime.world_process", "the mock world: track, car, camera, gates"),
    CliCommand("broker", "raceday.broker", "a loopback MQTT broker for the demo"),
    CliCommand("race", "raceday.simulate", "whole races on virtual time: race simulate", extras=RACE_EXTRAS),
    CliCommand(
        "model",
        "raceday.model",
        "models: check, import, inspect, list, quantise, select, remove, replay, evaluate, train, render, choose, race,"
        " video",
        extras=("vehicle",),
    ),
    CliCommand("verify", "simulator.farm.verify.cli", "drive a virtual race's result again and compare"),
    CliCommand("farm", "simulator.farm.cli", "drive what racers submit to the virtual races of a leaderboard"),
    CliCommand("live", "simulator.farm.cli", "drive the turns of LIVE virtual races in real time", "live_main"),
    CliCommand("submit", "raceday.submitting.submit", "send a model to a leaderboard and submit it to a virtual race"),
    CliCommand(
        "print",
        "vehicle.commands.print_boards",
        "the gate's boards as a PDF at true scale: print boards",
        extras=("print",),
    ),
    CliCommand("run", "vehicle.commands.run", "what a car's black box recorded: run list, run plot"),
    CliCommand(
        "gate", "station.commands.gate.gate", "gates and decoders: list, probe, watch, decode, record, play, sync-check"
    ),
    CliCommand("install", "raceday.install.command", "make this machine a station, a car or a leaderboard; upgrade it"),
    CliCommand("rank", "raceday.rank", "rank a CSV of results by a method"),
    CliCommand("replay", "station.commands.replay", "run a journal through the engine again and compare the facts"),
    CliCommand(
        "journal",
        "station.commands.journal",
        "check a journal, or save what is readable of a damaged one: journal verify, salvage",
    ),
    CliCommand(
        "backup", "station.commands.backup", "copy the station's journal, key and posts into one file", "backup"
    ),
    CliCommand("restore", "station.commands.backup", "restore the station's files from a backup", "restore"),
    CliCommand(
        "doctor", "raceday.doctor.cli", "look at this machine: each device seen, allowed, working; what to mend"
    ),
    CliCommand("certs", "raceday.certs.cli", "certificates of an event's machines: init, machine, car, revoke, show"),
    CliCommand("protest", "station.commands.protest", "everything about one run, in a bundle that checks itself"),
)

# They keep what is their user's alone: journals, keys, models, people. Also where no unit of systemd says so, nobody
# else reads the files that they make.
KEEP_DATA = frozenset(
    ("vehicle", "bridge", "station", "sync", "leaderboard", "league", "farm", "live", "journal", "backup", "restore")
)


def main(arguments: list[str] | None = None) -> int:
    """`raceday COMMAND ...`; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    command = next((c for c in COMMANDS if words[:1] == [c.words]), None)
    if words[:1] in (["--version"], ["-V"]):
        print(version_text())
        return 0
    if command is None:
        return _usage(words[:1])
    signal.signal(signal.SIGTERM, _stop)
    try:
        with without_collecting():
            module = importlib.import_module(command.module)
        with _umask(0o077 if command.words in KEEP_DATA else None):
            code: int = getattr(module, command.main)(words[1:])
    except RacedayError as error:
        print(f"raceday {command.words}: {error}", file=sys.stderr)
        return error.exit_code
    except ImportError as error:
        sentence = missing_sentence(command.module, command.extras, error)
        if sentence is None:
            raise
        print(f"raceday {command.words}: {sentence}", file=sys.stderr)
        return HardwareMissing.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of the pipe (`| head`) is gone.
        sys.stderr.close()
        return 1
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        where = f" at {error.filename}" if error.filename else ""
        cure = "free some space" if error.errno in DISK_FULL else "mount it for writing; a card that fails refuses so"
        print(f"raceday {command.words}: the disk refused{where} ({error.strerror}): {cure}.", file=sys.stderr)
        return StorageError.exit_code
    return code


@contextlib.contextmanager
def _umask(mask: int | None) -> Iterator[None]:
    """Under this umask, and under the one before afterwards; None: as it is."""
    before = None if mask is None else os.umask(mask)
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second signal must not interrupt the clean-up
    raise SystemExit(0)


def _usage(words: list[str]) -> int:
    wants_help = words in ([], ["-h"], ["--help"], ["help"])
    out = sys.stdout if wants_help else sys.stderr
    if not wants_help:
        print(f"raceday: there is no command {words[0]!r}.", file=out)
    print("usage: raceday COMMAND [options]   (raceday COMMAND --help; raceday --version)\n", file=out)
    for command in COMMANDS:
        print(f"  {command.words:<12} {command.what}", file=out)
    return 0 if wants_help else 2


if __name__ == "__main__":
    sys.exit(main())
