"""The page that archives a season: what would go for good, and one more question before it does."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.board import LeaderboardService
from leaderboard.core.access import Caller
from leaderboard.core.league.records import SeasonRecord
from leaderboard.exchange.archiving import ArchivedSeason, archive_season
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league.race_settings import status_of
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.forms import PostedForm
from shared.errors import Refused
from shared.text import ntext, text


def router(
    board: LeaderboardService, league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes, for admins."""
    routes = APIRouter(include_in_schema=False)
    pages = ArchivePages(board, league, site, utc_ns)

    @routes.get("/desk/seasons/{season_id}/archive")
    def asked(request: Request, season_id: str) -> Response:
        return pages.page(request, season_id)

    @routes.post("/desk/seasons/{season_id}/archive")
    def archived(request: Request, season_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.archived(request, season_id, form)

    return routes


class ArchivePages:
    """The handlers."""

    def __init__(
        self, board: LeaderboardService, league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]
    ) -> None:
        self._board, self._league, self._site, self._utc_ns = board, league, site, utc_ns

    def page(self, request: Request, season_id: str, refusal: str = "", status: int = 200) -> Response:
        """What archiving would take away; or why it cannot be done yet."""
        caller, season = self._season(request, season_id)
        facts: list[str] = []
        try:
            facts = _facts(archive_season(self._board.store, caller, season_id, self._utc_ns(), dry_run=True))
        except Refused as why:
            refusal = refusal or str(why)
        return self._site.page(request, "titles/archive.html", status, season=season, facts=facts, refusal=refusal)

    def archived(self, request: Request, season_id: str, form: PostedForm) -> Response:
        """Archive it, if whoever asks has said that it is meant."""
        caller, season = self._season(request, season_id)
        if form.get("sure") != "yes":
            unsure = text("Say that you mean it: nothing brings the private data back.")
            return self.page(request, season_id, unsure, 422)
        try:
            archive_season(self._board.store, caller, season_id, self._utc_ns(), dry_run=False)
        except Refused as refusal:
            return self.page(request, season_id, str(refusal), status_of(refusal))
        return self._site.done(request, f"/seasons/{season_id}", text("{season} is archived.", season=season.name))

    def _season(self, request: Request, season_id: str) -> tuple[Caller, SeasonRecord]:
        self._site.account(request)
        caller = self._site.check(request, "season.archive", None, season_id)
        return caller, self._league.seasons.season(caller, season_id)


def _facts(found: ArchivedSeason) -> list[str]:
    """What would be kept, and what would go."""
    return [
        ntext("{n} race is kept as it is.", "{n} races are kept as they are.", n=found.races),
        ntext("{n} entry no longer leads to an account.", "{n} entries no longer lead to an account.", n=found.entries),
        ntext(
            "{n} account that has nothing else here is deleted: its holder can no longer sign in.",
            "{n} accounts that have nothing else here are deleted: their holders can no longer sign in.",
            n=found.accounts,
        ),
    ]
