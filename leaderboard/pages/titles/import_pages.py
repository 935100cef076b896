"""The pages that import a file of results: it is checked first, with a report by line, and then imported as it was."""

import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.board import LeaderboardService
from leaderboard.core.access import Caller, may, require
from leaderboard.core.race import RaceRecord, ResultKind, Venue, slug
from leaderboard.exchange.csv_table import examined
from leaderboard.exchange.importing import import_file
from leaderboard.exchange.league.rows import TIMING_METHODS
from leaderboard.exchange.parameters import request_of
from leaderboard.exchange.report import ImportReport
from leaderboard.exchange.request import ImportFormat, Penalties
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league.race_settings import status_of
from leaderboard.pages.league.words import CHOICES
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.titles.checked_files import CheckedFiles, folder_of
from leaderboard.web.forms import MAX_FORM_BYTES, PostedFile, PostedForm, read_form
from shared.errors import BadInput, Refused
from shared.text import text

MAX_IMPORT_BYTES = 16 * 1024 * 1024  # by a form; the command and the API take longer files
_NOTES_SHOWN = 100
_FORMATS = (
    ("league", text("A league's board (CSV)")),
    ("drem", text("The event manager's laps (CSV)")),
    ("metrics", text("The simulator's evaluation metrics (JSON)")),
)
_TIMING = (
    ("AVG_LAP_TIME", text("Average of laps in a row")),
    ("BEST_LAP_TIME", text("Best lap")),
    ("TOTAL_TIME", text("Total time of laps in a row")),
)
_KINDS = (("virtual", text("virtual")), ("physical", text("physical")))
_PENALTIES = (("included", text("The times hold them already")), ("added", text("They are still to be added")))
_OF_NEW = ("name", "track", "timing_method", "minimum_laps", "venue", "season")
_OF_FORMAT: Mapping[str, tuple[str, ...]] = {
    "league": ("kind",),
    "drem": ("kind", "only_track", "penalties"),
    "metrics": ("kind", "racer", "model", "penalties"),
}
assert {value for value, _ in _TIMING} <= set(TIMING_METHODS)


@dataclass(slots=True)
class ImportForm:
    """What the form holds, with what is wrong by field, the report of a check, and the token of the checked file."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    report: ImportReport | None = None
    checked: str = ""


def router(
    board: LeaderboardService, league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes, for organisers."""
    routes = APIRouter(include_in_schema=False)
    pages = ImportPages(board, league, site, utc_ns)

    @routes.get("/desk/import")
    def empty(request: Request, race: str = "") -> Response:
        pages.organiser(request)
        return pages.page(request, ImportForm({"race": race[:64]}))

    @routes.post("/desk/import")
    async def sent(request: Request) -> Response:
        await run_in_threadpool(pages.organiser, request)
        form = await read_form(request, MAX_IMPORT_BYTES + MAX_FORM_BYTES)
        return await run_in_threadpool(pages.sent, request, form)

    return routes


