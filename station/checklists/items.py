"""The lines of the checklists: the day before, the morning and the evening. The one source of the page and the paper.

`docs/checklists.md` prints the same sentences in the same order (a test compares them). Used by the page of the
checklists and by the register.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from shared.text import Sentence, text

ListName = Literal["day_before", "morning", "evening"]
LISTS: tuple[ListName, ...] = get_args(ListName)


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line. `by_station`: the station sees whether it is so; otherwise an official ticks it by hand."""

    key: str
    list_name: ListName
    sentence: Sentence
    by_station: bool = False


_DAY_BEFORE = (
    ChecklistItem(
        "road",
        "day_before",
        text(
            "Road taped down; walked along by a person on their knees: no white thing beside it, no edge that stands "
            "up."
        ),
    ),
    ChecklistItem(
        "line",
        "day_before",
        text(
            "Barrier across the line at the height of the cars' bodies; cables taped; nobody can step on the line "
            "without wanting to."
        ),
    ),
    ChecklistItem(
        "boards",
        "day_before",
        text("Boards up, measured from the line: 0.3 m and 1 m behind it, both sides."),
    ),
    ChecklistItem(
        "doctor",
        "day_before",
        text("sudo raceday doctor on the station and on each car: no line says that something is to be mended."),
    ),
    ChecklistItem(
        "certificates", "day_before", text("The station's certificates last for 60 days or more."), by_station=True
    ),
    ChecklistItem(
        "gates_tried",
        "day_before",
        text("Gates tested again, a car rolled over each line: each sensor has detected something today."),
        by_station=True,
    ),
    ChecklistItem(
        "line_width",
        "day_before",
        text("A car was rolled over each line left, right and middle: the gate showed each pass."),
    ),
    ChecklistItem(
        "button", "day_before", text("The station's stop button was pressed, and is released again."), by_station=True
    ),
    ChecklistItem("plug", "day_before", text("The plug of each stop button was pulled: all cars stopped.")),
    ChecklistItem(
        "stop_tried",
        "day_before",
        text("Emergency stop of all cars, with a car on blocks: each car confirmed it."),
        by_station=True,
    ),
    ChecklistItem("access_point", "day_before", text("The access point is where it stays.")),
    ChecklistItem(
        "cars_held",
        "day_before",
        text("All cars on for ten minutes: the station lost none of them."),
        by_station=True,
    ),
    ChecklistItem(
        "people",
        "day_before",
        text("Each official has a role, and has signed in on a paired device."),
        by_station=True,
    ),
    ChecklistItem("racers", "day_before", text("The list of racers is in the station."), by_station=True),
    ChecklistItem("cards", "day_before", text("The racers' cards and the sheets of the cars are printed.")),
    ChecklistItem("race", "day_before", text("The race has a track and its rules."), by_station=True),
    ChecklistItem("read_out", "day_before", text("Track, races and rules were read out to the officials in one line.")),
    ChecklistItem("leaderboard", "day_before", text("The leaderboard answers, and refuses no race."), by_station=True),
    ChecklistItem("screens", "day_before", text("Each screen is open and named."), by_station=True),
    ChecklistItem("last_row", "day_before", text("Each screen was read from the last row.")),
    ChecklistItem("drills", "day_before", text("The failure drills: each official each one.")),
    ChecklistItem("charging", "day_before", text("All batteries on charge, somebody beside them.")),
    ChecklistItem("spares", "day_before", text("The box of spares is complete.")),
    ChecklistItem("backup", "day_before", text("A backup was made."), by_station=True),
    ChecklistItem("stick", "day_before", text("The backup is on a stick that does not stay in the hall.")),
)
_MORNING = (
    ChecklistItem("powered", "morning", text("Station, access point and screens are on.")),
    ChecklistItem("clock", "morning", text("The station's time of day is right."), by_station=True),
    ChecklistItem(
        "gates_ready", "morning", text("Each gate is ready, and a car was rolled over its line."), by_station=True
    ),
    ChecklistItem("boards_stand", "morning", text("The boards stand where they stood.")),
    ChecklistItem(
        "staff_run",
        "morning",
        text("One whole run of a staff car: started, timed, confirmed by the car, discarded."),
        by_station=True,
    ),
    ChecklistItem("big_screen", "morning", text("The big screen showed it.")),
    ChecklistItem("screens_here", "morning", text("No screen is away."), by_station=True),
    ChecklistItem(
        "stop_released", "morning", text("The stop of all cars was given once, and is released."), by_station=True
    ),
    ChecklistItem("journal", "morning", text("Records are on disk, and the disk has room."), by_station=True),
    ChecklistItem("broker", "morning", text("The broker is connected."), by_station=True),
    ChecklistItem("leaderboard_now", "morning", text("The leaderboard answers, and no result waits."), by_station=True),
    ChecklistItem("cars_heard", "morning", text("Each car on the list is heard."), by_station=True),
    ChecklistItem("batteries", "morning", text("Each car's battery is full.")),
    ChecklistItem("safety", "morning", text("Fireproof bag, extinguisher, first aid: everybody knows where.")),
)
_EVENING = (
    ChecklistItem("official", "evening", text("Each race with results is official."), by_station=True),
    ChecklistItem("posted", "evening", text("Every result is at the leaderboard."), by_station=True),
    ChecklistItem("backup_last", "evening", text("A backup was made after the last lap."), by_station=True),
    ChecklistItem("stick_home", "evening", text("The stick goes home with somebody else than the station.")),
    ChecklistItem("cars_off", "evening", text("Cars off, batteries out of them and in their bag.")),
)
ITEMS: dict[str, ChecklistItem] = {item.key: item for item in (*_DAY_BEFORE, *_MORNING, *_EVENING)}
