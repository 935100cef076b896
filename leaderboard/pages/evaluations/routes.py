"""/races/RACE/conditions, how the submissions of a race are driven, and /farm, how the farms stand."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.core import access
from leaderboard.core.errors import NotHere
from leaderboard.core.evaluations.seeds import RaceSeeds
from leaderboard.evaluations.race_conditions import RaceConditions, ShownConditions
from leaderboard.evaluations.service import Evaluations, organises
from leaderboard.pages.evaluations.condition_words import (
    AGGREGATES,
    NUMBERS,
    PROFILES,
    condition_rows,
    document_of,
    form_values,
)
from leaderboard.pages.evaluations.farm_view import farm_view
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.forms import PostedForm
from leaderboard.web.statuses import status_of
from shared.errors import BadInput, RacedayError, Refused
from shared.text import text

_OVER = ("closed", "provisional", "final")


def router(
    conditions: RaceConditions, evaluations: Evaluations, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes. A race in an address is one that exists for the caller: api/sight.py has asked."""
    routes, pages = APIRouter(include_in_schema=False), ConditionPages(conditions, site, utc_ns)

    @routes.get("/races/{race_id}/conditions")
    def shown(request: Request, race_id: str) -> Response:
        return pages.page(request, race_id)

    @routes.post("/races/{race_id}/conditions")
    def set_up(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.set_up(request, race_id, form)

    @routes.get("/farm")
    def farm(request: Request) -> Response:
        caller, now_utc_ns = site.account(request), utc_ns()
        state = evaluations.state(caller, now_utc_ns)
        return site.page(
            request, "evaluations/farm.html", farm=farm_view(state, now_utc_ns), restores=organises(caller)
        )

    @routes.post("/farm/restore")
    def restore(request: Request, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        evaluations.restore(site.account(request), form.get("node"), utc_ns())
        return site.done(request, "/farm", text("The node drives again, once it has driven its canary."))

    return routes


class ConditionPages:
    """The conditions of a race for whoever sees it, and the form of its organiser."""

    def __init__(self, conditions: RaceConditions, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._conditions, self._site, self._utc_ns = conditions, site, utc_ns

    def page(
        self, request: Request, race_id: str, form: PostedForm | None = None, refusal: RacedayError | None = None
    ) -> Response:
        """The page; after a refusal with the form as it was posted. Raises UnknownRace, Refused for a physical race."""
        caller, now_utc_ns = self._site.caller(request), self._utc_ns()
        shown = self._conditions.shown(caller, race_id, now_utc_ns)
        race = shown.race
        values = form_values(shown.conditions) | ({} if form is None else dict(form.values))
        return self._site.page(
            request,
            "evaluations/conditions.html",
            200 if refusal is None else status_of(refusal),
            race=race,
            rows=list(condition_rows(shown.conditions)),
            sha256=shown.conditions.sha256,
            commitment=shown.commitment,
            seeds=self._seeds(request, shown, now_utc_ns),
            editable=access.may(caller, "race.edit", race) and not shown.results,
            numbers=list(NUMBERS.items()),
            profiles=list(PROFILES.items()),
            aggregates=list(AGGREGATES.items()),
            values=values,
            refusal="" if refusal is None else str(refusal),
        )

    def _seeds(self, request: Request, shown: ShownConditions, now_utc_ns: int) -> RaceSeeds | None:
        if shown.race.state(now_utc_ns) not in _OVER:
            return None
        try:
            return self._conditions.seeds(self._site.caller(request), shown.race.race_id, now_utc_ns)
        except NotHere:
            return None  # it was never open

    def set_up(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """Set what the form asks for. Raises UnknownRace, NotAllowed, Unauthorized."""
        caller, now_utc_ns = self._site.caller(request), self._utc_ns()
        self._conditions.check_may_set(caller, race_id)
        try:
            shown = self._conditions.shown(caller, race_id, now_utc_ns)
            self._conditions.set(caller, race_id, document_of(form, shown.conditions, shown.race), now_utc_ns)
        except (BadInput, Refused) as refusal:
            return self.page(request, race_id, form, refusal)
        return self._site.done(request, f"/races/{race_id}/conditions", text("The conditions are set."))
