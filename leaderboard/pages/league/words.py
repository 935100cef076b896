"""The words of races, seasons and events on the organiser's pages; tables, and times in the zone of the race."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from leaderboard.core.race import RaceRecord
from leaderboard.core.states import RaceState
from leaderboard.league.moves import IN_BIN_NS, Move
from shared.text import Sentence, text
from shared.text.dates import LongDay, moment_of, time_of_day

STATES: Mapping[RaceState, Sentence] = {
    "draft": text("Draft"),
    "published": text("Not open yet"),
    "open": text("Open"),
    "closed": text("Closed"),
    "provisional": text("Provisional"),
    "final": text("Final"),
    "deleted": text("Deleted"),
}
CHOICES: Mapping[str, tuple[tuple[str, Sentence], ...]] = {
    "kind": (("league", text("League race")), ("community", text("Community race"))),
    "venue": (
        ("physical", text("On a real track")),
        ("virtual", text("On the virtual circuit")),
        ("any", text("Both")),
    ),
    "race_type": (
        ("time_trial", text("Time trial")),
        ("object_avoidance", text("Object avoidance")),
        ("head_to_bot", text("Head to bot")),
        ("head_to_head", text("Head to head")),
    ),
    "direction": (("counterclockwise", text("Counterclockwise")), ("clockwise", text("Clockwise"))),
    "visibility": (
        ("public", text("Public: everybody sees it and may enter")),
        ("private", text("Private: only whom you invite knows of it")),
    ),
    "entry": (("open", text("Anyone may enter.")), ("registered", text("For registered racers."))),
    "method": (
        ("best_lap", text("Best lap")),
        ("average", text("Average of laps in a row")),
        ("total_time", text("Total time of laps in a row")),
    ),
    "lap_1_from": (("line", text("The first crossing of the line")), ("signal", text("The start signal"))),
    "at_time_limit": (("stop", text("Ends at once")), ("finish_lap", text("The lap in progress still counts"))),
    "stage": (
        ("draft", text("Draft: only organisers see it")),
        ("published", text("Published: everybody sees it")),
        ("archived", text("Archived: over, and still to be read")),
    ),
    "circuit": (("summit", text("Summit: in person")), ("virtual", text("Virtual: on the virtual circuit"))),
    "every": (("month", text("Every month")), ("week", text("Every week")), ("days", text("Every so many days"))),
}


@dataclass(frozen=True, slots=True)
class MoveWords:
    """What a move is called on its button, and what it does."""

    button: Sentence
    does: Sentence


MOVE_WORDS: Mapping[Move, MoveWords] = {
    "publish": MoveWords(text("Publish"), text("Everybody who may see the race sees it from now on.")),
    "close": MoveWords(
        text("Close now"), text("Runs that are finished from now on do not count. It can be opened again.")
    ),
    "reopen": MoveWords(text("Open again"), text("Runs count again; a planned close that has passed is taken away.")),
    "results": MoveWords(
        text("Publish results"),
        text("They are shown as provisional: what was driven in time may still come in."),
    ),
    "final": MoveWords(text("Make final"), text("Nothing changes the results until an official unlocks them.")),
    "unlock": MoveWords(text("Unlock"), text("The results are provisional again. The reason is kept.")),
    "delete": MoveWords(
        text("Delete"), text("It disappears for everybody, and lies in the bin for 30 days, where you can restore it.")
    ),
    "restore": MoveWords(text("Restore"), text("The race comes back as it was.")),
}


def done_words(move: Move, race: str) -> Sentence:
    """What is said on the next page after the move."""
    match move:
        case "publish":
            return text("{race} is published.", race=race)
        case "close":
            return text("{race} is closed.", race=race)
        case "reopen":
            return text("{race} is open again.", race=race)
        case "results":
            return text("The results of {race} are published.", race=race)
        case "final":
            return text("The results of {race} are final.", race=race)
        case "unlock":
            return text("The results of {race} are provisional again.", race=race)
        case "delete":
            return text("{race} is in the bin for 30 days; it can be restored there.", race=race)
        case "restore":
            return text("{race} is back as it was.", race=race)


def when(at_utc_ns: int, zone: str) -> Sentence:
    """A day and a time of day in this zone, for people."""
    place = ZoneInfo(zone)
    day = LongDay(moment_of(at_utc_ns, place).date())
    return text("{day}, {time} ({zone})", day=day, time=time_of_day(at_utc_ns, place, seconds=False), zone=zone)


def how_it_stands(race: RaceRecord, now_utc_ns: int) -> Sentence:
    """What a racer wants to know of a race's state."""
    match race.state(now_utc_ns):
        case "closed":
            return text("No more runs count.")
        case "provisional":
            return text("Its results may still change.")
        case _:
            return what_is_next(race, now_utc_ns)


def what_is_next(race: RaceRecord, now_utc_ns: int) -> Sentence:
    """What happens next with a race, or what it waits for, for its organiser."""
    ends_utc_ns = race.ends_utc_ns()
    match race.state(now_utc_ns):
        case "draft":
            return text("Nobody else sees it until it is published.")
        case "published" if race.opens_utc_ns is not None:
            return text("Opens {when}.", when=when(race.opens_utc_ns, race.zone))
        case "open" if ends_utc_ns is not None:
            return text("Closes {when}.", when=when(ends_utc_ns, race.zone))
        case "open" | "published":
            return text("Open until you close it.")
        case "closed":
            return text("Closed. Next: publish its results, or make them final.")
        case "provisional":
            return text("Its results are published. Next: make them final.")
        case "final":
            return text("Its results are final.")
        case "deleted":
            return text("In the bin until {when}.", when=when((race.deleted_utc_ns or 0) + IN_BIN_NS, race.zone))
