"""A machine's own names are known however they are written in its config and in a request."""

import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config import parse
from shared.errors import ConfigError
from shared.web.host_names import host_name, host_names
from shared.web.security import is_allowed_host
from station.config import WebOptions
from station.web.app import create_app as station_app
from tests.shared.web.test_error_pages import TestClient
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import cheap_access
from vehicle.config import ConsoleOptions

# What the IDNA tables of browsers (UTS 46, non-transitional) make of them.
SAME = {
    "station.example.org": ["Station.Example.org", "STATION.EXAMPLE.ORG.", " station.example.org "],
    "race.example": ["race.example.", "Race.Example", "race\uff0eexample", "race\u3002example"],
    "xn--bcher-kva.example": ["bücher.example", "BÜCHER.example.", "bu\u0308cher.example", "XN--Bcher-kva.EXAMPLE"],
    "xn--strae-oqa.example": ["straße.example", "Straße.Example"],
    "xn--n3h.example": ["\u2603.example"],
    "xn--fiqs8s": ["中国"],
    "timing_1.example": ["Timing_1.example"],
    "192.168.1.5": ["192.168.1.5"],
}
NONE = [
    "",
    ".",
    "a..b",
    "http://station.example",
    "station.example:8080",
    "station.example/",
    "*.example",
    "*",
    "a b.example",
    "-a.example",
    "a-.example",
    "user@station.example",
    "x" * 64 + ".example",
    ".".join(["x" * 60] * 5),
]


@pytest.mark.parametrize(("name", "written"), [(name, each) for name, them in SAME.items() for each in (name, *them)])
def test_a_name_is_one_however_it_is_written(name: str, written: str) -> None:
    assert host_name(written) == name
    allowed = host_names((written,), "allowed_hosts")
    for asked in (name, name.upper(), f"{name}.", f"{name}:8080", written.strip()):
        assert is_allowed_host(asked, allowed)
        assert not is_allowed_host(f"{asked.partition(':')[0].rstrip('.')}.evil.example", allowed)


@pytest.mark.parametrize("written", NONE)
@pytest.mark.parametrize(
    ("kind", "key"), [(WebOptions, "web.allowed_hosts"), (ConsoleOptions, "console.allowed_hosts")]
)
def test_what_no_browser_can_ask_for_is_refused_when_the_config_is_read(
    kind: type[Any], key: str, written: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(f'allowed_hosts = ["station.example", "{written}"]', kind, "a.toml")
    assert str(refused.value).startswith(f"a.toml: `{key}` holds {written!r}; write a name alone")


@pytest.mark.parametrize("written", ["192.168.1.5", "::1", "[fe80::1]", "2001:db8::7"])
def test_an_address_among_the_names_does_no_harm(written: str) -> None:
    assert parse(f'allowed_hosts = ["{written}"]', WebOptions).allowed_hosts == (written,)


@pytest.mark.parametrize("written", ["Station.Example.org", "race.example.", "bücher.example"])
def test_the_station_answers_to_its_names(tmp_path: pathlib.Path, written: str) -> None:
    station = TestClient(station_app(FakeStation(), cheap_access(tmp_path), allowed_hosts=(written,)))
    for host in (written, written.upper(), host_name(written), f"{host_name(written)}:8080"):
        assert station.get("/", headers={"host": host}).status_code == 200
    assert station.get("/", headers={"host": "evil.example"}).status_code == 421
    assert station.get("/", headers={"host": f"{written}evil"}).status_code == 421


@given(st.text(max_size=80))
def test_any_text_is_a_name_in_its_last_form_or_none(text: str) -> None:
    try:
        name = host_name(text)
    except ValueError:
        return
    assert name.isascii()
    assert name == host_name(name) == host_name(f"{name}.") == host_name(name.upper())


@given(st.text(max_size=80))
def test_no_host_is_ours_by_accident(text: str) -> None:
    assert not is_allowed_host(f"{text}.evil.example")
