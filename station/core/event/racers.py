"""Carries out the commands about racers: entered, changed, renamed, merged, checked in, imported, taken off the list.

Called by event_commands.py. Each function checks first and raises Refused; after that it cannot fail.
"""

from collections.abc import Mapping
from dataclasses import replace

from shared.errors import Refused
from shared.rules.person_names import name_key, person_name
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.event import checks
from station.core.event.ownership import check_owners, hand_over, owners_of
from station.core.event.parts import EventParts
from station.core.event.records import Racer
from station.core.race.race import Race
from station.core.race.race_changes import rename_racer

MAX_RACERS = 2000
Racers = dict[str, Racer]


def checked_racer(racer: Racer) -> Racer:
    """The entry as it is stored. Raises Refused for what is wrong in it by itself."""
    return Racer(
        alias=person_name(racer.alias),
        flag=checks.checked_flag(racer.flag),
        team=checks.checked_text(racer.team, text("team")),
        colour=checks.checked_colour(racer.colour),
        model=checks.checked_text(racer.model, text("model")),
        car=checks.checked_car(racer.car),
        transponders=checks.checked_transponders(racer.transponders),
        checked_in=racer.checked_in,
        code=checks.checked_code(racer.code),
        pronounce_as=checks.checked_text(racer.pronounce_as, text("pronunciation")),
    )


def add_racer(parts: EventParts, command: e.AddRacer) -> list[f.Fact]:
    """Enters a racer; runs that he has under another spelling are under this one from now on."""
    entry = checked_racer(
        Racer(
            command.racer,
            command.flag,
            command.team,
            command.colour,
            command.model,
            command.car,
            command.transponders,
            command.checked_in,
            command.code,
            command.pronounce_as,
        )
    )
    if (known := parts.book.racer(entry.alias)) is not None:
        raise Refused(text("{racer} is on the list already: change that entry instead.", racer=known.alias))
    return _stored(parts, {**parts.book.racers, name_key(entry.alias): entry}, command)


def change_racer(parts: EventParts, command: e.ChangeRacer) -> list[f.Fact]:
    """Changes an entry; another alias carries all runs along."""
    was = _on_file(parts, command.racer)
    wanted = {
        name: getattr(command, name)
        for name in ("alias", "flag", "team", "colour", "model", "car", "transponders", "pronounce_as")
        if getattr(command, name) is not None
    }
    entry = checked_racer(replace(was, **wanted))
    key, was_key = name_key(entry.alias), name_key(was.alias)
    if key != was_key and key in parts.book.racers:
        raise Refused(text("{racer} is on the list already: merge the two if they are one person.", racer=entry.alias))
    if entry == was:
        raise Refused(text("Nothing is different in the entry of {racer}.", racer=was.alias))
    if key != was_key and parts.raced(entry.alias):
        raise Refused(text("{racer} has runs already: merge the two if they are one person.", racer=entry.alias))
    if entry.alias != was.alias:
        parts.check_off_track(was.alias)
    # The entry keeps its place in the list.
    racers = {
        (key if each == was_key else each): (entry if each == was_key else racer)
        for each, racer in parts.book.racers.items()
    }
    return _stored(parts, racers, command, {was_key: key})


def remove_racer(parts: EventParts, command: e.RemoveRacer) -> list[f.Fact]:
    """Takes a racer off the list who has no run."""
    entry = _on_file(parts, command.racer)
    if parts.raced(entry.alias):
        raise Refused(
            text("{racer} has runs, so the entry stays: merge it with another, or change it.", racer=entry.alias)
        )
    return _stored(parts, {key: each for key, each in parts.book.racers.items() if each is not entry}, command)


def check_in(parts: EventParts, command: e.CheckIn) -> list[f.Fact]:
    """Records whether the racer is present."""
    entry = _on_file(parts, command.racer)
    if entry.checked_in == command.present:
        raise Refused(
            text("{racer} is checked in already.", racer=entry.alias)
            if command.present
            else text("{racer} is not checked in.", racer=entry.alias)
        )
    racers = {**parts.book.racers, name_key(entry.alias): replace(entry, checked_in=command.present)}
    return _stored(parts, racers, command)


def import_racers(parts: EventParts, command: e.ImportRacers) -> list[f.Fact]:
    """Enters many racers at once, all or none."""
    racers, seen = dict(parts.book.racers), set[str]()
    for each in command.racers:
        entry = checked_racer(each)
        key = name_key(entry.alias)
        if key in seen:
            raise Refused(text("{racer} is in the list twice: name each racer once.", racer=entry.alias))
        seen.add(key)
        racers[key] = merged_entry(racers[key], entry) if key in racers else entry
    if racers == parts.book.racers:
        raise Refused(text("The list changes nothing: all its racers are on file as it says."))
    return _stored(parts, racers, command)


def merged_entry(known: Racer, imported: Racer) -> Racer:
    """The known entry with the fields that the imported one fills; alias and code stay."""
    return replace(
        known,
        flag=imported.flag or known.flag,
        team=imported.team or known.team,
        colour=imported.colour or known.colour,
        model=imported.model or known.model,
        car=imported.car or known.car,
        transponders=imported.transponders or known.transponders,
        checked_in=imported.checked_in or known.checked_in,
        pronounce_as=imported.pronounce_as or known.pronounce_as,
    )


