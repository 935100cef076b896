"""What a campaign says of itself: when it is clean, what a broken part does, and that it goes on where it was cut."""

import json
import pathlib

import pytest

from bench.campaigns import record, runner
from bench.campaigns.campaign import (
    Campaign,
    CampaignPart,
    PartOutcome,
    failures,
    spread_of,
    totals_of,
)
from bench.campaigns.runner import CampaignNotClean, outcome_of, run_and_report
from shared.errors import BadInput


def campaign(*outcomes: PartOutcome | Exception, planned: int = 2, ran: list[int] | None = None) -> Campaign:
    def part(number: int, outcome: PartOutcome | Exception) -> CampaignPart:
        def run() -> PartOutcome:
            if ran is not None:
                ran.append(number)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return CampaignPart(f"part {number}", run)

    parts = tuple(part(number, outcome) for number, outcome in enumerate(outcomes, 1))
    return Campaign("test", "A test", 1, "kills", planned, parts, zero=("lost",), above_zero=("sent",))


WELL = PartOutcome({"kills": 1, "sent": 5, "lost": 0}, {"s": [1.0, 3.0]})
LOST = PartOutcome({"kills": 1, "sent": 5, "lost": 2})
IDLE = PartOutcome({"kills": 1, "lost": 0})
BROKEN = PartOutcome({"kills": 1, "sent": 1}, broken=("a lap is gone",))


@pytest.fixture(autouse=True)
def out(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(record, "OUT", tmp_path)
    monkeypatch.setattr(runner, "commit", lambda: "abc")
    monkeypatch.setattr(record, "commit", lambda: "abc")
    return tmp_path


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        ((WELL, WELL), []),
        ((WELL, LOST), ["2 lost, which must be 0"]),
        ((IDLE, IDLE), ["no sent: the campaign could not have failed, so it proves nothing"]),
        ((WELL,), ["1 kills of 2 that were planned"]),
        ((WELL, BROKEN), ["a lap is gone"]),
    ],
)
def test_a_campaign_is_clean_only_if_all_that_it_promises_holds(
    outcomes: tuple[PartOutcome, ...], why: list[str]
) -> None:
    assert failures(campaign(*outcomes), totals_of(outcomes)) == why


def test_the_record_has_the_sums_and_all_parts(out: pathlib.Path) -> None:
    run_and_report(campaign(WELL, WELL), quick=False)
    found = json.loads((out / "test.json").read_text())
    assert (found["finished"], found["clean"], found["sittings"]) == (True, True, 1)
    assert found["counts"] == {"kills": 2, "sent": 10, "lost": 0}
    assert found["times"]["s"] == {"values": 4, "p50": 3.0, "p99": 3.0, "longest": 3.0}
    assert found["commits"] == ["abc"]
    assert [part["name"] for part in found["parts"]] == ["part 1", "part 2"]


def test_a_part_that_raises_is_recorded_and_the_next_one_is_run(out: pathlib.Path) -> None:
    with pytest.raises(CampaignNotClean, match="part 1: AssertionError: nobody answers"):
        run_and_report(campaign(AssertionError("nobody answers"), WELL), quick=False)
    found = json.loads((out / "test.json").read_text())
    assert len(found["parts"]) == 2
    assert not found["clean"]


def test_a_campaign_can_be_asked_without_a_file(out: pathlib.Path) -> None:
    made = campaign(WELL, LOST)
    assert failures(made, outcome_of(made)) == ["2 lost, which must be 0"]
    assert list(out.iterdir()) == []


def test_a_campaign_that_was_cut_goes_on_and_counts_all_in_the_end(out: pathlib.Path) -> None:
    ran: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run_and_report(_cut_after_one(ran), quick=False)
    assert not json.loads((out / "test.json").read_text())["finished"]
    run_and_report(campaign(WELL, WELL, ran=ran), quick=False, resume=True)
    found = json.loads((out / "test.json").read_text())
    assert ran == [1, 2]
    assert (found["clean"], found["sittings"], found["counts"]["kills"]) == (True, 2, 2)


def _cut_after_one(ran: list[int]) -> Campaign:
    def cut() -> PartOutcome:
        raise KeyboardInterrupt

    made = campaign(WELL, WELL, ran=ran)
    parts = (made.parts[0], CampaignPart("part 2", cut))
    return Campaign(made.name, made.title, 1, "kills", 2, parts, made.zero, made.above_zero)


def test_a_sitting_may_run_some_parts_alone(out: pathlib.Path) -> None:
    ran: list[int] = []
    run_and_report(campaign(WELL, WELL, ran=ran), quick=False, only=["part 2"])
    assert ran == [2]
    assert not json.loads((out / "test.json").read_text())["finished"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "not the record"), ('{"parts": 3}', "not the record"), (None, "of another size")],
)
def test_what_is_not_the_same_campaign_is_not_gone_on_with(out: pathlib.Path, text: str | None, why: str) -> None:
    if text is None:
        run_and_report(campaign(WELL, WELL), quick=True)
    else:
        (out / "test.json").write_text(text)
    with pytest.raises(BadInput, match=why):
        run_and_report(campaign(WELL, WELL), quick=False, resume=True)


@pytest.mark.parametrize("now", ["def", "abc+"])
def test_code_that_has_changed_is_not_gone_on_with(
    now: str, out: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_and_report(campaign(WELL, WELL), quick=False)
    monkeypatch.setattr(record, "commit", lambda: now)
    with pytest.raises(BadInput, match="other code"):
        run_and_report(campaign(WELL, WELL), quick=False, resume=True)


def test_a_spread_needs_values() -> None:
    assert spread_of([3.0, 1.0, 2.0]).p50 == 2.0
    with pytest.raises(ValueError, match="no values"):
        spread_of([])
