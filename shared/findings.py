"""Findings: what a check of a machine saw, whether it is good, and what cures it.

Drivers, `raceday install` and `raceday doctor` return them; the doctor prints them as its table.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    `what` names it in a few words ("camera /dev/video0"); `is_good` is True, False, or None where nothing can be said
    or a person must judge; `seen` is a sentence of what was seen; `cure` is what to do, "" where nothing is.
    """

    what: str
    is_good: bool | None
    seen: str
    cure: str = ""


def all_good(findings: Iterable[Finding]) -> bool:
    """False as soon as one finding is bad; what nobody can judge does not count against the machine."""
    return all(finding.is_good is not False for finding in findings)
