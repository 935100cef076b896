"""A part of `./dev check`: one name for one thing. Prints a sentence for each fault; exit code 1 if there is one.

* No class name occurs twice in the product. `EXCEPTED` lists the few that may, with the reason.
* No folder of the product holds more than 14 loose modules.
* No identifier of the product is one of `RETIRED`, which lists names that the field does not use, with the term to use.
* Migrations are one chain by their numbers: two branches that each add one would give a store two newest states.
"""

import ast
import io
import keyword
import pathlib
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRODUCT = ("shared", "station", "vehicle", "leaderboard", "simulator", "raceday")
MAX_MODULES = 14
MIGRATIONS = ROOT / "leaderboard" / "migrations" / "versions"

# class name -> why two modules may have it
EXCEPTED: dict[str, str] = {}

# a whole identifier -> the term to use
RETIRED: dict[str, str] = {
    "moments": "moment",
    "likely": "likelihood",
    "manycars": "assignment",
    "carclock": "car_clock",
    "hall": "live state, track, venue",
    "Hall": "LiveState, GroundTruth",
    "paper": "reference model",
    "PaperRun": "ReferenceRun",
    "strikes": "injected faults",
    "Strikes": "FaultInjector",
    "turns": "starts",
    "teller": "publisher, reporter",
    "Teller": "Publisher, Reporter",
    "helm": "controller",
    "Helm": "DriveController",
    "Wish": "Setpoint",
    "wish": "setpoint, request",
    "desk": "phone control",
    "Desk": "PhoneControl",
    "tunedesk": "phone calibration",
    "Shelf": "ModelList",
    "shelf": "model list",
    "Crew": "ChildProcesses",
    "crew": "children",
    "Lifeline": "FailsafeLink",
    "lifeline": "fail-safe link",
    "keeper": "fail-safe",
    "Tuner": "CalibrationControl",
    "tuner": "calibration",
    "Fitting": "CalibrationSession",
    "WizardMind": "CalibrationSteps",
    "wizard": "calibration steps",
    "netless": "seccomp",
    "in_jail": "run_isolated",
    "jail": "isolated child",
    "Doors": "HostAndHeaderGuard",
    "doors": "access",
    "Voice": "MessageEncoder",
    "Dial": "BrokerConnection",
    "dial": "connection",
    "Outgoing": "SendQueue",
    "House": "StationHost, DemoLayout",
    "house": "host, layout",
    "Trouble": "StorageFault, RacerTrouble",
    "Together": "MultiCarAttribution",
    "ManyCars": "CrossingAssigner",
    "Fitness": "Readiness",
    "fitness": "readiness",
    "Patience": "a timeout, by what it waits for",
    "patience": "timeout",
    "EpochBegan": "ModeChanged",
    "CarHeard": "CarReportStored",
    "Tapped": "HandTime",
    "HandTap": "HandTime",
    "LapsRecast": "LapsRecomputed",
    "LapDone": "LapCompleted",
    "LapRuled": "LapAdjusted",
    "PassUnseen": "CrossingMissed",
    "SystemReplaced": "ReplacementTime",
    "GateJudged": "GateHealthChanged",
    "GiveCrossing": "AssignCrossing",
    "hear": "on_message, receive",
    "heard": "what was received",
    "told": "what was published",
    "tell": "publish, send",
    "said": "what was reported",
    "own_up": "raise_if_shed",
    "let_go": "evict",
    "CarBeat": "CarHeartbeat",
    "least": "min",
    "most": "max",
}
RETIRED_PREFIXES = {"MOST_": "MAX_", "LEAST_": "MIN_", "_MOST_": "_MAX_", "_LEAST_": "_MIN_"}


def modules() -> Iterator[pathlib.Path]:
    """Every module of the product, without the migrations."""
    for machine in PRODUCT:
        yield from (path for path in sorted((ROOT / machine).rglob("*.py")) if "versions" not in path.parts)


def doubled_classes(paths: Iterable[pathlib.Path]) -> Iterator[str]:
    """A sentence for each class name that occurs in two modules or more."""
    places_of: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places_of[node.name].append(str(path.relative_to(ROOT)))
    for name, places in sorted(places_of.items()):
        if len(places) > 1 and name not in EXCEPTED:
            yield f"the class name {name} occurs in {', '.join(places)}: give each class its own."


def crowded_folders(paths: Iterable[pathlib.Path]) -> Iterator[str]:
    """A sentence for each folder with too many loose modules."""
    count: dict[pathlib.Path, int] = defaultdict(int)
    for path in paths:
        count[path.parent] += path.name != "__init__.py"
    for folder, modules_in in sorted(count.items()):
        if modules_in > MAX_MODULES:
            yield f"{folder.relative_to(ROOT)} holds {modules_in} modules; group them, {MAX_MODULES} at most."


def retired_names(paths: Iterable[pathlib.Path]) -> Iterator[str]:
    """A sentence for each identifier that the field does not use."""
    for path in paths:
        shown = path.relative_to(ROOT)
        if (term := RETIRED.get(path.stem)) is not None:
            yield f"{shown}: a module is not called {path.stem}: {term}."
        seen: set[str] = set()
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            name = token.string
            if token.type != tokenize.NAME or keyword.iskeyword(name) or name in seen:
                continue
            seen.add(name)
            if term := retired(name):
                yield f"{shown}:{token.start[0]}: {name} is not a name of the field: {term}."


def retired(name: str) -> str:
    """The term to use instead of this identifier, "" if it is allowed."""
    bare = name.strip("_")
    if bare in RETIRED:
        return RETIRED[bare]
    return next((new + name.removeprefix(old) for old, new in RETIRED_PREFIXES.items() if re.match(old, name)), "")


def unchained_migrations(paths: Iterable[pathlib.Path]) -> Iterator[str]:
    """A sentence for each migration that does not follow the one before it, by its number."""
    before = "None"
    for path in sorted(paths):
        number, written = path.name.partition("_")[0], path.read_text()
        named = dict(re.findall(r'^(revision|down_revision)\b.*= "?(\w+)"?$', written, re.MULTILINE))
        if named != {"revision": number, "down_revision": before}:
            follows = "is the first" if before == "None" else f"follows {before}"
            yield f"{path.name}: the migration {follows}: number the file, `revision` and `down_revision` so."
        before = number


def main() -> int:
    """Print every fault; returns the exit code of the check."""
    paths = list(modules())
    faults = [*doubled_classes(paths), *crowded_folders(paths), *retired_names(paths)]
    faults += unchained_migrations(MIGRATIONS.glob("*_*.py"))
    print("\n".join(faults) if faults else f"{len(paths)} modules: one name for one thing.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
