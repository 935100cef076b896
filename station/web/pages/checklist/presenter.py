"""The live content of the page of the checklists: each line, whether it is done, and by what. Pure.

A line that the station sees ticks and unticks itself with the view; one that only people see stays ticked until the day
ends.
"""

from dataclasses import dataclass

from shared.text import Sentence, dates, recorded, text
from station.checklists.items import ITEMS, LISTS, ChecklistItem, ListName
from station.checklists.records import HandTick
from station.views.views import View
from station.web.page import PageContent
from station.web.pages.checklist.desk_findings import DESK_FINDINGS
from station.web.pages.checklist.finding import FindingState, day_and_time, is_today, still_open
from station.web.pages.checklist.track_findings import TRACK_FINDINGS, batteries
from station.web.presenters.time_zones import event_zone

FINDINGS = {**TRACK_FINDINGS, **DESK_FINDINGS}
WATCHED = frozenset(  # the lines that go by what the watch has seen and read
    {
        "certificates",
        "gates_tried",
        "gates_ready",
        "button",
        "stop_tried",
        "stop_released",
        "cars_held",
        "staff_run",
        "people",
        "backup",
        "backup_last",
    }
)
HINTS = {"batteries": batteries}  # what the station knows of a line that it cannot tick
TITLES: dict[ListName, Sentence] = {
    "day_before": text("The day before, in the hall"),
    "morning": text("In the morning, half an hour before the doors open"),
    "evening": text("In the evening"),
}
SHORT: dict[ListName, Sentence] = {
    "day_before": text("Day before"),
    "morning": text("Morning"),
    "evening": text("Evening"),
}
MENDS: dict[str, Sentence] = {
    "/gates": text("Gates"),
    "/operate": text("Race control"),
    "/cars": text("Cars"),
    "/people": text("People"),
    "/racers": text("Racers"),
    "/event": text("Event"),
    "/screens": text("Screens"),
    "/backup": text("Backup"),
    "/setup": text("Set-up"),
}


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """A line. `by_hand`: an official ticks it. `detail`: by what or by whom, or what is wrong.

    `mend`: the address where that is put right, with `mend_words` for the link; both "" if there is none.
    """

    key: str
    item: str
    sentence: Sentence
    by_hand: bool
    state: FindingState
    detail: str
    mend: str = ""
    mend_words: str = ""


@dataclass(frozen=True, slots=True)
class ListCount:
    """How much of a list is done: `done` of `of` lines; `of` counts no line that is not needed here."""

    anchor: ListName
    title: Sentence
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class ChecklistsModel:
    """The page: a row for each line of each list, the counts, and the day that all of it is about."""

    day_before: tuple[ChecklistRow, ...]
    morning: tuple[ChecklistRow, ...]
    evening: tuple[ChecklistRow, ...]
    counts: tuple[ListCount, ...]
    day: str


def checklists_model(view: View) -> ChecklistsModel:
    """The page for this view."""
    rows = {each: tuple(_row(view, item) for item in ITEMS.values() if item.list_name == each) for each in LISTS}
    day = dates.moment_of(view.clock.utc_ns, event_zone(view)).date()
    counts = tuple(_count(each, rows[each]) for each in LISTS)
    return ChecklistsModel(**rows, counts=counts, day=text("{day}", day=dates.LongDay(day)))


def _count(name: ListName, rows: tuple[ChecklistRow, ...]) -> ListCount:
    needed = [row for row in rows if row.state != "none"]
    return ListCount(name, SHORT[name], sum(row.state == "done" for row in needed), len(needed))


def _row(view: View, item: ChecklistItem) -> ChecklistRow:
    key = f"line-{item.key}"
    if not item.by_station:
        state, detail = _by_hand(view, view.checklists.tick(item.key), item)
        return ChecklistRow(key, item.key, item.sentence, True, state, detail)
    found = FINDINGS[item.key](view)
    if view.checklists.watch_fault and item.key in WATCHED and found.state == "done":
        found = still_open(recorded(view.checklists.watch_fault))
    words = MENDS[found.mend] if found.mend else ""
    return ChecklistRow(key, item.key, item.sentence, False, found.state, found.detail, found.mend, words)


def _by_hand(view: View, tick: HandTick | None, item: ChecklistItem) -> tuple[FindingState, str]:
    """Whether an official ticked the line today, and what is known of it."""
    if tick is not None and is_today(view, tick.at_utc_ns):
        who = {"person": tick.person, "when": day_and_time(view, tick.at_utc_ns)}
        if tick.on:
            return "done", text("{person}, {when}", **who)
        return "open", text("Taken back by {person}, {when}", **who)
    if item.key in HINTS and (hint := HINTS[item.key](view)):
        return "open", hint
    if tick is not None and tick.on:
        when = day_and_time(view, tick.at_utc_ns)
        return "open", text("Last ticked by {person}, {when}", person=tick.person, when=when)
    return "open", ""


CHECKLIST = PageContent(
    checklists_model,
    parts=("checklist_counts", "checklist_day"),
    lists=dict.fromkeys(LISTS, "checklist_row"),
    macros="checklist_parts.html",
)
