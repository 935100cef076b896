"""What travels with the program: each role's pins are whole and no others, and the wheel takes each config file."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from raceday.install.shipped_files import CONFIG_NAMES, ROLES, Role, config_text, lock_file, unit_text
from tests.raceday.install.checkout import ROOT

EXTRAS: dict[Role, tuple[str, ...]] = {
    "station": ("station", "pi"),
    "car": ("vehicle", "pi"),
    "leaderboard": ("leaderboard", "cluster"),
}
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.*?))?((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(text: str) -> dict[tuple[str, str], str]:
    """(package, version) to the condition under which it is installed."""
    return {(name, version): condition for name, version, condition, _hashes in PIN.findall(text)}


def wanted(role: Role) -> list[Requirement]:
    extras = PROJECT["project"]["optional-dependencies"]
    lines = PROJECT["project"]["dependencies"] + [line for extra in EXTRAS[role] for line in extras[extra]]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("role", ROLES)
def test_a_roles_lock_holds_what_the_role_needs_with_hashes(role: Role) -> None:
    text = lock_file(role).read_text()
    found = pins(text)
    assert len(found) == text.count("==") - len(re.findall(r" ; .*==", text)), "a pin without a hash"
    for requirement in wanted(role):
        versions = [version for name, version in found if name == requirement.name.lower()]
        assert versions, f"{requirement.name} is missing: run ./dev lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("role", ROLES)
def test_it_holds_no_tool_of_the_tests_and_no_other_version_than_they_tried(role: Role) -> None:
    tried = pins((ROOT / "requirements.lock").read_text())
    alone = {name for name, _version in pins(lock_file(role).read_text()).keys() - tried.keys()}
    assert alone <= {"lgpio", "psycopg", "psycopg-binary", "valkey"}
    names = {name for name, _version in pins(lock_file(role).read_text())}
    assert not names & {"pytest", "hypothesis", "mypy", "ruff", "hatchling", "torch", "ray", "playwright"}


def test_the_wheel_takes_each_config_file_and_nothing_else_from_there() -> None:
    taken = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    shipped = {path.name for path in (ROOT / "config").iterdir() if path.suffix in {"", ".toml", ".conf"}}
    assert taken == {f"config/{name}": f"raceday/install/config/{name}" for name in shipped - {"secrets"}}
    assert all(config_text(name) for name in [*CONFIG_NAMES.values(), "acl", "mosquitto.conf"])


def test_there_is_a_unit_of_each_service() -> None:
    for name in ("station", "sync", "vehicle", "leaderboard"):
        assert f"/opt/raceday/bin/raceday {name} " in unit_text(f"raceday-{name}.service")
