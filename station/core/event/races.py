"""Carries out the commands about the event and its races: created, changed, closed, opened again.

Called by event_commands.py. Rules are versioned: other rules judge all runs of the race again. SwitchRace itself is
carried out by command_handlers.py, since it changes which race the timing state gives crossings to; `opening` says what
it opens.
"""

from collections.abc import Mapping
from dataclasses import replace

from shared.errors import Refused
from shared.rules.ranking import RaceRules
from shared.rules.track_lengths import shortest_lap_s
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.event import checks
from station.core.event.event_book import EventBook
from station.core.event.parts import EventParts
from station.core.event.records import EventInfo, RaceCard
from station.core.race.race import Race
from station.core.race.race_changes import PlaceChange, rule_change_effect
from station.core.race.race_changes import change_race as change_open_race

MAX_RACES = 500


def create_event(parts: EventParts, command: e.CreateEvent) -> list[f.Fact]:
    """Begins an event; nobody is checked in at it yet."""
    parts.check_no_run()
    book = parts.book
    name = checks.checked_name(command.name, text("name for the event"))
    used = {*book.events, *(card.event_id for card in book.races.values())}
    wanted = checks.checked_id(command.event_id) or checks.id_from(name, "event")
    if command.event_id and wanted in used:
        raise Refused(text("There was already an event {event}: choose another id.", event=wanted))
    event = EventInfo(
        checks.unused_id(wanted, used),
        name,
        checks.checked_text(command.track, text("track")),
        command.direction,
        checks.checked_length_m(command.track_length_m),
        checks.checked_time_zone(command.time_zone),
    )
    book.began(event)
    facts: list[f.Fact] = [f.EventCreated(event, command.author)]
    for key, racer in [(key, racer) for key, racer in book.racers.items() if racer.checked_in]:
        book.racers[key] = replace(racer, checked_in=False)
        facts.append(f.RacerChanged(book.racers[key], racer, command.author))
    return facts


def change_event(parts: EventParts, command: e.ChangeEvent) -> list[f.Fact]:
    """Changes the event that is on; its races stay as they are."""
    was = parts.book.event
    if was is None:
        raise Refused(text("There is no event yet: create one."))
    length_m = was.track_length_m if command.track_length_m is None else checks.checked_length_m(command.track_length_m)
    event = EventInfo(
        was.event_id,
        was.name if command.name is None else checks.checked_name(command.name, text("name for the event")),
        was.track if command.track is None else checks.checked_text(command.track, text("track")),
        command.direction or was.direction,
        length_m,
        was.time_zone if command.time_zone is None else checks.checked_time_zone(command.time_zone),
    )
    if event == was:
        raise Refused(text("Nothing is different in the event {event}.", event=was.name))
    parts.book.began(event)
    return [f.EventChanged(event, command.author)]


def create_race(parts: EventParts, command: e.CreateRace) -> list[f.Fact]:
    """Creates a race as a draft; without an event, one begins that has its name."""
    book = parts.book
    if len(book.races) >= MAX_RACES:
        raise Refused(text("The station has room for {max} races.", max=MAX_RACES))
    name = checks.checked_name(command.name, text("name for the race"))
    wanted = checks.checked_id(command.race_id) or checks.id_from(name, "race")
    if command.race_id and wanted in book.races:
        raise Refused(text("There was already a race {race}: choose another id.", race=wanted))
    track = checks.checked_text(command.track, text("track"))
    rules = None if command.rules is None else checks.checked_race_rules(command.rules)
    cars_on_track = checks.checked_cars_on_track(command.cars_on_track)
    submit_after_s = checks.checked_submit_after_s(command.submit_after_s)
    began = [] if book.event is not None else [f.EventCreated(book.ensure_event(name, track), command.author)]
    assert book.event is not None
    card = RaceCard(
        race_id=checks.unused_id(wanted, set(book.races)),
        name=name,
        event_id=book.event.event_id,
        rules=rules or standard_rules(book.event, track),
        track=track or book.event.track,
        direction=command.direction or book.event.direction,
        kind=command.kind,
        cars_on_track=cars_on_track,
        submit_after_s=submit_after_s,
        official_by_two=command.official_by_two,
    )
    book.races[card.race_id] = card
    return [*began, f.RaceCreated(card, command.author)]


def standard_rules(event: EventInfo | None, track: str) -> RaceRules:
    """The standard rules, with the shortest lap that a car can drive on this track, as far as its length is known."""
    length_m = None if event is None or (track and track != event.track) else event.track_length_m
    min_lap_s = shortest_lap_s(track or (event.track if event is not None else ""), length_m)
    return RaceRules() if min_lap_s is None else RaceRules(min_lap_s=min_lap_s)


