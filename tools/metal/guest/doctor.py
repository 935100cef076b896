"""What `raceday doctor` finds on this machine, as its users get it. Called by status.py, bridge.py and easylap.py."""

import json
from dataclasses import dataclass

from tools.metal.guest.checks import check, run

DOCTOR_S = 900.0  # with another machine beside it the doctor of an emulated one took more than 300


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of the doctor; `is_good` None: it is neither well nor bad."""

    what: str
    is_good: bool | None
    seen: str


def doctor_finds(*words: str) -> dict[str, Found]:
    """The findings by what they are about, of `raceday doctor WORDS`."""
    return found_in(run(["raceday", "doctor", *words, "--json"], DOCTOR_S).stdout)


def found_in(printed: str) -> dict[str, Found]:
    """What `raceday doctor --json` printed; nothing if it printed nothing."""
    groups = json.loads(printed or "{}")
    each = [Found(item["what"], item["is_good"], item["seen"]) for group in groups.values() for item in group]
    return {found.what: found for found in each}


def check_finding(name: str, found: dict[str, Found], what: str, is_good: bool | None, words: str) -> None:
    """Checks that the doctor has found `what`, judges it so, and that its sentence holds these words."""
    finding = found.get(what)
    seen = f"{finding.is_good}: {finding.seen}" if finding else f"nothing of {what}; there are {', '.join(found)}"
    check(name, finding is not None and finding.is_good is is_good and words in finding.seen, seen)
