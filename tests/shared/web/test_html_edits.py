"""What an update sends of a piece of HTML that has changed: as little as says it, and never something else."""

import re

import pytest

from shared.web.drawing.html_edits import edit, edits

ROW = '<li id="racer-1" class="place-row" data-racer="Ada &lt;3"><span>7</span><a href="/r?a&amp;b">Ada &lt;3</a></li>'


def applied(before: str, change: str | list[int | str]) -> str:
    """What stream_hub.js makes of it."""
    if isinstance(change, str):
        return change
    pieces = re.findall(r"<[^>]*>|[^<]+", before)
    for place, piece in zip(change[::2], change[1::2], strict=True):
        pieces[int(place)] = str(piece)
    return "".join(pieces)


@pytest.mark.parametrize(
    ("now", "sent"),
    [
        (ROW.replace(">7<", ">8<"), [2, "8"]),
        (
            ROW.replace("place-row", "place-row on"),
            [0, '<li id="racer-1" class="place-row on" data-racer="Ada &lt;3">'],
        ),
        (ROW.replace("</li>", "<b>tied</b></li>"), None),
        (ROW.replace(">7<", "><"), None),
        (ROW.replace("<li", "<tr").replace("span", "em").replace("<a", "<i"), None),
        ("a < b", None),
    ],
)
def test_an_edit_is_sent_where_it_is_shorter(now: str, sent: list[int | str] | None) -> None:
    change = edit(now, ROW)
    assert change == (now if sent is None else sent)
    assert applied(ROW, change) == now


def test_only_what_changed_is_named_and_what_is_new_comes_whole() -> None:
    before = {"same": ROW, "moved": ROW, "gone": ROW}
    assert edits({"same": ROW, "moved": ROW.replace("7", "8"), "new": ROW}, before) == {"moved": [2, "8"], "new": ROW}
    assert edits(before, {}) == before


def test_html_that_does_not_split_into_its_pieces_comes_whole() -> None:
    assert edit("<b>x", "<b x") == "<b>x"
