"""Station, leaderboard and car may not import each other, and look alike all the same: one set of design tokens."""

from tests.conftest import ROOT


def test_all_machines_carry_the_same_tokens() -> None:
    pages = [ROOT / machine / "static" / "tokens.css" for machine in ("station/web", "leaderboard", "vehicle/web")]
    assert len({page.read_bytes() for page in pages}) == 1
