"""What travels with the program: each role's pins are whole and no others, and the wheel takes each config file."""

import importlib.metadata
import importlib.util
import pathlib
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
    tools = PROJECT["project"]["optional-dependencies"]["dev"] + PROJECT["project"]["optional-dependencies"]["ray"]
    of_others = {Requirement(line).name.lower() for line in tools} - {each.name.lower() for each in wanted(role)}
    assert not names & of_others - {"packaging"}  # which onnxruntime needs as well
    # The broker of the demo, which is a test double; and what installs or builds packages.
    assert not names & {"amqtt", "torch", "pip", "wheel", "uv"}


def test_setuptools_is_there_for_one_library_alone_which_does_not_use_it() -> None:
    """gpiozero's colorzero names it, and imports nothing of it; the leaderboard, without gpiozero, has none."""
    with_it = {role for role in ROLES if "setuptools" in {name for name, _ in pins(lock_file(role).read_text())}}
    with_gpiozero = {role for role in ROLES if "gpiozero" in {name for name, _ in pins(lock_file(role).read_text())}}
    assert with_it == with_gpiozero == {"station", "car"}
    wanting = {
        each.metadata["Name"].lower()
        for each in importlib.metadata.distributions()
        for line in each.requires or ()
        if Requirement(line).name == "setuptools" and "extra" not in line
    }
    assert wanting == {"colorzero"}
    module = importlib.util.find_spec("colorzero")
    assert module is not None
    assert module.origin is not None
    for source in pathlib.Path(module.origin).parent.glob("*.py"):
        assert not re.search(r"^\s*(import|from) (setuptools|pkg_resources)", source.read_text(), re.MULTILINE)


LOCKS = ("requirements.lock", "tools/uv.lock", *(f"raceday/install/locks/{role}.lock" for role in ROLES))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_to_download_from(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--(index|find|extra|trusted)", text)
    assert all(line.startswith(("    --hash=sha256:", "#")) or "==" in line for line in text.splitlines())


def test_the_wheel_takes_each_config_file_and_nothing_else_from_there() -> None:
    taken = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    shipped = {path.name for path in (ROOT / "config").iterdir() if path.suffix in {"", ".toml", ".conf"}}
    assert taken == {f"config/{name}": f"raceday/install/config/{name}" for name in shipped - {"secrets"}}
    assert all(config_text(name) for name in [*CONFIG_NAMES.values(), "acl", "mosquitto.conf"])


def test_there_is_a_unit_of_each_service() -> None:
    for name in ("station", "sync", "vehicle", "leaderboard"):
        assert f"/opt/raceday/bin/raceday {name} " in unit_text(f"raceday-{name}.service")
