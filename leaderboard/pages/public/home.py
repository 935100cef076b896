"""The home page: races by whether they are yours, open, coming or past, with the first three of each. Pure but for
the look at the board.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from leaderboard.board import LeaderboardService
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import RaceState
from leaderboard.pages.views import PODIUM, CardView, card
from leaderboard.store.race_rows import RaceHead
from shared.text import Sentence, text

HomeGroup = Literal["yours", "open", "coming", "past"]
IN_GROUP = 12  # of each on the page of all
ON_PAGE = 48  # on the page of one group
_WORDS: dict[HomeGroup, Sentence] = {
    "yours": text("Yours"),
    "open": text("Open now"),
    "coming": text("Coming"),
    "past": text("Past"),
}
_GROUPS: dict[RaceState, HomeGroup] = {
    "draft": "yours",
    "published": "coming",
    "open": "open",
    "closed": "past",
    "provisional": "past",
    "final": "past",
}


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of races. `more`: how many are not shown; `next_page` 0: this is the last one."""

    name: HomeGroup
    words: Sentence
    cards: tuple[CardView, ...]
    more: int = 0
    next_page: int = 0


def home_groups(
    heads: Sequence[RaceHead], own: Callable[[RaceRecord], bool], now_utc_ns: int
) -> dict[HomeGroup, list[RaceHead]]:
    """The races by group; `own`: which are yours.

    Coming ones stand in the order in which they open, past ones newest first.
    """
    groups: dict[HomeGroup, list[RaceHead]] = {name: [] for name in get_args(HomeGroup)}
    for head in heads:
        state = head.race.state(now_utc_ns)
        if state != "deleted":
            groups["yours" if own(head.race) else _GROUPS[state]].append(head)
    groups["coming"].sort(key=lambda head: head.race.opens_utc_ns or 0)
    groups["past"].sort(key=lambda head: head.race.ends_utc_ns() or 0, reverse=True)
    groups["yours"].sort(key=lambda head: _first(head.race.state(now_utc_ns)))
    return groups


def _first(state: RaceState) -> int:
    """Open ones first, then those to come and drafts, then what is over."""
    return ("open", "published", "draft").index(state) if state in ("open", "published", "draft") else 3


def group_views(
    board: LeaderboardService,
    seen: Callable[[RaceRecord], bool],
    own: Callable[[RaceRecord], bool],
    now_utc_ns: int,
    only: HomeGroup | None = None,
    page: int = 1,
) -> list[GroupView]:
    """The groups that hold races, as the page shows them: the beginning of each, or one page of one of them."""
    groups = home_groups([head for head in board.races() if seen(head.race)], own, now_utc_ns)
    if only is not None:
        begin, members = (page - 1) * ON_PAGE, groups[only]
        shown = members[begin : begin + ON_PAGE]
        more = len(members) - begin - len(shown)
        return [_view(board, only, shown, now_utc_ns, max(0, more), page + 1 if more > 0 else 0)] if shown else []
    return [
        _view(board, name, members[:IN_GROUP], now_utc_ns, max(0, len(members) - IN_GROUP))
        for name, members in groups.items()
        if members
    ]


def _view(
    board: LeaderboardService,
    name: HomeGroup,
    heads: Sequence[RaceHead],
    now_utc_ns: int,
    more: int = 0,
    next_page: int = 0,
) -> GroupView:
    cards = tuple(card(board.snapshot(head.race.race_id, PODIUM), now_utc_ns) for head in heads)
    return GroupView(name, _WORDS[name], cards, more, next_page)
