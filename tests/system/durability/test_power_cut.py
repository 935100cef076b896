"""Simulated power cuts: synchronous=FULL loses nothing that was acknowledged, NORMAL does (so the check can fail)."""

import pathlib
from collections import deque

import pytest

from tests.system.durability import store_cuts
from tests.system.durability.power_cuts import Tally, campaign


def run(folder: pathlib.Path, cuts: int, synchronous: str) -> Tally:
    tally = Tally()
    for tally in campaign(folder, cuts, seed=7, synchronous=synchronous):  # noqa: B007
        pass
    return tally


@pytest.mark.slow
def test_no_acknowledged_record_is_lost_in_a_power_cut(tmp_path: pathlib.Path) -> None:
    tally = run(tmp_path, 60, "")
    assert tally.clean, tally.first_failure
    assert tally.acknowledged > 500
    assert tally.not_acknowledged_but_kept > 0, "no cut fell between the commit and its answer: cuts come too late"
    assert set(tally.fates) == {"none", "all", "some", "torn"}


@pytest.mark.slow
def test_with_less_syncing_the_same_campaign_fails(tmp_path: pathlib.Path) -> None:
    assert run(tmp_path, 60, "normal").lost > 0


@pytest.mark.slow
@pytest.mark.parametrize(("store", "cuts"), [("sync", 40), ("outbox", 200), ("board", 12)])
def test_no_other_store_loses_what_it_acknowledged(tmp_path: pathlib.Path, store: str, cuts: int) -> None:
    tally = deque(store_cuts.campaign(store, tmp_path, cuts, seed=7), maxlen=1).pop()
    assert tally.clean, tally.first_failure
    assert tally.acknowledged > cuts


@pytest.mark.slow
def test_with_full_and_not_extra_the_cars_outbox_would_lose_a_lap(tmp_path: pathlib.Path) -> None:
    """A rollback journal that was deleted is there again after a cut, and undoes the lap (SQLite's own words)."""
    tally = deque(store_cuts.campaign("outbox", tmp_path, 400, seed=7, weakened=True), maxlen=1).pop()
    assert tally.lost > 0
