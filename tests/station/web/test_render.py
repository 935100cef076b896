"""Rows are drawn again only where their lines differ, and never otherwise than by a renderer that knows none yet."""

from dataclasses import replace
from typing import Any

import pytest

from shared.text.reader import reading
from station.views.views import View
from station.web.pages.registry import PAGES as TABLE
from station.web.pages.registry import TOPICS
from station.web.render import Pages
from tests.station.web.sample_views import VIEW

LATER = replace(
    VIEW, standing=tuple(replace(line, score_ms=line.score_ms + (n == 1)) for n, line in enumerate(VIEW.standing))
)


@pytest.mark.parametrize("name", sorted(TOPICS))
def test_a_row_that_is_held_is_as_one_drawn_anew(name: str) -> None:
    held = Pages(TABLE, TOPICS)
    for view in (VIEW, LATER, VIEW):
        for language in ("en", "de"):
            with reading(language):
                assert held.render(view, name) == Pages(TABLE, TOPICS).render(view, name)


def test_one_new_score_draws_one_row(monkeypatch: Any) -> None:
    pages, drawn = Pages(TABLE, TOPICS), list[str]()
    pages.render(VIEW, "live")
    draw = Pages._drawn

    def counted(self: Pages, content: Any, macro: str, what: Any, officials: bool) -> str:
        if hasattr(what, "key"):
            drawn.append(what.key)
        return draw(self, content, macro, what, officials)

    monkeypatch.setattr(Pages, "_drawn", counted)
    changed: View = LATER
    pages.render(changed, "live")
    assert 1 <= len(drawn) <= 2, drawn  # its own row, and the gap of the one below
