"""The commentator's page: the racer, the history, the last laps against the leader, and what was announced."""

from dataclasses import replace

from shared.rules.ranking import RaceRules
from station.core.event.records import EventInfo
from station.views.event_view import EventView, RacerLine
from station.views.queue_view import QueueLine, QueueView
from station.views.trackside.announcements import Announcement
from station.views.trackside.commentary import CommentaryView, LapTime, RunLaps
from station.views.trackside.sectors import SectorView
from station.web.pages.commentator.presenter import commentator_model
from station.web.presenters.laps import lap_lines
from tests.station.web.sample_views import EMPTY, RACE, RUN, VIEW, S


def run(run_id: str, racer: str, *times_ms: int, score_ms: int | None = None, counts: bool = True) -> RunLaps:
    laps = tuple(LapTime(number, each, True) for number, each in enumerate(times_ms, 1))
    return RunLaps(run_id, racer, 1, run_id == "run-7", counts, score_ms, laps)


STORY = CommentaryView(
    current=(run("run-7", "Ada Lovelace", 10_482, 11_871, 9_654, 9_702, 9_588, 9_900),),
    leaders=(run("run-1", "Grace Hopper", 9_400, 9_412, 9_424, score_ms=9_412),),
    histories=(
        (run("run-3", "Ada Lovelace", 9_900, score_ms=None), run("run-2", "Ada Lovelace", 9_800, counts=False)),
    ),
)
TOLD = replace(
    VIEW,
    race=replace(RACE, best_lap_ns=9_400_000_000, best_racer="Grace Hopper"),
    commentary=STORY,
    announcements=(
        Announcement(1, "lap", "Ada Lovelace, lap 5: 9.588.", 0),
        Announcement(2, "go", "Go!", 0, spoken=False),
        Announcement(3, "lap", "Ada Lovelace, lap 6: 9.900.", 0),
    ),
)


def test_the_racer_on_the_track_and_the_history() -> None:
    model = commentator_model(TOLD)
    assert (model.record, model.leader) == ("9.400 by Grace Hopper", "Grace Hopper, 9.412")
    (story,) = model.stories
    assert (story.racer, story.phase, story.place, story.score) == (
        "Ada Lovelace",
        "On track",
        "4 of 6",
        "10.409",
    )
    assert [(line.score, line.best) for line in story.history] == [("no score", "9.900"), ("does not count", "9.800")]


def test_the_last_five_laps_as_bars_against_the_leader() -> None:
    model = commentator_model(TOLD)
    assert model.reference == "the average lap of Grace Hopper, 9.412"
    bars = model.stories[0].bars
    assert [bar.number for bar in bars] == [6, 5, 4, 3, 2]
    assert [bar.against for bar in bars[:2]] == ["+0.488", "+0.176"]
    assert TOLD.run is not None
    lines = lap_lines(TOLD.run, RaceRules(), TOLD.race)
    assert {(bar.number, bar.sign, bar.tone) for bar in bars} <= {(line.number, line.sign, line.tone) for line in lines}
    assert max(bars, key=lambda bar: bar.percent).number == 2
    assert all(bar.percent % 5 == 0 and 20 <= bar.percent <= 100 for bar in bars)


def test_what_was_spoken_newest_first() -> None:
    assert [line.sentence for line in commentator_model(TOLD).announced] == [
        "Ada Lovelace, lap 6: 9.900.",
        "Ada Lovelace, lap 5: 9.588.",
    ]


def test_an_empty_race_is_told_plainly() -> None:
    model = commentator_model(EMPTY)
    assert (model.race, model.stories, model.record) == ("No race is open.", (), "–")
    assert model.leader == "Nobody has qualified yet."


def test_the_next_three_with_their_starts_and_how_their_names_are_said() -> None:
    waiting = ("Katherine Johnson", "Alan Turing", "Eve", "Dan")
    queue = QueueView(
        tuple(
            QueueLine(racer, place, VIEW.clock.utc_ns + place * 300 * S, 4 * (place == 2), called=place == 1)
            for place, racer in enumerate(waiting, 1)
        )
    )
    racers = (
        RacerLine("katherine johnson", "US", "", "", "", "", (), True, "", 0, "KATH-rin"),
        RacerLine("Ada Lovelace", "GB", "", "", "", "", (), True, "", 0, "AY-da"),
    )
    event = EventView(EventInfo("cup", "Cup", time_zone="Asia/Kolkata"), racers=racers)
    model = commentator_model(replace(TOLD, queue=queue, event=event))
    assert [(line.racer, line.pronounced, line.at, line.minutes, line.late) for line in model.next] == [
        ("Katherine Johnson", "KATH-rin", "19:48", "now", ""),
        ("Alan Turing", "", "19:53", "in 10 minutes", "4 minutes late"),
        ("Eve", "", "19:58", "in 15 minutes", ""),
    ]
    assert model.stories[0].pronounced == "AY-da"


def test_what_the_run_is_worth_and_the_signs_of_its_sectors() -> None:
    sectors = (SectorView(1, 3_412 * S // 1000, "best"), SectorView(2, 2_998 * S // 1000, "own"))
    last = (SectorView(1, 4 * S, "slower"), SectorView(2, None, "unknown"))
    run = replace(RUN, sectors=(*sectors, SectorView(3, None, "pending")), last_sectors=last)
    (story,) = commentator_model(replace(TOLD, run=run)).stories
    assert story.worth == "would be 4th, +0.997 · needs 2 laps of 9.323 to lead"
    assert [(cell.time, cell.sign) for cell in story.sectors] == [("3.412", "◆"), ("2.998", "▲"), ("", "")]
    assert [cell.words for cell in story.last_sectors] == ["Sector 1: 4.000, slower", "Sector 2: not measured"]
    assert commentator_model(replace(TOLD, run=replace(run, phase="finished"))).stories[0].worth == ""
