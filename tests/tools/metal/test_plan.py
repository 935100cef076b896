"""Which boots `./dev metal` makes of the names that it is given."""

import pathlib

import pytest

from shared.errors import BadInput
from tools.metal import machine
from tools.metal.scenarios import INSTALL, SCENARIOS, boots, chosen, suites_of
from tools.metal.suites import SUITES

D12, D13 = SUITES
FIRST = [each.name for each in SCENARIOS if each.boot == 1]
SECOND = [each.name for each in SCENARIOS if each.boot == 2]


def planned(names: list[str], installed: list[str], *suites: str) -> list[tuple[str, int, list[str]]]:
    kept = [suite for suite in SUITES if suite.name in installed]
    plan = boots(suites_of(suites), chosen(names), kept)
    return [(boot.suite.name, boot.number, [each.name for each in boot.scenarios]) for boot in plan]


@pytest.mark.parametrize(
    ("names", "installed", "expected"),
    [
        ([], [], [("debian-12", 1, FIRST), ("debian-12", 2, SECOND)]),
        (["gpio"], [], [("debian-12", 1, [INSTALL]), ("debian-12", 2, ["gpio"])]),
        (["gpio"], ["debian-12"], [("debian-12", 2, ["gpio"])]),
        (["gpio"], ["debian-13"], [("debian-12", 1, [INSTALL]), ("debian-12", 2, ["gpio"])]),
        ([INSTALL], ["debian-12"], [("debian-12", 1, [INSTALL])]),
        (["gpio", INSTALL], ["debian-12"], [("debian-12", 1, [INSTALL]), ("debian-12", 2, ["gpio"])]),
    ],
)
def test_whatever_needs_the_product_comes_after_its_installation(
    names: list[str], installed: list[str], expected: list[tuple[str, int, list[str]]]
) -> None:
    assert planned(names, installed, "debian-12") == expected


def test_every_suite_is_tried_unless_one_is_named() -> None:
    assert [suite for suite, _, _ in planned([INSTALL], [])] == ["debian-12", "debian-13"]
    assert [suite for suite, _, _ in planned([INSTALL], [], "debian-13")] == ["debian-13"]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["gpoi"], "no scenario is called gpoi: did you mean gpio?"),
        (["x"], "no scenario is called x: there are install"),
    ],
)
def test_a_wrong_name_is_a_sentence(names: list[str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        chosen(names)


def test_a_wrong_suite_is_a_sentence() -> None:
    with pytest.raises(BadInput, match="no Debian is called bookworm: there are debian-12, debian-13"):
        suites_of(["bookworm"])


def test_each_scenario_has_its_script_and_a_name_of_its_own() -> None:
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS)
    assert [each.script for each in SCENARIOS if not (machine.GUEST / each.script).is_file()] == []


def test_the_machine_sees_its_plan_the_scripts_and_the_packages(tmp_path: pathlib.Path) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages/Packages").write_text("")
    (tmp_path / "raceday.deb").write_text("deb")
    boot = boots([D13], chosen(["gpio"]), [D13])[0]
    machine.lay_share(boot, tmp_path / "share", tmp_path / "packages", tmp_path / "raceday.deb")
    seen = {str(each.relative_to(tmp_path / "share")) for each in (tmp_path / "share").rglob("*") if each.is_file()}
    assert {"plan.json", "files/raceday.deb", "files/packages/Packages", "tools/metal/guest/runner.py"} <= seen
