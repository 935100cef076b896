"""What is said aloud of an announcement: racers' names as they are pronounced, where an entry says how. Pure.

Used for the speech of browsers and of the station; what is read on a screen keeps the names as they are written.
"""

from collections.abc import Iterable, Mapping

from shared.rules.person_names import name_key
from shared.text import Sentence
from station.views.event_view import RacerLine

_NAMES = frozenset({"racer", "was"})  # the values of an announcement that are racers' names


def pronunciations(racers: Iterable[RacerLine]) -> dict[str, str]:
    """How racers' names are said, by their key; only those that are not said as they are written."""
    return {name_key(racer.alias): racer.pronounce_as for racer in racers if racer.pronounce_as}


def pronounced(sentence: str, names: Mapping[str, str]) -> str:
    """The sentence with each racer's name as it is pronounced; in any language, as the sentence itself."""
    if not names or not isinstance(sentence, Sentence):
        return sentence
    values = {
        name: names.get(name_key(str(value)), value) if name in _NAMES else value
        for name, value in sentence.values.items()
    }
    return Sentence(sentence.template, values, sentence.plural)
