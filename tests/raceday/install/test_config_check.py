"""A config that a service would not start with is said before the service is started."""

import pathlib

import pytest

from raceday.install import config_check
from raceday.install.config_check import config_fault, config_of_role
from raceday.install.machine import Machine
from raceday.install.shipped_files import CONFIG_NAMES, ROLES, Role, config_text


@pytest.fixture
def etc(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The folder of configs, in place of /etc/raceday."""
    monkeypatch.setattr(config_check, "ETC", tmp_path)
    return tmp_path


@pytest.mark.parametrize("role", ROLES)
def test_what_is_shipped_is_fit_and_nonsense_is_said(etc: pathlib.Path, role: Role) -> None:
    machine, path = Machine(), etc / CONFIG_NAMES[role]
    assert config_fault(config_of_role(role), machine) == ""
    path.write_text(config_text(CONFIG_NAMES[role]))
    assert config_fault(config_of_role(role), machine) == ""
    path.write_text("nonsense = 1\n" + config_text(CONFIG_NAMES[role]))
    assert "unknown key `nonsense`" in config_fault(config_of_role(role), machine)
    path.write_text("[[[")
    assert "is not TOML" in config_fault(config_of_role(role), machine)
