"""The line of figures: made of finished, clean, whole campaigns, or with what is missing named."""

import pytest

from bench.figures_line import CampaignFigures, figures_of, line, table

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


def test_a_campaign_that_was_not_run_is_named() -> None:
    assert figures_of("kills", None).trouble == "not run"
    assert "not run" in table([figures_of("kills", None)])


def test_the_line_sums_what_was_lost_over_all_campaigns() -> None:
    kills = figures_of("kills", WHOLE)
    posts = CampaignFigures("posts", 5, (("posts lost", 2), ("posts applied twice", 1)))
    assert line([kills], (20, 20)) == (
        "10,000 kills, 7 clock steps: 0 acknowledged crossings lost, 0 duplicate results; sabotage 20/20 caught"
    )
    assert line([kills, posts], None).endswith("2 acknowledged crossings lost, 1 duplicate results; sabotage not tried")
