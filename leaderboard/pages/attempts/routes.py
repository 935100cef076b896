"""/races/RACE/attempts, the desk of a race's officials (to a racer: the own attempts), and a racer's page."""

from collections.abc import Callable
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Query, Request, Response

from leaderboard.attempts.service import AttemptService
from leaderboard.board import LeaderboardService
from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.states import AttemptState
from leaderboard.pages.attempts.views import attempt_view, filters, left_text
from leaderboard.pages.audit_view import audit_views
from leaderboard.pages.public.history_view import history_view
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.site import LeaderboardSite
from leaderboard.profiles.history import PlaceHistories
from leaderboard.profiles.racer import RacerProfiles
from leaderboard.web.forms import PostedForm
from shared.errors import BadInput, Refused
from shared.text import Sentence, text

PAGE_LIMIT = 100
_LONGEST_VALUE = 60  # characters of a value in the audit
_STATES = get_args(AttemptState)


def router(
    board: LeaderboardService,
    attempts: AttemptService,
    histories: PlaceHistories,
    profiles: RacerProfiles,
    site: LeaderboardSite,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The routes. A race in an address is one that exists for the caller: api/sight.py has asked."""
    routes = APIRouter(include_in_schema=False)
    pages, officials = LeaderboardPages(site.templates), AttemptOfficials(attempts, site)

    @routes.get("/races/{race_id}/racers/{racer:path}")
    def racer(request: Request, race_id: str, racer: str) -> Response:
        frame, runs = site.frame(request), board.racer_runs(race_id, racer)
        whole = attempts.sees_all_of(frame.caller, race_id, runs.racer)
        left = attempts.left(frame.caller, race_id, runs.racer, runs.race.table, utc_ns()) if whole else None
        history = history_view(histories.of(race_id, runs.racer, runs.race.table), utc_ns())
        words = "" if left is None else left_text(left)
        profile = profiles.alias_of(race_id, runs.racer)
        page = pages.racer(runs, utc_ns(), frame, whole=whole, left=words, history=history, profile=profile)
        return site.framed(request, frame, page)

    @routes.get("/races/{race_id}/attempts")
    def listed(
        request: Request,
        race_id: str,
        state: Annotated[str, Query(max_length=20)] = "",
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    ) -> Response:
        return officials.page(request, race_id, state if state in _STATES else "", before)

    @routes.post("/races/{race_id}/attempts")
    def ruled(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        try:
            done = officials.rule(site.caller(request), race_id, form, utc_ns())
        except (Refused, BadInput) as refusal:
            return officials.page(request, race_id, "", None, str(refusal), 422)
        return site.done(request, f"/races/{race_id}/attempts", done)

    return routes


class AttemptOfficials:
    """The attempts of one race for whoever asks, and the forms of its officials."""

    def __init__(self, attempts: AttemptService, site: LeaderboardSite) -> None:
        self._attempts, self._site = attempts, site

    def page(
        self, request: Request, race_id: str, state: str, before: int | None, refusal: str = "", status: int = 200
    ) -> Response:
        """The list with its forms. Raises UnknownRace, Unauthorized."""
        caller = self._site.caller(request)
        wanted: AttemptState | None = state if state in _STATES else None  # type: ignore[assignment]
        found = self._attempts.attempts(caller, race_id, state=wanted, before=before, limit=PAGE_LIMIT)
        rules = access.may(caller, "attempt.rule", found.race)
        race = found.race
        limited = race.rules.attempts_per_racer is not None or race.attempts_per_day is not None
        return self._site.page(
            request,
            "attempts/desk.html",
            status,
            race=race,
            attempts=[attempt_view(each) for each in found.attempts],
            every=found.every,
            rules=rules,
            limited=limited and rules,
            state=state,
            filters=filters(self._attempts.counts(caller, race_id)) if found.every else [],
            older=found.attempts[-1].number if found.more else None,
            changes=audit_views(self._attempts.changes(caller, race_id), _LONGEST_VALUE)
            if access.may(caller, "audit.see", race)
            else None,
            refusal=refusal,
        )

    def rule(self, caller: Caller, race_id: str, form: PostedForm, now_utc_ns: int) -> Sentence:
        """What the posted form asks for; returns the sentence for the next page. Raises Refused, BadInput."""
        why, what = form.get("why"), form.get("what")
        if what == "give-back":
            count = form.get("attempts")
            if not (count.isascii() and count.isdecimal() and len(count) < 6):
                raise BadInput(text("Write how many attempts you give back, as a number."))
            racer = form.get("racer")
            self._attempts.give_back(caller, race_id, racer, int(count), why, now_utc_ns, day=form.get("day"))
            return text("{racer} has {count} more.", racer=racer, count=count)
        self._attempts.check_of_race(race_id, form.get("attempt"))
        if what == "restore":
            row = self._attempts.restore(caller, form.get("attempt"), why, now_utc_ns)
            return text("The attempt of {racer} is restored.", racer=row.name)
        row = self._attempts.disqualify(caller, form.get("attempt"), why, now_utc_ns)
        return text("The attempt of {racer} is disqualified.", racer=row.name)
