"""The vendor's kit: every fault of a small vendor is found by the probe that it concerns, and a right one passes."""

import base64
import json
import pathlib
from urllib.parse import urlsplit

import pytest

from shared.protocol.results import MAX_RESULT_BYTES, encode_result
from shared.rules.ranking import RaceRules, score_run
from shared.webhooks import parse_secret
from station.commands import vendor as command
from station.vendor.check import PROBES, check
from station.vendor.endpoint import Endpoint
from station.vendor.made_results import ResultMaker
from tests.leaderboard.sample_races import SECRET, Running
from tests.station.vendor.small_vendor import FAULTS, vendor

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def _maker() -> ResultMaker:
    return ResultMaker("cup", RaceRules(), "ab12cd", "vendor-check", 1_700_000_000_000_000_000)


def _outcomes(url: str, only: str) -> dict[str, str]:
    endpoint = Endpoint(urlsplit(url), parse_secret(KEY))
    return {each.probe.name: f"{each.outcome} {each.detail}".strip() for each in check(endpoint, _maker(), only)}


def test_each_made_result_qualifies_and_has_the_wanted_size() -> None:
    for rules in (RaceRules(), RaceRules(method="total_time", consecutive_laps=5), RaceRules(consecutive_laps=1)):
        make = ResultMaker("cup", rules, "ab", "station", 10**18)
        made = make.result("A")
        score = score_run(made.laps, rules)
        assert score is not None
        assert score.score_ms == made.score_ms
        for size in (MAX_RESULT_BYTES - 1, MAX_RESULT_BYTES, MAX_RESULT_BYTES + 1):
            assert len(encode_result(make.of_size("B", size))) == size


def test_a_vendor_by_the_book_passes() -> None:
    with vendor(KEY, "cup") as url:
        found = _outcomes(url, "")
    assert {name: outcome for name, outcome in found.items() if outcome != "pass"} == {
        "race": "skip GET /api/v1/races/ID is optional, and not there.",
        "offer": "skip GET /api/v1/races/ID is optional, and not there.",
    }


@pytest.mark.parametrize(("fault", "probe"), FAULTS.items())
def test_each_fault_is_found(fault: str, probe: str) -> None:
    with vendor(KEY, "cup", fault) as url:
        outcome = _outcomes(url, probe)[probe]
    assert outcome.startswith("fail ")
    assert outcome.endswith(".")


def test_the_reference_keeps_its_contract(
    running: Running, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running.new_race("kit", rules={"consecutive_laps": 2, "method": "total_time"})
    key = tmp_path / "key"
    key.write_text(SECRET)
    key.chmod(0o600)
    assert command.main(["check", running.url, "--key", str(key), "--race", "kit", "--json"]) == 0
    outcomes = {row["name"]: row["outcome"] for row in json.loads(capsys.readouterr().out)["probes"]}
    assert outcomes == {probe.name: "pass" for probe in PROBES}


def test_every_probe_quotes_a_section_of_the_contract() -> None:
    sections = {
        line[3:].strip() for line in pathlib.Path("docs/vendor.md").read_text().splitlines() if line[:3] == "## "
    }
    assert {probe.section for probe in PROBES} <= sections
    assert len({probe.name for probe in PROBES}) == len(PROBES)
