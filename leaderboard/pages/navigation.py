"""The links in the head of every page: a line for each. Add yours to `ENTRIES` (of the bar) or `MENU` (of the account).

`active`: how the addresses begin for which the link is the current one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from leaderboard.core.access import Caller, may
from shared.text import Sentence, text


def _everyone(_caller: Caller) -> bool:
    return True


def _organises(caller: Caller) -> bool:
    return any(grant.role in ("organiser", "official", "admin") for grant in caller.grants)


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A link. `shown`: whether this caller has it."""

    path: str
    words: Sentence
    active: tuple[str, ...] = ()
    shown: Callable[[Caller], bool] = _everyone

    def current(self, path: str) -> bool:
        """Whether the page at this path is what the link leads to, or is below it."""
        return path == self.path or path.startswith(self.active or (f"{self.path.rstrip('/')}/",))


ENTRIES: tuple[NavigationEntry, ...] = (
    NavigationEntry("/", text("Races"), ("/races/",)),
    NavigationEntry("/seasons", text("Seasons")),
    NavigationEntry("/new-race", text("New race"), shown=lambda caller: caller.signed_in),
)
MENU: tuple[NavigationEntry, ...] = (
    NavigationEntry("/desk", text("Desk")),
    NavigationEntry("/me", text("My races"), ("/racers/",)),
    NavigationEntry("/account", text("Account")),
    NavigationEntry("/admin/accounts", text("Accounts and roles"), shown=lambda caller: may(caller, "accounts.manage")),
    NavigationEntry("/farm", text("Farm"), shown=_organises),
    NavigationEntry("/admin/audit", text("Audit"), shown=lambda caller: may(caller, "audit.see")),
)
