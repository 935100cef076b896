"""Every campaign as it is planned: the size that is promised, parts that can be told apart, and its command."""

import importlib
import sys

import pytest

from bench.__main__ import BENCHES, CAMPAIGNS, main
from bench.campaigns.campaign import Campaign

PROMISED = {
    "kills": 10_000,
    "power-cuts": 10_000,
    "partitions": 1_500,
    "posts": 100_000,
    "raw-answers": 100_000,
    "faults": 14 * 20,
    "race-hours": 10_000,
}


def planned(name: str, *, quick: bool) -> Campaign:
    made: Campaign = importlib.import_module(CAMPAIGNS[name].module).campaign(quick)
    return made


@pytest.mark.parametrize("name", sorted(CAMPAIGNS))
def test_a_campaign_has_the_size_that_is_promised(name: str) -> None:
    whole, quick = planned(name, quick=False), planned(name, quick=True)
    assert (whole.name, quick.name) == (name, name)
    assert whole.planned >= PROMISED[name]
    assert whole.zero
    assert whole.above_zero
    for made in (whole, quick):
        names = [part.name for part in made.parts]
        assert len(names) == len(set(names))
    assert len(quick.parts) <= len(whole.parts)


@pytest.mark.parametrize(
    "words",
    [
        ["journal", "--resume"],
        ["--resume"],
        ["kills", "--seeds", "1..2"],
        ["posts", "--baseline"],
        ["nothing"],
    ],
)
def test_an_option_that_does_not_fit_is_refused(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("seeds", ["3", "0..2", "2..1", "1..900", "a..b", "-1..2"])
def test_seeds_that_are_none_are_one_sentence(
    seeds: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "race-hours", f"--seeds={seeds}"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "write it as 1..40" in capsys.readouterr().err


def test_no_name_is_a_benchmark_and_a_campaign() -> None:
    assert not BENCHES.keys() & CAMPAIGNS.keys()
