"""What the station finds of the lines about the desk: people, race, screens, disk, leaderboard, backups. Pure.

Each function takes the view and returns the finding of one line; `DESK_FINDINGS` names the line. Used by presenter.py.
"""

import re
from collections.abc import Callable

from shared.rules.wording import rules_in_short
from shared.text import dates, joined, ntext, recorded, text
from shared.text.lists import listed
from shared.units import NS_PER_S
from station.checklists.records import NO_END_NS
from station.screens.register import AWAY_NS
from station.views.views import View
from station.web.pages.checklist.finding import (
    LineFinding,
    day_and_time,
    done,
    is_today,
    not_needed,
    still_open,
)
from station.web.pages.checklist.track_findings import expected_cars
from station.web.presenters.health import CLOCK
from station.web.presenters.time_zones import event_zone

SOON_NS = 60 * 24 * 3600 * NS_PER_S  # as `raceday certs show` has it
ANSWER_FRESH_NS = 5 * 60 * NS_PER_S  # sync asks each minute, and one answer may take a while
ANSWERED = ("ready", "unstated")  # states of a race that the leaderboard has or says nothing about
_UNNAMED = re.compile(r"Screen \d+")


def certificates(view: View) -> LineFinding:
    """Does none of the station's own certificates end soon?"""
    facts = view.checklists.facts
    if facts.certificates_fault:
        return still_open(recorded(facts.certificates_fault))
    end_ns = facts.certificates_end_utc_ns
    if end_ns is None:
        return not_needed(text("This station uses no certificate."))
    if end_ns == NO_END_NS:
        return done(text("The certificate has no end."))
    day = dates.LongDay(dates.moment_of(end_ns, event_zone(view)).date())
    if end_ns <= view.clock.utc_ns:
        return still_open(text("One ended on {day}: `sudo raceday certs show` says which.", day=day))
    if end_ns - view.clock.utc_ns < SOON_NS:
        return still_open(text("One ends on {day}: `sudo raceday certs show` says which.", day=day))
    return done(text("The first ends on {day}.", day=day))


def people(view: View) -> LineFinding:
    """Has each official signed in today, on a device that is still paired?"""
    officials = view.checklists.facts.officials
    if not officials:
        return still_open(text("Nobody has a role yet."), "/people")
    today = {each.person: each for each in view.checklists.sightings.signed_in if is_today(view, each.at_utc_ns)}
    if missing := [name for name in officials if name not in today]:
        return still_open(text("Not signed in today: {names}.", names=listed(missing)), "/people")
    if unpaired := [name for name in officials if today[name].device not in view.checklists.facts.paired]:
        return still_open(text("Not on a paired device: {names}.", names=listed(unpaired)), "/people")
    return done(text("Signed in today: {names}", names=listed(list(officials))))


def racers(view: View) -> LineFinding:
    """Is there a list of racers?"""
    count = len(view.event.racers)
    if not count:
        return still_open(text("No racer is on the list."), "/racers")
    return done(ntext("{n} racer", "{n} racers", n=count))


def race(view: View) -> LineFinding:
    """Is there a race, with a track?"""
    line = view.event.active
    if line is None:
        return still_open(text("There is no race yet."), "/event")
    if not line.track:
        return still_open(text("The race {race} has no track.", race=line.name), "/event")
    return done(joined([line.name, line.track, rules_in_short(line.rules)], " · "))


def leaderboard(view: View) -> LineFinding:
    """Did the leaderboard answer for each race of the event, the last time a moment ago, and refuse none?"""
    sync = view.sync
    if not sync.configured:
        return not_needed(text("No leaderboard is configured: results stay at this station."))
    if not sync.alive:
        return still_open(text("The sync service is not running."))
    if not view.event.races:
        return still_open(text("There is no race yet."), "/event")
    targets = []
    for line in view.event.races:
        target = sync.target_of(line.race_id)
        targets.append(target)
        if target.state == "":
            return still_open(text("It was not asked about {race} yet.", race=line.name), "/event")
        if target.state not in ANSWERED:
            return still_open(recorded(target.sentence), "/event")
    last_ns = max(target.checked_utc_ns for target in sync.targets if target.state in ANSWERED)
    if abs(view.clock.utc_ns - last_ns) > ANSWER_FRESH_NS:
        when = day_and_time(view, last_ns)
        return still_open(text("Its last answer is of {when}: press Test on the set-up page.", when=when), "/setup")
    if len(targets) == 1:
        return done(recorded(targets[0].sentence))
    return done(ntext("It was asked about {n} race.", "It was asked about {n} races.", n=len(targets)))