class ImportPages:
    """The handlers."""

    def __init__(
        self, board: LeaderboardService, league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]
    ) -> None:
        self._board, self._league, self._site, self._utc_ns = board, league, site, utc_ns
        self._files = CheckedFiles(folder_of(board.store))
        self._one_at_a_time = threading.Lock()

    def organiser(self, request: Request) -> Caller:
        """The caller, who organises something. Raises Unauthorized, NotAllowed."""
        caller = self._site.account(request)
        if not any(grant.role == "organiser" for grant in caller.grants):
            require(caller, "results.import")
        return caller

    def page(self, request: Request, form: ImportForm, status: int = 200) -> Response:
        """The form, with the report of a check if there is one."""
        caller = self._site.caller(request)
        races = [(race.race_id, race.name) for race in self._races(caller)]
        seasons = [
            (season.season_id, season.name)
            for season in self._league.seasons.seasons(caller)
            if may(caller, "results.import", None, season.season_id)
        ]
        report = form.report
        return self._site.page(
            request,
            "titles/import.html",
            status,
            values=form.values,
            errors=form.errors,
            refusal=form.refusal,
            report=report,
            remarks=(report.errors or report.notes)[:_NOTES_SHOWN] if report else (),
            more=_hidden(report) if report else 0,
            checked=form.checked,
            races=[("", text("A new race")), *races],
            seasons=[("", text("None")), *seasons],
            choices={
                "format": _FORMATS,
                "timing_method": _TIMING,
                "venue": CHOICES["venue"],
                "kind": _KINDS,
                "penalties": _PENALTIES,
            },
        )

    def sent(self, request: Request, form: PostedForm) -> Response:
        """Check the file, or import the one that was checked."""
        caller, now_utc_ns = self.organiser(request), self._utc_ns()
        values = {name: form.get(name) for name in ("race", "format", *_OF_NEW, *_all_of_formats())}
        shown = ImportForm(values, _errors(values))
        try:
            if shown.errors:
                return self.page(request, shown, 422)
            file = form.files.get("file")
            token = form.get("checked")
            if file is None:
                file = self._files.find(caller.account_id, token, now_utc_ns) if token else _missing()
            importing = form.get("go") == "import" and bool(token) and "file" not in form.files
            report = self._taken(caller, values, file, not importing, now_utc_ns)
        except (Refused, BadInput) as refusal:
            shown.refusal = str(refusal)
            return self.page(request, shown, status_of(refusal))
        shown.report = report
        if report.outcome == "imported":
            self._files.drop(token)
            self._board.changed(report.race_id)
            return self._site.done(request, f"/races/{report.race_id}", text("The file is imported."))
        if report.outcome == "checked":
            shown.checked = self._files.keep(caller.account_id, file, now_utc_ns)
        return self.page(request, shown, 422 if report.outcome == "refused" else 200)

    def _taken(
        self, caller: Caller, values: Mapping[str, str], file: PostedFile, dry_run: bool, now_utc_ns: int
    ) -> ImportReport:
        race_id = values["race"] or slug(values["name"])
        given = {name: values[name] for name in _OF_FORMAT[values["format"]] if values[name]}
        if values["race"]:
            race = next((each for each in self._races(caller) if each.race_id == race_id), None)
            if race is None:
                raise Refused(text("Choose one of the list."))
        else:
            require(caller, "results.import", None, values["season"])
            given |= {name: values[name] for name in _OF_NEW if values[name]} | {"create": "true"}
        wanted = request_of(race_id, cast(ImportFormat, values["format"]), given | {"dry_run": str(dry_run).lower()})
        with self._one_at_a_time:
            uploaded = examined(_plain_name(file.name), io.BytesIO(file.content))
            return import_file(self._board.store, wanted, uploaded, caller, now_utc_ns)

    def _races(self, caller: Caller) -> list[RaceRecord]:
        heads = self._league.moves.races_of(caller)
        return [
            head.race
            for head in heads
            if head.race.stage not in ("final", "deleted") and may(caller, "results.import", head.race)
        ]


def _all_of_formats() -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in _OF_FORMAT.values() for name in names))


def _errors(values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the fields, before the file is looked at."""
    known: Mapping[str, Any] = {
        "format": get_args(ImportFormat),
        "kind": ("", *get_args(ResultKind)),
        "penalties": ("", *get_args(Penalties)),
    }
    if not values["race"]:
        known = {**known, "timing_method": tuple(dict(_TIMING)), "venue": get_args(Venue)}
    wrong = {
        name: str(text("Choose one of the list.")) for name, allowed in known.items() if values[name] not in allowed
    }
    if values["race"]:
        return wrong
    if not slug(values["name"]):
        wrong["name"] = text("Give the race a name.")
    laps = values["minimum_laps"]
    if laps and not (laps.isascii() and laps.isdecimal() and len(laps) < 3 and 1 <= int(laps) <= 10):
        wrong["minimum_laps"] = text("Write a whole number from {lowest} to {highest}.", lowest=1, highest=10)
    return wrong


def _hidden(report: ImportReport) -> int:
    """How many remarks the page does not show."""
    left_out = 0 if report.errors else report.notes_left_out
    return max(0, len(report.errors or report.notes) - _NOTES_SHOWN) + left_out


def _missing() -> PostedFile:
    raise Refused(text("Choose a file first."))


def _plain_name(given: str) -> str:
    name = given.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable()).strip()[:100] or "upload"
