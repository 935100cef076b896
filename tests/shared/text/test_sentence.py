"""Sentences: English text that remembers its template and values."""

import copy
import pickle

import pytest

from shared.errors import Refused
from shared.text import Recorded, Sentence, joined, ntext, recorded, text
from shared.text.template import Field, parts_of

TEMPLATES = [
    ("Call next", ("Call next",)),
    ("{racer} is on the track.", (Field("racer"), " is on the track.")),
    ("up to {seconds:g} s, {name!r}", ("up to ", Field("seconds", spec="g"), " s, ", Field("name", conversion="r"))),
    ("{{literal}} {n}", ("{literal} ", Field("n"))),
    ('{"rejected": true}', ('{"rejected": true}',)),
    ("", ()),
]


@pytest.mark.parametrize(("template", "parts"), TEMPLATES)
def test_a_template_is_literals_and_fields(template: str, parts: tuple[object, ...]) -> None:
    assert parts_of(template) == parts


def test_a_sentence_is_its_english_text_and_remembers_its_template() -> None:
    sentence = text("{racer} has used all {allowed} attempts.", racer="Ada {x}", allowed=3)
    assert sentence == "Ada {x} has used all 3 attempts."
    assert (sentence.template, dict(sentence.values)) == (
        "{racer} has used all {allowed} attempts.",
        {"racer": "Ada {x}", "allowed": 3},
    )


def test_values_are_written_by_their_spec() -> None:
    assert text("{seconds:g} s", seconds=1.50) == "1.5 s"
    assert text("{name!r}", name="a b") == "'a b'"
    assert text("{why:cap}.", why="too short") == "Too short."


@pytest.mark.parametrize(("count", "written"), [(0, "0 laps of Ada"), (1, "1 lap of Ada"), (2, "2 laps of Ada")])
def test_a_count_has_two_forms(count: int, written: str) -> None:
    assert ntext("{n} lap of {racer}", "{n} laps of {racer}", n=count, racer="Ada") == written


def test_a_missing_value_is_a_bug() -> None:
    with pytest.raises(KeyError):
        text("{racer} is on {track}.", racer="Ada")


def test_a_sentence_survives_an_error_a_copy_and_a_pickle() -> None:
    sentence = text("{n} runs are on.", n=2)
    for again in (str(Refused(sentence)), copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):
        assert isinstance(again, Sentence)
        assert (again, again.template, again.values) == (sentence, sentence.template, sentence.values)


def test_sentences_that_are_joined_stay_sentences() -> None:
    line = joined([text("Lap {n}", n=3), "void {x}"], " · {} · ")
    assert line == "Lap 3 · {} · void {x}"
    assert dict(line.values) == {"part_0": "Lap 3", "part_1": "void {x}"}
    assert joined([]) == ""


def test_recorded_text_is_marked_unless_it_is_a_sentence_already() -> None:
    sentence = text("Waiting")
    assert recorded(sentence) is sentence
    assert isinstance(recorded("Waiting"), Recorded)
