"""The page that makes a bracket from the standing of a race."""

from collections.abc import Callable, Mapping
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.core.race import Venue
from leaderboard.core.seasons.bracket import SIZES, Elimination
from leaderboard.pages.league.race_settings import status_of
from leaderboard.pages.site import LeaderboardSite
from leaderboard.seasons.brackets import BracketService, WantedBracket, can_drive
from leaderboard.web.forms import PostedForm
from shared.errors import BadInput, Refused
from shared.text import ntext, text

_ELIMINATIONS = (
    ("single", text("Single: out after one defeat")),
    ("double", text("Double: out after two defeats")),
)
_TABLES = {"physical": text("physical results"), "virtual": text("virtual results"), "any": text("all results")}


def router(brackets: BracketService, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, for those who run the brackets of a race."""
    routes = APIRouter(include_in_schema=False)
    pages = NewBracketPages(brackets, site, utc_ns)

    @routes.get("/desk/races/{race_id}/bracket")
    def new(request: Request, race_id: str) -> Response:
        return pages.form(request, race_id)

    @routes.post("/desk/races/{race_id}/bracket")
    def made(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.made(request, race_id, form)

    return routes


class NewBracketPages:
    """The handlers."""

    def __init__(self, brackets: BracketService, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._brackets, self._site, self._utc_ns = brackets, site, utc_ns

    def form(
        self,
        request: Request,
        race_id: str,
        values: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """The form; `errors`: by field."""
        race, ranked = self._brackets.race_to_seed(self._site.account(request), race_id)
        kept = {
            "name": race.name[:100],
            "size": "",
            "elimination": "single",
            "table": "",
            "byes": "yes",
            "third": "yes",
            "driven": "yes" if can_drive(race) else "",
        }
        return self._site.page(
            request,
            "titles/new_bracket.html",
            status,
            race=race,
            counts=[ntext("{n} racer is ranked.", "{n} racers are ranked.", n=count) for count in ranked.values()][:1],
            sizes=[("", text("As many as needed")), *[(str(size), str(size)) for size in SIZES]],
            eliminations=_ELIMINATIONS,
            tables=[(table, _TABLES[table]) for table in ranked] if len(ranked) > 1 else [],
            values=kept if values is None else {name: values.get(name, "") for name in kept},
            errors=errors or {},
            can_drive=can_drive(race),
        )

    def made(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """The bracket, or the form again."""
        caller = self._site.account(request)
        size, elimination, table = form.get("size"), form.get("elimination"), form.get("table")
        wrong = text("Choose one of the list.")
        errors: dict[str, str] = {}
        if size and size not in map(str, SIZES):
            errors["size"] = wrong
        if elimination not in dict(_ELIMINATIONS):
            errors["elimination"] = wrong
        if table and table not in _TABLES:
            errors["table"] = wrong
        if errors:
            return self.form(request, race_id, form.values, errors, 422)
        wanted = WantedBracket(
            race_id,
            form.get("name"),
            int(size) if size else None,
            cast(Elimination, elimination),
            form.get("byes") == "yes",
            form.get("third") == "yes",
            cast(Venue, table) if table else None,
            form.get("driven") == "yes",
        )
        try:
            now = self._brackets.create(caller, wanted, self._utc_ns())
        except (Refused, BadInput) as refusal:
            field = "name" if not 0 < len(wanted.name) <= 100 else "size"
            return self.form(request, race_id, form.values, {field: str(refusal)}, status_of(refusal))
        made = text("The bracket {name} is made.", name=now.bracket.name)
        return self._site.done(request, f"/brackets/{now.bracket.bracket_id}", made)
