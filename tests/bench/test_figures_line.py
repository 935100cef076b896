"""The line of figures: made of finished, clean, whole campaigns, or with what is missing named."""

import pytest

from bench.campaigns.record import ROOT
from bench.figures_line import BEGIN, END, CampaignFigures, between_marks, figures_of, line, table
from shared.errors import BadInput

WHOLE = {
    "finished": True,
    "clean": True,
    "quick": False,
    "trials": "kills",
    "counts": {"kills": 10_000, "acknowledged and lost": 0, "results applied twice": 0, "clock steps": 7},
    "ran_s": 3000.0,
    "load": {"mean": 2.0},
    "commits": ["abc"],
    "sittings": 1,
}


@pytest.mark.parametrize(
    ("changed", "trouble"),
    [
        ({}, ""),
        ({"finished": False, "clean": False}, "not finished"),
        ({"clean": False}, "not clean"),
        ({"quick": True}, "a quick run"),
        ({"counts": 3}, "not the record of a campaign"),
    ],
)
def test_only_a_whole_clean_campaign_is_published(changed: dict[str, object], trouble: str) -> None:
    assert figures_of("kills", WHOLE | changed).trouble == trouble


@pytest.mark.parametrize(("escapes", "trouble"), [(0, ""), ([], ""), (["one"], "not clean")])
def test_the_file_of_the_fuzzers_is_read_too(escapes: object, trouble: str) -> None:
    rows = [{"inputs": 500, "escapes": escapes}, {"inputs": 7, "escapes": 0}]
    found = figures_of("fuzz", {"rows": rows, "cpu_s": 16.0, "machine": {"load": [1.0, 2.0, 3.0]}})
    assert (found.trials, found.trouble) == (507, trouble)


def test_a_campaign_that_was_not_run_is_named() -> None:
    assert figures_of("kills", None).trouble == "not run"
    assert "not run" in table([figures_of("kills", None)])


def test_the_line_sums_what_was_lost_over_all_campaigns() -> None:
    kills = figures_of("kills", WHOLE)
    posts = CampaignFigures("posts", 5, (("posts lost", 2), ("posts applied twice", 1)))
    assert line([kills], (20, 20)) == (
        "10,000 kills, 7 clock steps: 0 acknowledged crossings lost, 0 duplicate results; sabotage 20/20 caught."
    )
    assert line([kills, posts], None).endswith(
        "2 acknowledged crossings lost, 1 duplicate results; sabotage not tried."
    )


def test_what_is_not_whole_is_named_and_not_counted() -> None:
    quick = figures_of("power-cuts", WHOLE | {"quick": True, "trials": "power cuts", "counts": {"power cuts": 3}})
    written = line([figures_of("kills", WHOLE), quick, figures_of("posts", None)], (20, 20))
    assert "power cuts:" not in written
    assert written.endswith("caught. Not among these: power-cuts (a quick run), posts (not run).")
    assert line([quick], None) == "No whole campaign is on file. Not among these: power-cuts (a quick run)."


def test_the_figures_go_between_the_marks_and_nowhere_else() -> None:
    assert between_marks(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(BadInput, match="no place for the figures"):
        between_marks("a", "new")


@pytest.mark.parametrize("page", ["README.md", "docs/figures.md"])
def test_both_pages_have_the_place(page: str) -> None:
    assert "new figures" in between_marks((ROOT / page).read_text(), "new figures")
