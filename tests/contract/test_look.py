"""Station and leaderboard may not import each other, and look alike all the same: one set of design tokens."""

from tests.conftest import ROOT


def test_both_machines_carry_the_same_tokens() -> None:
    pages = [ROOT / machine / "static" / "tokens.css" for machine in ("station/web", "leaderboard")]
    assert pages[0].read_bytes() == pages[1].read_bytes()
