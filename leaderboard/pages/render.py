"""Views of races and standings to HTML."""

from typing import Any

from leaderboard.board import RacerRuns, Snapshot
from leaderboard.live_stream import LiveContent
from leaderboard.pages.board_rows import BoardRows
from leaderboard.pages.participation.participants import TakingPart
from leaderboard.pages.racer_view import racer_view
from leaderboard.pages.templates import PageFrame, PageTemplates
from leaderboard.pages.views import card, kind_links
from shared.text import recorded, text


class LeaderboardPages:
    """The pages of one leaderboard. `frame`: what surrounds the page for its reader; None: nobody in particular."""

    def __init__(self, templates: PageTemplates | str) -> None:
        self._templates = PageTemplates(templates) if isinstance(templates, str) else templates
        self._rows = BoardRows(self._templates)

    def index(self, races: list[Snapshot], now_utc_ns: int, frame: PageFrame | None = None) -> str:
        """The page of all races: the open ones first, then those to come, then the closed ones."""
        cards = [card(race, now_utc_ns) for race in races]
        groups = [
            (name, [each for each in cards if each.race.state == state])
            for name, state in ((text("Open now"), "open"), (text("Coming"), "published"), (text("Closed"), "closed"))
        ]
        return self._page("index.html", frame, groups=[(name, members) for name, members in groups if members])

    def race(
        self,
        snapshot: Snapshot,
        now_utc_ns: int,
        live: bool,
        screen: bool = False,
        frame: PageFrame | None = None,
        part: TakingPart | None = None,
    ) -> str:
        """The page of a race's standing; with `live` it connects to the stream. `screen`: for a hall's screen.

        `part`: what it offers its reader about taking part.
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
    ) -> str:
        """The page of a racer in a race, with the runs. `whole`: for the racer, with those that made no score too.

        `left`: how many attempts are left, "" if any number is.
        """
        shown = racer_view(racer, now_utc_ns, whole)
        return self._page("racer.html", frame, racer=shown, race=shown.race, left=left)

    def live_content(self, snapshot: Snapshot, now_utc_ns: int) -> LiveContent:
        """The changing content of a race's page, made by the templates of the page itself."""
        return self._rows.live_content(snapshot, now_utc_ns)

    def missing(self, sentence: str, frame: PageFrame | None = None) -> str:
        """The page for an address that does not exist; `sentence` says what is missing."""
        return self._page("missing.html", frame, heading=text("Page not found"), sentence=recorded(sentence))

    def _page(self, template: str, frame: PageFrame | None, **values: Any) -> str:
        return self._templates.page(template, frame or PageFrame(), **values)
