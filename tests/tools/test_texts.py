"""The check of sentences: what it finds in Python, templates and scripts, and that the product has no fault."""

import subprocess
import sys

import pytest

from tools.check_text import faults_of_catalogue
from tools.texts.found import ROOT, FoundMessage
from tools.texts.po_file import Entry, updated
from tools.texts.python_source import read_python
from tools.texts.script_source import read_script
from tools.texts.template_source import read_template

PYTHON = [
    ('from shared.text import text\ntext("a" "b", x=1)', ["ab"], 0),
    ('from shared.text import ntext as many\nmany("{n} lap", "{n} laps", n=1)', ["{n} lap"], 0),
    ('from sqlalchemy import text\ntext("select 1")', [], 0),
    ("from shared.text import text\ntext(f'{x}')\ntext(name)", [], 2),
    ('raise Refused(f"no {x}")\nraise Refused("no" if x else text("y"))\nraise Refused(str(error))', [], 2),
]
TEMPLATES = [
    ('<p>{{ t("Laps") }}</p>', ["Laps"], 0),
    ('<p>{{ nt("{n} lap", "{n} laps", n=3) }}</p>', ["{n} lap"], 0),
    ("<p>Laps</p>\n<p>·  7 {# Laps #}</p>", [], 1),
    ('<a title="Lap" class="Lap Time" data-x="Lap"><input placeholder="any" value="Typed"></a>', [], 2),
    ('<input type="submit" value="Send">', [], 1),
    ("{{ 'in-window' if x }}{{ 'Lap ' ~ n }}{% if x == 'Lap 1' %}{% endif %}", [], 1),
    ('<p title="{{ t("Rank") }}"{% if a > b %} class="x"{% endif %}><kbd>Ctrl</kbd> {{ name }} ms</p>', ["Rank"], 0),
    ("{{ t(name) }}", [], 1),
    ('{{ t("Laps") ~ ": " ~ n }} {{ "/" ~ n }}: {{ t("Laps") }}', ["Laps", "Laps"], 1),
    ('{{ f([("", t("None"))] + laps) }}{{ (t("Lap") if a else t("Laps")) ~ n }}', ["None", "Lap", "Laps"], 1),
    ("<script>const words = 'Some words';</script>", [], 0),
]
SCRIPTS = [
    ('show(t("The car is away"));', ["The car is away"], 0),
    ('x = nt("{n} lap", "{n} laps", count);', ["{n} lap"], 0),
    ('// The car is away\nshow("The car is away");', [], 1),
    ('"use strict"; if (event.key === "Escape") document.querySelector("button[data-x], .y").click();', [], 0),
    ("show(`${what}: the station did not answer.`); other.className = `a b-${c}`;", [], 1),
    ("t(name); x.t(name); t(`a b`);", [], 2),
    ('show(`✕ ${t("{what} is `so`", { what: `${a} b` })} …`);', ["{what} is `so`"], 0),
    ('const re = /"The car/; show("Live"); label.textContent = t("It\'s \\"so\\"");', ['It\'s "so"'], 1),
]


@pytest.mark.parametrize(("source", "messages", "faults"), PYTHON)
def test_messages_and_bare_refusals_in_python(source: str, messages: list[str], faults: int) -> None:
    found = read_python(source, "station/core/x.py")
    assert ([each.message for each in found.messages], len(found.faults)) == (messages, faults), found.faults


@pytest.mark.parametrize(("source", "messages", "faults"), TEMPLATES)
def test_messages_and_bare_words_in_templates(source: str, messages: list[str], faults: int) -> None:
    found = read_template(source, "x.html")
    assert ([each.message for each in found.messages], len(found.faults)) == (messages, faults), found.faults


@pytest.mark.parametrize(("source", "messages", "faults"), SCRIPTS)
def test_messages_and_bare_sentences_in_scripts(source: str, messages: list[str], faults: int) -> None:
    found = read_script(source, "x.js")
    assert ([each.message for each in found.messages], len(found.faults)) == (messages, faults), found.faults


def test_a_fault_names_its_file_and_line() -> None:
    assert read_template("<p>\n\nLaps</p>", "a.html").faults[0].startswith("a.html:3: ")
    assert read_script('\n\nshow("The car");', "a.js").faults[0].startswith("a.js:3: ")


def test_the_catalogue_must_have_every_message_with_the_same_fields_and_no_other() -> None:
    found = [FoundMessage(name, "", "a.py", line) for line, name in enumerate(["new", "empty", "{a} b", "good {a}"], 1)]
    entries = {
        "empty": Entry("empty", "", ("",)),
        "{a} b": Entry("{a} b", "", ("{c} b",)),
        "good {a}": Entry("good {a}", "", ("gut {a}",)),
        "old": Entry("old", "", ("alt",)),
    }
    faults = list(faults_of_catalogue("de.po", entries, found))
    assert [fault.partition(" ")[0] for fault in faults] == ["a.py:1:", "a.py:2:", "a.py:3:", "de.po:"]


def test_an_update_keeps_translations_and_takes_out_what_is_unused() -> None:
    entries = {"stays": Entry("stays", "", ("bleibt",)), "old": Entry("old", "", ("alt",))}
    fresh = updated(entries, [FoundMessage("stays", "", "a.py", 1), FoundMessage("{n} x", "{n} xs", "b.js", 2)], 2)
    assert fresh == {
        "stays": Entry("stays", "", ("bleibt",), ("a.py",)),
        "{n} x": Entry("{n} x", "{n} xs", ("", ""), ("b.js",)),
    }


def test_the_product_has_no_fault() -> None:
    done = subprocess.run(
        [sys.executable, "tools/check_text.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
