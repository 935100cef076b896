"""The admin's pages: accounts with their roles, and the audit."""

import time
from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.accounts.administration import PAGE
from leaderboard.accounts.services import AccountServices
from leaderboard.core.access import Caller, Grant, Role
from leaderboard.pages.account.views import ROLE_WORDS, role_views
from leaderboard.pages.audit_view import audit_views
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.wording import minute_text
from leaderboard.web.forms import PostedForm, read_form
from leaderboard.web.statuses import status_of
from shared.errors import RacedayError, Refused
from shared.refusals import Refusals
from shared.text import text
from shared.web.drawing.refusal_rows import refusal_table

_Form = Annotated[PostedForm, Depends(read_form)]
_LONGEST_VALUE = 300  # characters of a value in the audit
_ROLES: tuple[Role, ...] = ("organiser", "official", "commentator", "admin")


def router(
    services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int], refusals: Refusals
) -> APIRouter:
    """The routes, over one store. `refusals`: those of this process."""
    routes, pages = APIRouter(include_in_schema=False), AdminPages(services, site, utc_ns, refusals)
    routes.get("/admin/accounts")(pages.accounts)
    routes.get("/admin/accounts/{alias}")(pages.account)
    routes.post("/admin/accounts/{alias}/rename")(pages.rename)
    routes.post("/admin/accounts/{alias}/roles")(pages.grant)
    routes.post("/admin/accounts/{alias}/roles/revoke")(pages.revoke)
    routes.post("/admin/accounts/{alias}/sign-out")(pages.sign_out)
    routes.get("/admin/audit")(pages.audit)
    return routes


class AdminPages:
    """The handlers of these pages."""

    def __init__(
        self, services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int], refusals: Refusals
    ) -> None:
        self._services, self._site, self._utc_ns, self._refusals = services, site, utc_ns, refusals

    def accounts(self, request: Request, q: str = "", after: str = "") -> Response:
        self._site.check(request, "accounts.manage")
        found = self._services.administration.find(q, after)
        rows = [(each.account, role_views(each.grants)) for each in found]
        more = found[-1].account.alias if len(found) == PAGE else ""
        return self._site.page(request, "account/accounts.html", rows=rows, q=q[:60], more=more, day=minute_text)

    def account(self, request: Request, alias: str) -> Response:
        self._site.check(request, "accounts.manage")
        return self._account(request, alias)

    def rename(self, request: Request, alias: str, form: _Form) -> Response:
        administration = self._services.administration
        wanted, why = form.get("alias"), form.get("why")

        def act(caller: Caller, now_utc_ns: int) -> str:
            return administration.rename(caller, alias, wanted, why, now_utc_ns).alias

        return self._act(request, alias, act, text("The account has another alias now."), form)

    def grant(self, request: Request, alias: str, form: _Form) -> Response:
        administration = self._services.administration

        def act(caller: Caller, now_utc_ns: int) -> str:
            return administration.grant(caller, alias, _grant(form), now_utc_ns).account.alias

        return self._act(request, alias, act, text("The role is given."), form)

    def revoke(self, request: Request, alias: str, form: _Form) -> Response:
        administration = self._services.administration

        def act(caller: Caller, now_utc_ns: int) -> str:
            return administration.revoke(caller, alias, _grant(form), now_utc_ns).account.alias

        return self._act(request, alias, act, text("The role is taken away."), form)

    def sign_out(self, request: Request, alias: str, form: _Form) -> Response:
        administration = self._services.administration

        def act(caller: Caller, now_utc_ns: int) -> str:
            administration.sign_out(caller, alias, form.get("why"), now_utc_ns)
            return alias

        return self._act(request, alias, act, text("All sessions of this account have ended."), form)

    def audit(self, request: Request, race: str = "", season: str = "", before: str = "") -> Response:
        race, season = race[:64], season[:64]
        found = self._services.audit.race(race) if race else None
        if found is not None:
            self._site.check_sees(request, found, None)
        caller = self._site.check(request, "audit.see", found, season)
        if before and not (before.isascii() and before.isdecimal() and len(before) < 19):
            raise Refused(text("This is not the `next` of a page of the audit."))
        page = self._services.audit.page(race, season, int(before) if before else None)
        return self._site.page(
            request,
            "account/audit.html",
            rows=audit_views(page.rows, _LONGEST_VALUE),
            race=race,
            season=season,
            older="" if page.next_seq is None else str(page.next_seq),
            newest=not before,
            # Addresses of strangers are for who runs the server, not for whoever runs a race on it.
            refused=refusal_table(self._refusals.counts(), time.monotonic()) if caller.has("admin") else None,
        )

    def _act(
        self, request: Request, alias: str, act: Callable[[Caller, int], str], done: str, form: PostedForm
    ) -> Response:
        caller = self._site.check(request, "accounts.manage")
        try:
            now_called = act(caller, self._utc_ns())
        except RacedayError as refusal:
            return self._account(request, alias, refusal, form)
        return self._site.done(request, f"/admin/accounts/{quote(now_called, safe='')}", done)

    def _account(
        self, request: Request, alias: str, refusal: RacedayError | None = None, form: PostedForm | None = None
    ) -> Response:
        found = self._services.administration.account(alias)
        return self._site.page(
            request,
            "account/account_of.html",
            200 if refusal is None else status_of(refusal),
            account=found.account,
            address=f"/admin/accounts/{quote(found.account.alias, safe='')}",
            since=minute_text(found.account.created_utc_ns),
            roles=role_views(found.grants),
            choices=[(role, ROLE_WORDS[role]) for role in _ROLES],
            form=form or PostedForm({}),
            refusal=refusal,
        )


def _grant(form: PostedForm) -> Grant:
    """The role in a form. Raises Refused for one that there is not."""
    role = next((each for each in ROLE_WORDS if each == form.get("role")), None)
    if role is None:
        raise Refused(text("Choose a role."))
    race, season = form.get("race")[:64], form.get("season")[:64]
    if race and season:
        raise Refused(text("Name the race or season that the role is for, or neither."))
    return Grant(role, "race", race) if race else Grant(role, "season", season) if season else Grant(role)
