"""Writes the page of a training into its folder, once in each language: `progress.html`, `progress.de.html`.

A browser opens the file itself: there is no server, and nothing is fetched. Style and script stand in the page, and its
policy names their hashes, so that nothing else is run. The script takes the reader to the file in their language.
"""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from shared.text import recorded, text
from shared.text.catalogue import ENGLISH, language_name, languages
from shared.text.dates import time_of_day
from shared.text.reader import language, reading, shown
from shared.text.shown_numbers import ShownNumber
from shared.text.template import WordedByLanguage
from simulator.train.progress_page.curves import HEIGHT, MEAN_OF, WIDTH, drawn_curves
from simulator.train.progress_page.view import TrainingView
from simulator.train.scores import best_checkpoint, why_best_checkpoint

RENEW_MS = 5_000
SILENT_MS = 300_000  # a round of imitation may take minutes
_FONT_FACES = re.compile(r"^@font-face .*\n", re.MULTILINE)  # of files that are not beside the page


def page_name(language: str) -> str:
    """The name of the page's file in a language."""
    return "progress.html" if language == ENGLISH else f"progress.{language}.html"


def write_pages(folder: Path, view: TrainingView, renew_ms: int = RENEW_MS) -> None:
    """Write the page in each language, whole or not at all."""
    for reader in languages():
        with reading(reader):
            page = _page(view, renew_ms)
        part = folder / f"{page_name(reader)}.part"
        part.write_text(page, encoding="utf-8")
        part.replace(folder / page_name(reader))


def _page(view: TrainingView, renew_ms: int) -> str:
    """The page in the reader's language."""
    style, script = _style(), _script()
    best = best_checkpoint(view.scores) if view.scores else None
    return _template().render(
        view=view,
        plan=view.plan,
        curves=drawn_curves(view.rows, view.scores),
        best=best,
        why=None if best is None else why_best_checkpoint(view.scores),
        translated=view.end is None or shown(recorded(view.end.sentence)) != view.end.sentence,
        number=ShownNumber,
        written_at=time_of_day(view.written_utc_ns, None),
        written_ms=view.written_utc_ns // 1_000_000,
        renew_ms=renew_ms,
        silent_ms=SILENT_MS,
        others={each: (language_name(each), page_name(each)) for each in languages() if each != language()},
        first=language() == ENGLISH,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'",
        style=Markup(style),  # noqa: S704 (files of ours)
        script=Markup(script),  # noqa: S704
        width=WIDTH,
        height=HEIGHT,
        mean_of=MEAN_OF,
    )


@cache
def _template() -> Template:
    env = Environment(autoescape=True, finalize=_in_language, trim_blocks=True, undefined=StrictUndefined)
    env.filters["recorded"] = recorded
    env.globals.update(t=text, language=language)
    return env.from_string(_part("page.html"))


def _in_language(value: object) -> object:
    """A value in the template as the reader sees it."""
    return value.in_language(language()) if isinstance(value, WordedByLanguage) else shown(value)


@cache
def _style() -> str:
    """The look that all pages share, without its letters, and this page's own."""
    tokens = (files("shared.web") / "look" / "tokens.css").read_text(encoding="utf-8")
    return _FONT_FACES.sub("", tokens) + _part("page.css")


@cache
def _script() -> str:
    return _part("page.js")


def _part(name: str) -> str:
    return (files("simulator.train.progress_page") / name).read_text(encoding="utf-8")


def _hash(inline: str) -> str:
    """What the page's policy allows: these bytes and no others."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"
