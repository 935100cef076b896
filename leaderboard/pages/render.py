"""Views of races and standings to HTML."""

from collections.abc import Sequence
from typing import Any

from leaderboard.live_stream import LiveContent
from leaderboard.pages.board_rows import BoardRows
from leaderboard.pages.participation.participants import TakingPart
from leaderboard.pages.public.about import RaceAbout
from leaderboard.pages.public.history_view import HistoryView
from leaderboard.pages.public.home import GroupView
from leaderboard.pages.public.search import EVERYTHING, BoardSearch
from leaderboard.pages.racer_view import racer_view
from leaderboard.pages.templates import PageFrame, PageTemplates
from leaderboard.pages.views import card, kind_links
from leaderboard.snapshots import RacerRuns, Snapshot, StandingRow
from shared.text import recorded, text


class LeaderboardPages:
    """The pages of one leaderboard. `frame`: what surrounds the page for its reader; None: nobody in particular."""

    def __init__(self, templates: PageTemplates | str) -> None:
        self._templates = PageTemplates(templates) if isinstance(templates, str) else templates
        self._rows = BoardRows(self._templates)

    def index(self, groups: Sequence[GroupView], frame: PageFrame | None = None, alone: bool = False) -> str:
        """The home page. `alone`: the page of one group."""
        return self._page("index.html", frame, groups=groups, alone=alone)

    def race(
        self,
        snapshot: Snapshot,
        now_utc_ns: int,
        live: bool,
        screen: bool = False,
        frame: PageFrame | None = None,
        part: TakingPart | None = None,
        about: RaceAbout | None = None,
        search: BoardSearch = EVERYTHING,
        middle: StandingRow | None = None,
    ) -> str:
        """The page of a race's standing; with `live` it connects to the stream. `screen`: for a hall's screen.

        `part`: what it offers its reader about taking part. `search`: what of the board was asked for;
        `middle`: the line that the others are around.
        """
        board = self._rows.board(snapshot, now_utc_ns)
        return self._page(
            "race.html",
            frame,
            board=board,
            race=board.race,
            live=live,
            screen=screen,
            part=part,
            about=about,
            search=search,
            middle=middle,
            following=snapshot.following if not live else None,
            kinds=kind_links(snapshot),
            look="hall board-screen" if screen else "",
        )

    def racer(
        self,
        racer: RacerRuns,
        now_utc_ns: int,
        frame: PageFrame | None = None,
        whole: bool = False,
        left: str = "",
        history: HistoryView | None = None,
        profile: str = "",
    ) -> str:
        """The page of a racer in a race, with the runs. `whole`: for the racer, with those that made no score too.

        `left`: how many attempts are left, "" if any number is. `profile`: the alias of the account, "" if none.
        """
        shown = racer_view(racer, now_utc_ns, whole)
        return self._page(
            "racer.html", frame, racer=shown, race=shown.race, left=left, history=history, profile=profile
        )

    def live_content(self, snapshot: Snapshot, now_utc_ns: int) -> LiveContent:
        """The changing content of a race's page, made by the templates of the page itself."""
        return self._rows.live_content(snapshot, now_utc_ns)

    def embed(self, snapshot: Snapshot, now_utc_ns: int) -> str:
        """The lines of a board for the page of another site."""
        return self._page("embed.html", None, card=card(snapshot, now_utc_ns, len(snapshot.rows)))

    def missing(self, sentence: str, frame: PageFrame | None = None) -> str:
        """The page for an address that does not exist; `sentence` says what is missing."""
        return self._page("missing.html", frame, heading=text("Page not found"), sentence=recorded(sentence))

    def _page(self, template: str, frame: PageFrame | None, **values: Any) -> str:
        return self._templates.page(template, frame or PageFrame(), **values)
