"""Writes the figures that test_same_figures.py compares with: `python -m tests.system.record_figures [KIND ...]`.

Run it only when a rule was changed on purpose (how laps are timed, counted, assigned, scored or ranked; what a
decoder or the car's controller makes of its input), and say in the commit which rule and why. Never run it to make a
moved or renamed program pass: then the program is wrong. Kinds are the files in `figures/`, without `.json`.
"""

import json
import pathlib
import sys
import tempfile
from typing import Any

from tests.system.figure_cases import CASES, Case

FIGURES = pathlib.Path(__file__).parent / "figures"
WIDTH = 240


def read(kind: str) -> dict[str, Any]:
    """The recorded documents of one kind, by name of the case."""
    path = FIGURES / f"{kind}.json"
    recorded: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return recorded


def compute(case: Case, folder: pathlib.Path, recorded: Any) -> Any:
    """Computes a case; returns the document as it would be read back from a file."""
    return json.loads(json.dumps(case(folder, recorded)))


def text(value: Any, indent: str = "") -> str:
    """The document as JSON, with one short object or list per line."""
    line = json.dumps(value)
    if len(line) + len(indent) <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + " "
    if isinstance(value, dict):
        members = [f"{deeper}{json.dumps(name)}: {text(member, deeper)}" for name, member in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + text(member, deeper) for member in value) + f"\n{indent}]"


def record(kind: str) -> None:
    """Records all cases of one kind in its file."""
    recorded, found = read(kind), {}
    for name, case in CASES[kind].items():
        with tempfile.TemporaryDirectory(prefix="raceday-figures-") as folder:
            found[name] = compute(case, pathlib.Path(folder), recorded.get(name, {}))
    (FIGURES / f"{kind}.json").write_text(text(found) + "\n")


def main(kinds: list[str]) -> None:
    """Records the kinds that are named, or all."""
    for kind in kinds or CASES:
        record(kind)
        sys.stdout.write(f"{kind}: {len(CASES[kind])} cases recorded\n")


if __name__ == "__main__":
    main(sys.argv[1:])
