"""What a page is: its name, address, role and live content. The table of all pages is in pages/registry.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter

from shared.text import Sentence
from station.access.roles import Role
from station.views.views import View

if TYPE_CHECKING:
    from station.web.site import Site

Kind = Literal["public", "officials"]
Look = Literal["console", "hall", "overlay"]


def no_data(_: View) -> dict[str, Any]:
    """The data of a page whose scripts need nothing but its HTML."""
    return {}


@dataclass(frozen=True, slots=True)
class PageContent:
    """What changes on an open page; the event stream sends the parts and rows that changed.

    `model`: makes what the macros print from a view. `parts`: names of macros in the template `macros`; each fills the
    element with its name as id. `lists`: element id to the macro that draws one row; the model (an object or a dict)
    holds the rows under the same name, each with a `key`, which is the id of the row's element. `data`: further values
    for the page's script. Every macro gets the model or the row, and whether the page is an officials' page.
    """

    model: Callable[[View], Any]
    parts: tuple[str, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    macros: str = "parts.html"
    data: Callable[[View], dict[str, Any]] = no_data


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """A name that a browser subscribes to at the event stream, and who may read it."""

    name: str
    role: Role
    content: PageContent


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the station, one line of the table in pages/registry.py.

    `name` is also the name of its folder, its template and its topic. `title`: for the tab and the browser's title.
    `role`: the least role that may open it; a page for more than viewers has the officials' head and the stop bar.
    `in_tabs`: the officials' head links to it. `content`: what changes on it while it is open. `routes`: makes its
    addresses, for a page that is more than its template and its content; they are served to its role alone.
    `bare`: it has no head, as a screen in the hall. `look`: whose steps of the type scale it has (tokens.css).
    `also`: further topics that it shows, such as "sound".
    """

    name: str
    path: str
    title: Sentence
    role: Role
    in_tabs: bool = False
    content: PageContent | None = None
    routes: Callable[["Site"], APIRouter] | None = None
    bare: bool = False
    look: Look = "console"
    also: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        return "public" if self.role == Role.VIEWER else "officials"

    @property
    def topics(self) -> tuple[str, ...]:
        """What an open page subscribes to: the head of its kind, its own content, and what it shows beside it."""
        head = () if self.bare else (self.kind,)
        own = (self.name,) if self.content is not None else ()
        return (*head, *own, *self.also)