def changed_card(book: EventBook, command: e.ChangeRace) -> RaceCard:
    """The card of the race as the command wants it. Raises Refused for values that no race can have."""
    was = book.card(command.race_id)
    card = replace(
        was,
        name=was.name if command.name is None else checks.checked_name(command.name, text("name for the race")),
        rules=was.rules if command.rules is None else checks.checked_race_rules(command.rules),
        track=was.track if command.track is None else checks.checked_text(command.track, text("track")),
        direction=command.direction or was.direction,
        cars_on_track=was.cars_on_track
        if command.cars_on_track is None
        else checks.checked_cars_on_track(command.cars_on_track),
        submit_after_s=was.submit_after_s
        if command.submit_after_s is None
        else checks.checked_submit_after_s(command.submit_after_s),
        official_by_two=was.official_by_two if command.official_by_two is None else command.official_by_two,
    )
    return replace(card, rules_version=was.rules_version + 1) if card.rules != was.rules else card


def check_can_change(race: Race | None, was: RaceCard, card: RaceCard) -> None:
    """Raises Refused if the race cannot be changed in this way now."""
    if card == was:
        raise Refused(text("Nothing is different in the race {race}.", race=was.name))
    if was.state == "official":
        raise Refused(text("The results of {race} are official: reopen them before you change it.", race=was.name))
    if race is None:
        return
    if race.on:
        raise Refused(text("A run of {race} is on: change it when the run is over.", race=was.name))
    if card.rules == was.rules:
        return
    if official := next((run.run_id for run in race.runs.values() if run.official), ""):
        raise Refused(text("The result of {run} is official: open it again before you change the rules.", run=official))
    if race.registry.out_of_reach:
        raise Refused(
            text(
                "{count} runs of {race} are too old to be judged again: create another race for other rules.",
                count=race.registry.out_of_reach,
                race=was.name,
            )
        )
    allowed = card.rules.attempts_per_racer
    used = max(((race.registry.attempts(racer), racer) for racer in race.registry.racers()), default=(0, ""))
    if allowed is not None and used[0] > allowed:
        raise Refused(text("{racer} has used {used} attempts: allow at least that many.", racer=used[1], used=used[0]))


def change_race(parts: EventParts, command: e.ChangeRace) -> list[f.Fact]:
    """Changes a race; other rules are its next version, and judge all its runs again."""
    was, card = parts.book.card(command.race_id), changed_card(parts.book, command)
    race = parts.races.get(was.race_id)
    check_can_change(race, was, card)
    parts.book.races[card.race_id] = card
    changed: list[f.Fact] = [f.RaceChanged(card, was, command.author, command.reason)]
    return changed if race is None else [*changed, *change_open_race(race, opening(card, command.moment, race))]


def rules_effect(book: EventBook, races: Mapping[str, Race], command: e.ChangeRace) -> tuple[PlaceChange, ...]:
    """What this command would do to the standings; changes nothing. Raises Refused as the command itself would."""
    was, card = book.card(command.race_id), changed_card(book, command)
    race = races.get(was.race_id)
    check_can_change(race, was, card)
    return () if race is None else rule_change_effect(race, card.rules)


def opening(card: RaceCard, moment: e.Moment, race: Race | None) -> e.OpenRace:
    """What the timing state opens for this race; `race`: as it was opened before, None if it was not.

    A race keeps the edition of officiating that it began with.
    """
    what = (card.race_id, card.name, card.rules, card.track, card.kind, card.cars_on_track)
    known = e.OpenRace(moment, *what, ties_by_uncertainty=True) if race is None else race.info
    editions = (known.ties_by_uncertainty, known.officiating)
    return e.OpenRace(moment, *what, *editions, card.submit_after_s, card.official_by_two)


def check_can_switch(parts: EventParts, command: e.SwitchRace) -> RaceCard:
    """The card of the race to switch to. Raises Refused while a run is on, and for a closed race."""
    card = parts.book.card(command.race_id)
    parts.check_no_run()
    if card.state == "closed":
        raise Refused(text("The race {race} is closed: open it again before you switch to it.", race=card.name))
    return card


def close_race(parts: EventParts, command: e.CloseRace) -> list[f.Fact]:
    """Closes a race."""
    was, race = parts.book.card(command.race_id), parts.races.get(command.race_id)
    if was.state == "closed":
        raise Refused(text("The race {race} is closed already.", race=was.name))
    if race is not None and race.on:
        raise Refused(text("A run of {race} is on: close it when the run is over.", race=was.name))
    card = parts.book.set_state(was.race_id, "closed")
    return [f.RaceChanged(card, was, command.author, command.reason)]


def reopen_race(parts: EventParts, command: e.ReopenRace) -> list[f.Fact]:
    """Opens a closed race again."""
    was = parts.book.card(command.race_id)
    if was.state != "closed":
        raise Refused(text("The race {race} is not closed.", race=was.name))
    card = parts.book.set_state(was.race_id, "open" if was.race_id in parts.races else "draft")
    return [f.RaceChanged(card, was, command.author, command.reason)]