def posted(view: View) -> LineFinding:
    """Is every result that is due at the leaderboard?"""
    sync = view.sync
    if not sync.configured:
        return not_needed(text("No leaderboard is configured: results stay at this station."))
    if sync.rejected or sync.pending:
        return still_open(recorded(sync.sentence), "/operate")
    if sync.troubles:
        return still_open(recorded(sync.troubles[0].sentence), "/operate")
    if not sync.due:
        return still_open(text("No result is due yet."))
    words = ntext("{n} result is posted", "{n} results are posted", n=sync.posted)
    kept = sync.due - sync.posted
    if not kept:
        return done(words)
    return done(joined([words, ntext("{n} is kept here", "{n} are kept here", n=kept)], ", "))


def leaderboard_now(view: View) -> LineFinding:
    """Does the leaderboard answer, and does nothing wait?"""
    answers = leaderboard(view)
    if answers.state == "done" and (view.sync.rejected or view.sync.pending):
        return still_open(recorded(view.sync.sentence), "/operate")
    return answers


def screens_here(view: View) -> LineFinding:
    """Is no screen away?"""
    shown = view.screens.screens
    if not shown:
        return still_open(text("No screen was opened so far."), "/screens")
    away = [each.name for each in shown if view.clock.utc_ns - each.seen_utc_ns > AWAY_NS]
    if away:
        return still_open(text("Away: {names}.", names=listed(away)), "/screens")
    return done(ntext("{n} screen is here", "{n} screens are here", n=len(shown)))


def screens(view: View) -> LineFinding:
    """Is each screen here, and has a name that somebody gave it?"""
    here = screens_here(view)
    unnamed = [each.name for each in view.screens.screens if _UNNAMED.fullmatch(each.name)]
    if here.state == "done" and unnamed:
        return still_open(text("Not named: {names}.", names=listed(unnamed)), "/screens")
    return here


def backup(view: View) -> LineFinding:
    """Was a backup made today?"""
    facts = view.checklists.facts
    if not facts.makes_backups:
        return not_needed(text("This station makes no backups."))
    if facts.backups_fault:
        return still_open(recorded(facts.backups_fault), "/backup")
    if facts.backup_utc_ns is None:
        return still_open(text("There is no backup on the station's disk."), "/backup")
    if not is_today(view, facts.backup_utc_ns):
        when = day_and_time(view, facts.backup_utc_ns)
        return still_open(text("The newest backup is of {when}.", when=when), "/backup")
    return done(text("{file}, {when}", file=facts.backup, when=day_and_time(view, facts.backup_utc_ns)))


def backup_last(view: View) -> LineFinding:
    """Was a backup made today, and no lap ended since?"""
    made, made_ns = backup(view), view.checklists.facts.backup_utc_ns
    last_ns = view.checklists.sightings.last_lap_utc_ns
    if made.state != "done" or made_ns is None or last_ns is None or last_ns <= made_ns:
        return made
    times = {"backup": day_and_time(view, made_ns), "lap": day_and_time(view, last_ns)}
    return still_open(text("The newest backup is of {backup}, the last lap of {lap}.", **times), "/backup")


def clock(view: View) -> LineFinding:
    """Is the time of day known to be right?"""
    if not view.clock.trusted:
        return still_open(CLOCK)
    now_ns = view.clock.utc_ns
    day = dates.LongDay(dates.moment_of(now_ns, event_zone(view)).date())
    at = dates.time_of_day(now_ns, event_zone(view), seconds=False)
    zone = view.event.event.time_zone if view.event.event is not None else ""
    words = text("{day}, {time}", day=day, time=at)
    return done(joined([words, zone], " · ") if zone else words)


def journal(view: View) -> LineFinding:
    """Does the disk take records, and has it room?"""
    store = view.store
    if not store.ok or store.sentence:
        return still_open(recorded(store.sentence))
    return done(ntext("{n} record is on disk", "{n} records are on disk", n=store.records))


def broker(view: View) -> LineFinding:
    """Is the station connected to the broker?"""
    if view.broker.unsafe:
        return still_open(recorded(view.broker.unsafe))
    if view.broker.connected:
        return done(recorded(view.broker.sentence))
    if view.event.cars and not expected_cars(view):
        return not_needed(text("No car here takes orders: all are started by hand."))
    return still_open(recorded(view.broker.sentence))


def official(view: View) -> LineFinding:
    """Is each race with a place in it official or closed?"""
    raced = [line for line in view.event.races if line.ranked]
    if not raced:
        return still_open(text("No race has a result yet."), "/event")
    if waiting := [line.name for line in raced if line.state not in ("official", "closed")]:
        return still_open(text("Not official yet: {races}.", races=listed(waiting)), "/event")
    return done(text("Official: {races}", races=listed([line.name for line in raced])))


DESK_FINDINGS: dict[str, Callable[[View], LineFinding]] = {
    "certificates": certificates,
    "people": people,
    "racers": racers,
    "race": race,
    "leaderboard": leaderboard,
    "leaderboard_now": leaderboard_now,
    "posted": posted,
    "screens": screens,
    "screens_here": screens_here,
    "backup": backup,
    "backup_last": backup_last,
    "clock": clock,
    "journal": journal,
    "broker": broker,
    "official": official,
}
