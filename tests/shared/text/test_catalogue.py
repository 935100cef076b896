"""The catalogue: sentences in another language, by their template or by the template that made a stored text."""

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import joined, ntext, recorded, text
from shared.text.catalogue import Catalogue, CatalogueEntry, catalogue, languages, translate
from shared.text.dates import LongDay
from shared.text.recognition import MIN_LETTERS
from shared.text.template import Field, filled, parts_of

GERMAN = Catalogue(
    "de",
    {
        message: CatalogueEntry(tuple([message] if len(forms) == 1 else [message, plural]), tuple(forms), frozenset())
        for message, plural, forms in [
            ("Waiting", "", ["Wartet"]),
            ("{racer} is on the track already, in {run}.", "", ["{racer} ist schon auf der Strecke, in {run}."]),
            ("{racer} is on the track.", "", ["{racer} ist auf der Strecke."]),
            ("A penalty of {seconds:g} s", "", ["{seconds:g} s Zeitstrafe"]),
            ("{n} lap", "{n} laps", ["{n} Runde", "{n} Runden"]),
            ("Refused: {why}", "", ["Abgelehnt: {why}"]),
            ("Since {day}", "", ["Seit dem {day}"]),
            ("Not translated yet", "", [""]),
            ("{a}{b} are twins", "", ["{a}{b} sind Zwillinge"]),
        ]
    },
)

TRANSLATED = [
    (text("Waiting"), "Wartet"),
    (text("{racer} is on the track.", racer="Waiting"), "Waiting ist auf der Strecke."),
    (text("{racer} is on the track.", racer=text("Waiting")), "Wartet ist auf der Strecke."),
    (text("A penalty of {seconds:g} s", seconds=1.5), "1,5 s Zeitstrafe"),
    (ntext("{n} lap", "{n} laps", n=1), "1 Runde"),
    (ntext("{n} lap", "{n} laps", n=0), "0 Runden"),
    (joined([text("Waiting"), ntext("{n} lap", "{n} laps", n=2)], " · "), "Wartet · 2 Runden"),
    (text("Since {day}", day=LongDay(dt.date(2026, 3, 9))), "Seit dem 9. März 2026"),
    (text("Not translated yet"), "Not translated yet"),
    (text("Nobody knows {it}", it=1.5), "Nobody knows 1,5"),
    # Without a template: what came back from the journal.
    (recorded("Waiting"), "Wartet"),
    ("Ada is on the track.", "Ada ist auf der Strecke."),
    ("Ada is on the track already, in R-1.", "Ada ist schon auf der Strecke, in R-1."),
    ("A penalty of 0.5 s", "0,5 s Zeitstrafe"),
    ("1 lap", "1 Runde"),
    ("12 laps", "12 Runden"),
    ("Refused: Waiting", "Abgelehnt: Wartet"),
    ("Refused: Refused: 2 laps", "Abgelehnt: Abgelehnt: 2 Runden"),
    ("Ada is on the way.", "Ada is on the way."),
    ("", ""),
]


@pytest.mark.parametrize(("sentence", "german"), TRANSLATED)
def test_a_sentence_is_shown_in_german(sentence: str, german: str) -> None:
    assert GERMAN.translate(sentence) == german


@pytest.mark.parametrize(
    ("count", "polish"), [(1, "1 okrążenie"), (3, "3 okrążenia"), (5, "5 okrążeń"), (22, "22 okrążenia")]
)
def test_a_language_with_more_forms_has_its_own(count: int, polish: str) -> None:
    forms = ("{n} okrążenie", "{n} okrążenia", "{n} okrążeń")
    known = Catalogue("pl", {"{n} lap": CatalogueEntry(("{n} lap", "{n} laps"), forms, frozenset())})
    assert known.translate(ntext("{n} lap", "{n} laps", n=count)) == polish


def test_english_and_unknown_languages_stay_as_they_are() -> None:
    assert translate("Waiting", "en") == translate("Waiting", "xx") == "Waiting"
    assert languages()[0] == "en"
    assert "de" in languages()


@given(st.text(max_size=3000))
def test_no_text_makes_it_fail(written: str) -> None:
    assert isinstance(GERMAN.translate(written), str)
    assert isinstance(catalogue("de").translate(written), str)


def _values(form: str, value: str) -> dict[str, object]:
    return {part.name: value for part in parts_of(form) if isinstance(part, Field)}


def _assert_found_again(form: str, value: str) -> None:
    """Whatever template is found for the text of this one, it gives back the same English text."""
    written = filled(form, _values(form, value), _as_it_is) if _values(form, value) else form
    found = catalogue("de")._recogniser.recognise(written)
    if found is not None:
        assert (filled(found.form, found.values, _as_it_is) if found.values else found.form) == written


def _literals(form: str) -> list[str]:
    return [part if isinstance(part, str) else "" for part in parts_of(form)]


def _as_it_is(value: object, _: Field) -> str:
    return str(value)


FORMS = sorted(form for message in catalogue("de").messages.values() for form in message.english)


@given(st.sampled_from(FORMS), st.text(st.characters(codec="utf-8"), max_size=30))
def test_the_template_of_a_stored_text_is_found_again(form: str, value: str) -> None:
    _assert_found_again(form, value)


@pytest.mark.parametrize("value", ["Ada", "7", "a. b: c, d", "{n} laps of \U0001f3ce x"])
def test_every_template_is_found_again(value: str) -> None:
    for form in FORMS:
        _assert_found_again(form, value)


def test_every_text_of_the_catalogue_is_found_by_its_own_template() -> None:
    """A plain value, such as a name, does not make a text another message's."""
    recogniser = catalogue("de")._recogniser
    wrong = []
    for form in FORMS:
        letters = sum(sum(map(str.isalpha, part)) for part in parts_of(form) if isinstance(part, str))
        written = filled(form, _values(form, "x7"), _as_it_is) if _values(form, "x7") else form
        found = recogniser.recognise(written)
        if letters >= MIN_LETTERS and (found is None or _literals(found.form) != _literals(form)):
            wrong.append((form, found))
    assert wrong == []


def test_hostile_texts_take_linear_time() -> None:
    hostile = ["is on the track already, in " * 70, "Refused: " * 220, "{" * 1999, " in " * 499, "a" * 1_000_000]
    began = time.perf_counter()
    for written in hostile:
        GERMAN.translate(written)
    assert time.perf_counter() - began < 1.0
