"""What a voice says: names as they are pronounced, in the language of the page; what is read keeps them as written."""

from dataclasses import replace

from shared.text import text
from shared.text.reader import reading
from station.views.event_view import RacerLine
from station.views.trackside.announcements import Announcement
from station.views.trackside.pronunciation import pronounced, pronunciations
from station.web.pages.sound.presenter import sound_data
from tests.station.web.sample_views import VIEW

RACERS = (
    RacerLine("xX_Shafi", "", "", "", "", "", (), True, "", 0, "Sha fee"),
    RacerLine("Ada", "", "", "", "", "", (), True, "", 0),
)
NAMES = pronunciations(RACERS)


def test_names_are_said_as_they_are_pronounced_whatever_their_spelling() -> None:
    assert NAMES == {"xx_shafi": "Sha fee"}
    assert pronounced(text("Next: {racer}.", racer="XX_shafi"), NAMES) == "Next: Sha fee."
    assert pronounced(text("Next: {racer}.", racer="Ada"), NAMES) == "Next: Ada."
    moved = text("Correction: {was}'s run was {racer}'s.", was="xX_Shafi", racer="Ada")
    assert pronounced(moved, NAMES) == "Correction: Sha fee's run was Ada's."


def test_what_only_looks_like_a_name_is_not_touched() -> None:
    assert pronounced(text("{what} is {racer}.", what="xX_Shafi", racer="Ada"), NAMES) == "xX_Shafi is Ada."
    assert pronounced("xX_Shafi is no sentence of ours.", NAMES) == "xX_Shafi is no sentence of ours."


def test_a_page_shows_the_name_and_says_its_pronunciation_in_its_language() -> None:
    announced = Announcement(1, "next", text("Next: {racer}.", racer="xX_Shafi"), 0)
    view = replace(VIEW, announcements=(announced,), event=replace(VIEW.event, racers=RACERS))
    with reading("de"):
        (told,) = sound_data(view)["announcements"]
    assert (told["sentence"], told["pronounced"]) == ("Als Nächstes: xX_Shafi.", "Als Nächstes: Sha fee.")
