"""/new-race: the wizard in which any account makes a community race."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from leaderboard.core.league.local_time import in_zone, zone_names
from leaderboard.core.race import RaceRecord
from leaderboard.league.community import CommunityService
from leaderboard.pages.participation import race_steps
from leaderboard.pages.participation.race_steps import CHOICES, STEPS, TITLES, RaceDraft, Step
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.wording import rules_in_words
from leaderboard.web.forms import PostedForm
from shared.errors import BadInput, Refused
from shared.rules.track_lengths import LENGTHS_M
from shared.text import text

PATH = "/new-race"


def router(site: LeaderboardSite, community: CommunityService, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the community races of one store."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PATH)
    def begin(request: Request) -> Response:
        caller = site.account(request)
        return _page(site, request, "what", RaceDraft(), left=community.left(caller, utc_ns()), detect=True)

    @routes.post(PATH)
    def go_on(request: Request, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        caller, now_utc_ns = site.account(request), utc_ns()
        draft, here, go = RaceDraft.of(form.values), _step(form.get("here")), form.get("go")
        step, errors = race_steps.move(draft, here, go, now_utc_ns)
        if go != "create" or errors:
            return _page(site, request, step, draft, 422 if errors else 200, errors=errors)
        try:
            race = community.create(caller, race_steps.race_of(draft), now_utc_ns)
        except (Refused, BadInput) as refusal:
            return _page(site, request, "review", draft, 422, refusal=str(refusal))
        return _made(site, request, race)

    return routes


def _made(site: LeaderboardSite, request: Request, race: RaceRecord) -> Response:
    return site.done(
        request, f"/races/{race.race_id}/invitation", text("The race {name} is made. Now invite.", name=race.name)
    )


def _step(named: str) -> Step:
    return named if named in STEPS else "what"


def _page(
    site: LeaderboardSite,
    request: Request,
    step: Step,
    draft: RaceDraft,
    status: int = 200,
    errors: dict[str, str] | None = None,
    refusal: str = "",
    left: int | None = None,
    detect: bool = False,
) -> Response:
    number = STEPS.index(step)
    review = None
    if step == "review":
        try:
            review = _review(race_steps.race_of(draft))
        except Refused as error:
            refusal = refusal or str(error)
    return site.page(
        request,
        "participation/new_race.html",
        status,
        step=step,
        steps=[(each, TITLES[each]) for each in STEPS],
        number=number,
        before=STEPS[number - 1] if number else "",
        draft=draft,
        carried=draft.but(step),
        choices=CHOICES,
        plain=any(race_steps.needs_offset(draft, name) for name in ("opens", "closes")),
        zones=[(zone, zone) for zone in sorted(zone_names())],
        tracks=sorted(LENGTHS_M),
        errors=dict.fromkeys(asdict(draft), "") | (errors or {}),
        refusal=refusal,
        left=left,
        detect=detect,
        review=review,
    )


def _review(race: RaceRecord) -> dict[str, object]:
    words = {name: dict(CHOICES[name]).get(getattr(race, name), "") for name in CHOICES if name != "method"}
    times = {
        name: "" if at is None else in_zone(at, race.zone).strftime("%Y-%m-%d %H:%M")
        for name, at in (("opens", race.opens_utc_ns), ("closes", race.closes_utc_ns))
    }
    return {"race": race, "words": words, "rules": rules_in_words(race.rules), **times}
