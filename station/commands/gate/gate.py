"""`raceday gate VERB ...`: the table of its verbs, which inspect gates and decoders and read what they send."""

import importlib
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: its name, the module whose `main(arguments)` returns the exit code, and what it does."""

    name: str
    module: str
    what: str


# A verb's module is imported only when the verb is used: `decode` needs neither a port nor a config.
VERBS = (
    Verb(
        "list", "station.commands.gate.list_all", "list gate drivers, protocols, and the serial ports of this machine"
    ),
    Verb("probe", "station.commands.gate.probe", "listen on a port and identify the device on it"),
    Verb("watch", "station.commands.gate.watch", "show each edge and passing as it arrives, and the gate's health"),
    Verb("decode", "station.commands.gate.decode", "turn recorded bytes into one JSON line per frame"),
    Verb("record", "station.commands.gate.record", "record what a port sends, with times"),
    Verb("play", "station.commands.gate.play", "send a recording again, over TCP or on a pseudo-terminal"),
    Verb(
        "sync-check",
        "station.commands.gate.sync_check",
        "close one contact on every gate, twice: do their clocks agree within 1 ms?",
    ),
)


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises OperatorError for what a person must fix."""
    verb = next((verb for verb in VERBS if arguments[:1] == [verb.name]), None)
    if verb is not None:
        code: int = importlib.import_module(verb.module).main(arguments[1:])
        return code
    wants_help = arguments[:1] in ([], ["-h"], ["--help"])
    out = sys.stdout if wants_help else sys.stderr
    if not wants_help:
        print(f"raceday gate: there is no verb {arguments[0]!r}.", file=out)
    print("usage: raceday gate VERB [options]\n", file=out)
    for verb in VERBS:
        print(f"  {verb.name:<10} {verb.what}", file=out)
    return 0 if wants_help else 2
