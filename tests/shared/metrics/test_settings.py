"""`[metrics]`: off unless asked for, and never open to the hall without a secret."""

import pathlib

import pytest

from shared.config import parse
from shared.errors import ConfigError
from shared.metrics.settings import MetricsOptions


def options(**more: object) -> MetricsOptions:
    return parse("\n".join(f"{key} = {_toml(value)}" for key, value in more.items()), MetricsOptions)


def _toml(value: object) -> str:
    return {True: "true", False: "false"}.get(value, repr(value)) if isinstance(value, bool) else f"'{value}'"


def test_it_is_off_and_on_loopback_unless_said_otherwise() -> None:
    found = options()
    assert (found.enabled, found.host, found.token()) == (False, "127.0.0.1", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "station.lan", ""])
def test_an_address_of_others_needs_a_token(host: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match=r"set `metrics\.token_file`"):
        options(enabled=True, host=host)
    assert options(enabled=False, host=host).host == host
    secret = tmp_path / "token"
    secret.write_text("0123456789abcdef\n")
    secret.chmod(0o600)
    assert options(enabled=True, host=host, token_file=secret).token() == "0123456789abcdef"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_needs_none(host: str) -> None:
    assert options(enabled=True, host=host).token() == ""


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ("0123456789abcdef\n", 0o644, "run `chmod 600"),
        ("short\n", 0o600, "16 characters or more"),
        ("two words of a sentence\n", 0o600, "one word"),
        ("", 0o600, "one word"),
        ("schlüssel-schlüssel\n", 0o600, "ASCII"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_the_token_is_refused_in_a_sentence(
    content: str | None, mode: int, why: str, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)
    with pytest.raises(ConfigError, match=why):
        options(enabled=True, token_file=path).token()
