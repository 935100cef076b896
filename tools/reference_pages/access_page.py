"""docs/reference/access.md: every address and who is let through, from the tables that the tests hold the apps to."""

import pathlib

from station.access.command_roles import ROLE_OF_COMMAND
from station.core.commands import COMMANDS
from tools.reference_pages.markdown import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRIED = """Each cell was tried: a test calls every address as every kind of caller and compares the answer with its
table, and an address that is not in a table fails that test.
**ok**: let through, whatever is then said of an empty request · **sign-in**: a page that sends to the sign-in ·
**401**: nobody known · **403**: known, and not allowed · **404**: nothing of that name, or nothing for this caller.
In front of all three, and in no table: `/trust`, which everybody may read where there is a certificate; `/metrics` has
a port of its own."""
OF_THE_BOARD = ("nobody", "racer", "invited", "removed", "other", "organiser", "official", "commentator", "admin")
STATION = """*viewer* to *admin*: people who are signed in. *tablet*, *screen*: a paired device (of a referee; a screen)
at which nobody is signed in. *script*: the token of a script, here an operator's."""
CAR = """*phone*: it claimed the car with the code. *page*: a page of another site in that phone's browser."""
BOARD = """*racer*: an account without an entry. *invited*, *removed*: in this race. *other*: an organiser of another
season. *organiser*, *official*, *commentator*: of the race's season. *key*: a station's, *farm*: of one that drives
submissions, each bound to the race. Lines of a race are tried in a public and in a private one; "other": what another
account has."""


def access_page() -> str:
    """The whole page."""
    parts = ["# Who may call what", TRIED]
    parts += ["\n## Station", STATION + "\n", _of_machine("tests/station/web/role_table.txt")]
    commands = sorted((ROLE_OF_COMMAND[kind], name) for name, kind in COMMANDS.items())
    parts += ["\n## Station: commands", "By `POST /api/v1/commands`; a higher role may do what a lower one may.\n"]
    parts += [table(("command", "from"), [(f"`{name}`", role.word) for role, name in commands])]
    parts += ["\n## Car's console", CAR + "\n", _of_machine("tests/vehicle/web/role_table.txt")]
    parts += ["\n## Leaderboard: calls", BOARD + "\n", _of_calls("tests/leaderboard/api/role_table.txt")]
    parts += ["\n## Leaderboard: pages and forms", "As above.\n", _of_machine("tests/leaderboard/pages/page_roles.txt")]
    return "\n".join(parts) + "\n"


def _of_machine(name: str) -> str:
    """A table whose first line names the callers."""
    head, *lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    rows = [tuple(line.split()) for line in lines]
    return table(("call", *head.split()[1:]), [(f"`{row[0]} {row[1]}`", *row[2:]) for row in rows])


def _of_calls(name: str) -> str:
    """The table of the leaderboard's calls: method, address, kind of race, callers."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    rows = [tuple(line.split()) for line in lines if not line.startswith("#")]
    return table(("call", "race", *OF_THE_BOARD, "key", "farm"), [(f"`{row[0]} {row[1]}`", *row[2:]) for row in rows])
