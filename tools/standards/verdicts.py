"""What we say of each requirement of a standard: read from the TOML beside its page, and what is wrong with it.

["2.3.3"]
about = "all or nothing"
verdict = "met"                                   # or {station = "met", board = "not", car = "not applicable"}
why = "..."
proof = ["tests/.../test_x.py::test_y", "station/store/journal.py::Journal"]
"""

import pathlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.standards.catalogue import Standard
from tools.standards.proofs import proof_fault

MET, NOT, NOT_APPLICABLE = "met", "not", "not applicable"
VERDICTS = (MET, NOT_APPLICABLE, NOT)
SHOW_BY_THEMSELVES = ("tests/", "docs/")  # of what has to be documented, the document
KEYS = {"about", "verdict", "why", "proof"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: `about` in our own few words, the verdict for each machine, why, and what shows it."""

    number: str
    about: str
    verdicts: Mapping[str, str]
    why: str
    proofs: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Of all machines together: "not" if it is not met on one, "met" if it is wherever it applies."""
        given = set(self.verdicts.values())
        return next(verdict for verdict in (NOT, MET, NOT_APPLICABLE) if verdict in given)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A whole page: its heading, what stands before the tables, and the requirements in the standard's order."""

    title: str
    intro: str
    requirements: tuple[Requirement, ...]


def read_assessment(path: pathlib.Path, standard: Standard, root: pathlib.Path) -> tuple[Assessment, list[str]]:
    """The page's data, and one line for each fault in it; with a fault, requirements may be missing."""
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:  # also for a number that stands there twice
        return Assessment("", "", ()), [f"{path.name}: {error}"]
    title, intro = str(document.pop("title", "")), str(document.pop("intro", ""))
    faults = [
        f"{path.name}: {number} is no requirement of {standard.name}"
        for number in document.keys() - standard.strengths.keys()
    ]
    requirements = []
    for number in standard.strengths:
        if number not in document:
            faults.append(f"{path.name}: {number} is missing")
            continue
        found = list(_faults_of(document[number], standard, root))
        faults += [f"{path.name}: {number}: {fault}" for fault in found]
        if not found:
            requirements.append(_requirement(number, document[number], standard))
    return Assessment(title, intro.strip(), tuple(requirements)), faults


def _requirement(number: str, entry: dict[str, Any], standard: Standard) -> Requirement:
    given = entry["verdict"]
    verdicts = given if isinstance(given, dict) else dict.fromkeys(standard.machines, given)
    return Requirement(number, entry["about"], verdicts, entry.get("why", ""), tuple(entry.get("proof", ())))


def _faults_of(entry: object, standard: Standard, root: pathlib.Path) -> Iterator[str]:
    """What is wrong with one entry."""
    if not isinstance(entry, dict) or entry.keys() - KEYS or not entry.get("about"):
        yield f"an entry has `about`, `verdict`, `why` and `proof`, and no other key: {entry!r:.100}"
        return
    given = entry.get("verdict")
    each = given if isinstance(given, dict) else dict.fromkeys(standard.machines, given)
    if each.keys() != set(standard.machines) or not set(each.values()) <= set(VERDICTS):
        yield f"`verdict` is one of {', '.join(VERDICTS)}, or one of them for each of {', '.join(standard.machines)}"
        return
    proofs = entry.get("proof", [])
    if set(each.values()) != {MET} and not entry.get("why"):
        yield "say `why` it is not met, or not applicable"
    shown = any(proof.startswith(SHOW_BY_THEMSELVES) for proof in proofs) or (proofs and entry.get("why"))
    if MET in each.values() and not shown:
        yield "what is met names the test that shows it in `proof`; where none can, the code, with how in `why`"
    yield from (fault for proof in proofs if (fault := proof_fault(proof, root)))
