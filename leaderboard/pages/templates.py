"""The templates of all pages, and the frame that each page is drawn in: the only place that knows Jinja."""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import PackageLoader, Template

from leaderboard.core.access import NOBODY, Caller
from leaderboard.pages.navigation import ENTRIES, MENU, NavigationEntry
from shared.access.tokens import form_token, new_token
from shared.rules.wording import BEST_OF_RACE, RACERS_BEST
from shared.web.assets import addresses
from shared.web.drawing.templates import page_environment

STATIC = pathlib.Path(__file__).parent.parent / "static"


@dataclass(slots=True)
class PageFrame:
    """What surrounds a page's own content, for whoever reads it. `notice`: what the last form did.

    `secret`: the cookie that the token in this page's forms is made of; made when the first form is drawn.
    """

    caller: Caller = NOBODY
    path: str = "/"
    notice: str = ""
    secret: str = ""
    secret_is_new: bool = False

    @property
    def csrf(self) -> str:
        """The token for a form of this page (templates/forms.html writes it)."""
        if not self.secret:
            self.secret, self.secret_is_new = new_token(), True
        return form_token(self.secret)

    @property
    def entries(self) -> Sequence[NavigationEntry]:
        """The links of the bar that this reader has."""
        return [entry for entry in ENTRIES if entry.shown(self.caller)]

    @property
    def menu(self) -> Sequence[NavigationEntry]:
        """The links of the account's menu that this reader has."""
        return [entry for entry in MENU if entry.shown(self.caller)]


class PageTemplates:
    """All templates of one leaderboard, called `title`."""

    def __init__(self, title: str) -> None:
        self.environment = page_environment(PackageLoader("leaderboard"), trim_blocks=True, lstrip_blocks=True)
        tones = {"race": BEST_OF_RACE, "own": RACERS_BEST}
        self.environment.globals |= {"title": title, "static": addresses(STATIC), "tones": tones}

    def get(self, name: str) -> Template:
        """The template in this file."""
        return self.environment.get_template(name)

    def page(self, name: str, frame: PageFrame, /, **values: Any) -> str:
        """A whole page. `look`: the class of its body."""
        return self.get(name).render(**{"look": "", "frame": frame} | values)
