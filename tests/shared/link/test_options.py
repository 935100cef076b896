"""The `[mqtt]` table of a config: what is refused, in a sentence with its cure."""

import pathlib
from typing import Any

import pytest

from shared.errors import ConfigError
from shared.link.options import MqttOptions


def files(folder: pathlib.Path, mode: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in ("ca", "cert", "key", "password_file"):
        path = folder / name
        path.write_text("x\n")
        path.chmod(mode if name in ("key", "password_file") else 0o644)
        made[name] = str(path)
    return made


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_files_of_the_owner_alone_are_taken(tmp_path: pathlib.Path, mode: int) -> None:
    paths = files(tmp_path, mode)
    assert MqttOptions(**paths).key == paths["key"]


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o640, 0o620, 0o601, 0o604, 0o660])
@pytest.mark.parametrize("name", ["key", "password_file"])
def test_a_secret_that_others_may_open_is_refused(tmp_path: pathlib.Path, name: str, mode: int) -> None:
    paths = files(tmp_path, 0o600)
    pathlib.Path(paths[name]).chmod(mode)
    with pytest.raises(ConfigError, match=f"run `chmod 600 {paths[name]}`"):
        MqttOptions(**paths)


def test_a_link_to_a_secret_is_judged_by_its_file(tmp_path: pathlib.Path) -> None:
    paths = files(tmp_path, 0o600)
    (tmp_path / "link").symlink_to(paths["key"])
    assert MqttOptions(**{**paths, "key": str(tmp_path / "link")})
    pathlib.Path(paths["key"]).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        MqttOptions(**{**paths, "key": str(tmp_path / "link")})


def test_certificates_are_no_secrets(tmp_path: pathlib.Path) -> None:
    paths = files(tmp_path, 0o600)
    for name in ("ca", "cert"):
        pathlib.Path(paths[name]).chmod(0o666)
    assert MqttOptions(**paths)
