"""The broker's access rules as mosquitto reads them, from who holds a certificate. Pure.

The rules themselves are those of `shared/link/acl.py`: cars share one pattern, a station and a display have a block
each. A name that holds no good certificate any more is denied everything, so that a connection that stands is stopped
by the broker's next reload; the list of revoked certificates only keeps it from coming again. Lines below the last mark
are the organiser's own and stay.
"""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Literal

from raceday.certs.machine_names import checked_machine_name
from shared.errors import Refused
from shared.link.acl import ADDRESSED, MAY_READ, MAY_WRITE

RuledAs = Literal["station", "display", "denied"]

FIRST = (
    "# Written by `raceday certs`; the rules are those of shared/link/acl.py. Your own lines go below the last mark."
)
LAST = "# -- end of what `raceday certs` writes --"
_DENIED, _STATIONS_OWN = "topic deny #", f"topic write {ADDRESSED}"  # the latter also in files of earlier releases


def acl_text(
    stations: Sequence[str], displays: Sequence[str] = (), denied: Iterable[str] = (), own_lines: str = ""
) -> str:
    """The whole file. All names are checked ones."""
    parts = [
        FIRST,
        "# %u is the CN of the machine's certificate.",
        "",
        "# Every car publishes under its own name and receives what is sent to it: these topics and no others, so that",
        "# a car can store no more at the broker than one message on each.",
        *(f"pattern write {topic}" for topic in MAY_WRITE["car"]),
        *(f"pattern read {topic}" for topic in MAY_READ["car"]),
    ]
    for name in stations:
        parts += ["", "# A station. The deny line takes away what the patterns above allow cars.", f"user {name}"]
        parts += [f"topic deny raceday/cars/{name}/#"]
        parts += [f"topic write {topic.replace('%u', name)}" for topic in MAY_WRITE["station"]]
        parts += [f"topic read {topic}" for topic in MAY_READ["station"]]
    for name in displays:
        parts += ["", "# A screen or bridge that only subscribes.", f"user {name}"]
        parts += [f"topic deny raceday/cars/{name}/#", *(f"topic read {topic}" for topic in MAY_READ["station"])]
    for name in denied:
        parts += ["", "# Its certificates are revoked.", f"user {name}", _DENIED]
    return "\n".join([*parts, "", LAST, ""]) + own_lines


def own_lines(text: str) -> str | None:
    """The organiser's own lines of a file that `acl_text` wrote; None for a file of another origin."""
    if not text.startswith(FIRST):
        return None
    return text.partition(f"\n{LAST}\n")[2]


def names_in(text: str) -> dict[str, RuledAs]:
    """Whom a file that `acl_text` wrote names, and as what, by its rules; {} for a file of another origin."""
    if own_lines(text) is None:
        return {}
    found: dict[str, RuledAs] = {}
    for block in text.partition(f"\n{LAST}\n")[0].split("\nuser ")[1:]:
        name, _, written = block.partition("\n")
        rules = written.splitlines()
        with contextlib.suppress(Refused):  # the file may have been edited, and a name such as "#" would be a pattern
            found[checked_machine_name(name)] = _ruled_as(rules)
    return found


def _ruled_as(rules: Sequence[str]) -> RuledAs:
    if _DENIED in rules:
        return "denied"
    return "station" if any(rule.startswith(_STATIONS_OWN) for rule in rules) else "display"
