"""Views to HTML: the only place that knows the templates."""

import pathlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leaderboard.board import RacerRuns, Snapshot
from leaderboard.live_stream import LiveContent
from leaderboard.pages.racer_view import racer_view
from leaderboard.pages.views import board_view, card
from shared.rules.wording import BEST_OF_RACE, RACERS_BEST
from shared.text import recorded, text
from shared.web.assets import addresses
from shared.web.language import translating

STATIC = pathlib.Path(__file__).parent.parent / "static"


class LeaderboardPages:
    """The pages of one leaderboard, called `title`."""

    def __init__(self, title: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("leaderboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        tones = {"race": BEST_OF_RACE, "own": RACERS_BEST}
        self._templates.globals |= {"title": title, "static": addresses(STATIC), "tones": tones}
        translating(self._templates)
        self._row = self._templates.get_template("row.html")
        self._parts = self._templates.get_template("parts.html")

    def index(self, races: list[Snapshot], now_utc_ns: int) -> str:
        """The page of all races: the open ones first, then those to come, then the closed ones."""
        cards = [card(race, now_utc_ns) for race in races]
        groups = [
            (name, [each for each in cards if each.race.state == state])
            for name, state in ((text("Open now"), "open"), (text("Coming"), "published"), (text("Closed"), "closed"))
        ]
        return self._page("index.html", groups=[(name, members) for name, members in groups if members])

    def race(self, snapshot: Snapshot, now_utc_ns: int, live: bool, screen: bool = False) -> str:
        """The page of a race's standing; with `live` it connects to the stream. `screen`: for a hall's screen."""
        board = board_view(snapshot, now_utc_ns)
        return self._page(
            "race.html",
            board=board,
            race=board.race,
            live=live,
            screen=screen,
            look="hall board-screen" if screen else "",
        )

    def racer(self, racer: RacerRuns, now_utc_ns: int) -> str:
        """The page of a racer in a race, with all runs."""
        shown = racer_view(racer, now_utc_ns)
        return self._page("racer.html", racer=shown, race=shown.race)

    def live_content(self, snapshot: Snapshot, now_utc_ns: int) -> LiveContent:
        """The changing content of a race's page, made by the templates of the page itself."""
        board = board_view(snapshot, now_utc_ns)
        rows = {row.key: self._row.render(row=row) for row in board.rows}
        module = self._parts.make_module()
        parts = {name: str(getattr(module, name)(board)) for name in ("state", "counts", "empty", "more")}
        return LiveContent(board.version, tuple(row.key for row in board.rows), rows, parts)

    def docs(self, openapi: dict[str, Any]) -> str:
        """The page that describes the API; it loads nothing from elsewhere."""
        return self._page("docs.html", api=openapi)

    def missing(self, sentence: str) -> str:
        """The page for an address that does not exist; `sentence` says what is missing."""
        return self._page("missing.html", sentence=recorded(sentence))

    def _page(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(**{"look": ""} | values)
