"""What a race's page tells beside its standing: description, picture, track, season, edition, and where else it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownItem
from leaderboard.core.race import RaceRecord
from leaderboard.league.description import html_of
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league.words import CHOICES, when
from leaderboard.pages.live.track_view import track_map
from shared.text import Sentence, text
from shared.tracks.drawing import TrackDrawing


@dataclass(frozen=True, slots=True)
class PlaceLink:
    """A page that the race belongs to, such as its season."""

    path: str
    name: Sentence | str


@dataclass(frozen=True, slots=True)
class RaceAbout:
    """The part of the page. `description` is safe HTML; `picture` "": none; `drawing` None: the track has no outline.

    `edition` "": the settings are as they were first. `shared` False: a private race, which is shown nowhere else.
    `card`: its social picture. `virtual`: submissions may be driven in it. `ways`: to where its organisers and
    officials work.
    """

    description: Markup
    picture: str
    drawing: TrackDrawing | None
    kind: Sentence
    direction: Sentence
    within: tuple[PlaceLink, ...]
    edition: Sentence | str
    shared: bool
    card: str
    planned: bool
    virtual: bool
    ways: tuple[PlaceLink, ...]


def race_about(league: LeagueServices, caller: Caller, race: RaceRecord, base: str = "") -> RaceAbout:
    """What is told of this race, which exists for the caller. `base`: of addresses that others fetch."""
    drawn = track_map(race)
    types, directions = dict(CHOICES["race_type"]), dict(CHOICES["direction"])
    return RaceAbout(
        description=Markup(html_of(race.description)),  # noqa: S704  (cleaned by nh3)
        picture=f"/races/{race.race_id}/pictures/{race.picture_sha256}" if race.picture_sha256 else "",
        drawing=None if drawn is None else drawn.drawing,
        kind=types[race.race_type],
        direction=directions[race.direction],
        within=tuple(_within(league, caller, race)),
        edition=_edition(league, caller, race),
        shared=race.visibility == "public" and race.stage not in ("draft", "deleted"),
        card=f"{base}/races/{race.race_id}/card.png",
        ways=tuple(_ways(caller, race)),
        virtual=race.venue != "physical",
        planned=race.opens_utc_ns is not None or race.closes_utc_ns is not None,
    )


def _ways(caller: Caller, race: RaceRecord) -> Iterator[PlaceLink]:
    page = f"/races/{race.race_id}"
    if access.may(caller, "race.edit", race):
        yield PlaceLink(f"/desk/races/{race.race_id}", text("Settings"))
        yield PlaceLink(f"{page}/notices", text("Notices"))
    if race.live and access.may(caller, "live.run", race):
        yield PlaceLink(f"{page}/live-control", text("Control the LIVE race"))
    if race.live and access.may(caller, "live.comment", race):
        yield PlaceLink(f"{page}/commentator", text("Commentator's view"))


def _within(league: LeagueServices, caller: Caller, race: RaceRecord) -> list[PlaceLink]:
    found: list[PlaceLink] = []
    finders: tuple[tuple[str, str, Callable[[], str]], ...] = (
        ("seasons", race.season_id, lambda: league.seasons.season(caller, race.season_id).name),
        ("events", race.event_id, lambda: league.seasons.event(caller, race.event_id)[0].name),
    )
    for kind, item_id, name in finders:
        if not item_id:
            continue
        try:
            found.append(PlaceLink(f"/{kind}/{item_id}", name()))
        except UnknownItem:
            continue  # a draft of its organisers
    return found


def _edition(league: LeagueServices, caller: Caller, race: RaceRecord) -> Sentence | str:
    if race.edition == 1:
        return ""
    newest = next(iter(league.races.editions(caller, race.race_id)), None)
    if newest is None:
        return text("Edition {n} of the settings.", n=race.edition)
    return text("Edition {n} of the settings, of {when}.", n=race.edition, when=when(newest.at_utc_ns, race.zone))