def merge_racers(parts: EventParts, command: e.MergeRacers) -> list[f.Fact]:
    """Joins two racers who are one person. Either may be on the list, or have runs only."""
    was, into = (parts.book.racer(name) for name in (command.racer, command.into))
    was_alias = was.alias if was is not None else person_name(command.racer)
    alias = into.alias if into is not None else person_name(command.into)
    if name_key(was_alias) == name_key(alias):
        raise Refused(text("{racer} is one racer already: name two.", racer=alias))
    for name, entry in ((was_alias, was), (alias, into)):
        if entry is None and not parts.raced(name):
            raise Refused(text("There is no racer {racer} on the list, and none has a run.", racer=name))
        parts.check_off_track(name)
    for race in parts.races.values():
        _check_attempts(race, was_alias, alias)
    racers = dict(parts.book.racers)
    gone = racers.pop(name_key(was_alias), None)
    if gone is not None:
        kept = racers.get(name_key(alias), Racer(alias, code=gone.code))
        filled = merged_entry(kept, gone)
        racers[name_key(alias)] = replace(filled, transponders=(*kept.transponders, *gone.transponders))
    return _stored(parts, racers, command, {name_key(was_alias): name_key(alias)}, (was_alias, alias))


def _check_attempts(race: Race, was: str, into: str) -> None:
    """Raises Refused if the two have more attempts than one racer may have: the leaderboard would count only some."""
    allowed = race.info.rules.attempts_per_racer
    used = [race.registry.attempts(spelled) for name in (was, into) if (spelled := race.spellings.known(name))]
    if allowed is not None and sum(used) > allowed and min(used) > 0:
        raise Refused(
            text(
                "Together they have {used} attempts in {race}, which allows {allowed}: take an attempt out first.",
                used=sum(used),
                race=race.info.name,
                allowed=allowed,
            )
        )


def _stored(
    parts: EventParts,
    racers: Racers,
    command: e.Command,
    moved: Mapping[str, str] | None = None,
    names: tuple[str, str] | None = None,
) -> list[f.Fact]:
    """Stores these entries; returns the facts of what changed, of runs under new names and of transponders.

    `moved`: the key of a racer -> his key from now on. `names`: two names that are one racer from now on, if not both
    are on the list. Raises Refused before anything has changed.
    """
    book, moved = parts.book, moved or {}
    if len(racers) > MAX_RACERS:
        raise Refused(text("The list has room for {max} racers.", max=MAX_RACERS))
    for racer in racers.values():
        checks.checked_transponders(racer.transponders)
    check_owners(racers.values(), book.cars.values())
    _check_codes(racers)
    was = book.racers
    renamed = [(was[key].alias, racers[to].alias) for key, to in moved.items() if key in was] or (
        [names] if names else []
    )
    renamed += [
        (each.alias, each.alias) for key, each in racers.items() if key not in was and key not in moved.values()
    ]
    for before, after in renamed:
        parts.check_not_official(before, after)
        parts.check_not_official(after, after)
    for before, after in renamed:
        if name_key(before) != name_key(after):
            parts.attribution.rename_owner(before, after)
    owners = owners_of([_as_now(each, was_key, racers, moved) for was_key, each in was.items()], book.cars.values())
    book.racers = racers
    facts = _entry_facts(was, racers, moved, command)
    for before, after in renamed:
        for race in parts.races.values():
            facts += rename_racer(race, after, after, command)  # a spelling of his new name becomes the one on file
            facts += rename_racer(race, before, after, command)
    return [*facts, *hand_over(parts, owners, command)]


def _as_now(racer: Racer, key: str, racers: Racers, moved: Mapping[str, str]) -> Racer:
    """The entry as it was, under the name that its racer has now: a new name moves no transponder."""
    to = moved.get(key, key)
    return replace(racer, alias=racers[to].alias) if to in racers else racer


def _entry_facts(was: Racers, racers: Racers, moved: Mapping[str, str], command: e.Command) -> list[f.Fact]:
    facts: list[f.Fact] = []
    merged = {key for key, to in moved.items() if key != to and to in was and key in was}
    for key, entry in was.items():
        to = moved.get(key, key)
        if key in merged:
            facts.append(f.RacerRemoved(entry, command.author, racers[to].alias))
        elif to not in racers:
            facts.append(f.RacerRemoved(entry, command.author))
        elif racers[to] != entry:
            facts.append(f.RacerChanged(racers[to], entry, command.author))
    came_from = {to for key, to in moved.items() if key in was}
    facts += [
        f.RacerAdded(entry, command.author) for key, entry in racers.items() if key not in was and key not in came_from
    ]
    return facts


def _check_codes(racers: Racers) -> None:
    codes = [each.code for each in racers.values() if each.code]
    if len(set(codes)) != len(codes):
        raise Refused(text("Two racers would have one code: give the command again."))


def _on_file(parts: EventParts, name: str) -> Racer:
    entry = parts.book.racer(name)
    if entry is None:
        raise Refused(text("There is no racer {racer} on the list: add the racer first.", racer=repr(name[:64])))
    return entry
