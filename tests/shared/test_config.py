"""Config: each wrong setting is one sentence that names file, key and what is allowed."""

import pathlib
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config import from_table, load, parse, setting
from shared.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Inner:
    port: int = setting(1883, min=0, max=65535)
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    sensors: tuple[str, ...] = ("a",)


@dataclass(frozen=True, slots=True)
class Whole:
    name: str = setting(what="the machine's name")
    inner: Inner = field(default_factory=Inner)
    gate: tuple[Gate, ...] = ()
    rate_hz: float = setting(60.0, min=1, max=1000)
    mode: Literal["one", "two"] = "one"
    kind: str = setting("x", choices=("x", "y"))
    limit_s: float | None = None
    fast: bool = False
    data: pathlib.Path = pathlib.Path("data")
    options: dict[str, Any] = field(default_factory=dict)


def test_a_whole_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text(
        'name = "s"\nrate_hz = 30\nlimit_s = 2\ndata = "/x"\n'
        '[inner]\nport = 0\n[[gate]]\nname = "start"\n[options]\na = 1\n'
    )
    whole = load(path, Whole)
    assert whole == Whole("s", Inner(0), (Gate("start"),), 30.0, limit_s=2.0, data=pathlib.Path("/x"), options={"a": 1})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "f.toml: the key `name` is missing (the machine's name)."),
        ('name = "s"\nrates_hz = 3', "f.toml: unknown key `rates_hz` (did you mean `rate_hz`?)"),
        ('name = "s"\n[inner]\nprot = 3', "unknown key `inner.prot` (did you mean `port`?)"),
        ('name = "s"\n[inner]\nport = 70000', "`inner.port` is 70000; allowed is 0 to 65535."),
        ('name = "s"\n[inner]\nport = "1883"', "`inner.port` is '1883'; it must be a whole number, 0 to 65535."),
        ('name = "s"\n[inner]\nport = true', "it must be a whole number"),
        ('name = "s"\nrate_hz = nan', "`rate_hz`"),
        ('name = "s"\nrate_hz = 0.5', "allowed is 1 to 1000"),
        ('name = "s"\nmode = "three"', "`mode` is 'three'; allowed are one, two."),
        ('name = "s"\nkind = "z"', "allowed is x, y"),
        ('name = "s"\ninner = 3', "`inner` must be a table [inner]."),
        ('name = "s"\ngate = 3', "`gate` must be a list."),
        ('name = "s"\n[[gate]]\nname = 3', "`gate[0].name` is 3; it must be a text in quotes."),
        ('name = "s"\n[[gate]]', "the key `gate[0].name` is missing"),
        ("name = ", "f.toml: is not TOML"),
    ],
)
def test_a_wrong_setting_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, Whole, "f.toml")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_where_to_start(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match="there is no such config file"):
        load(tmp_path / "none.toml", Whole)


@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text + "\nzzz = 1", Whole)


@dataclass(frozen=True)
class Driven:
    folder: pathlib.Path = pathlib.Path("pictures")
    note: str = "plain"


@dataclass(frozen=True)
class Keys:
    key: str = setting("", file=True)
    word: str = "a/b"


@dataclass(frozen=True)
class Placed:
    data: pathlib.Path
    spare: pathlib.Path | None = None
    runs: pathlib.Path = pathlib.Path("runs")
    options: dict[str, Any] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)


@pytest.mark.parametrize(("written", "meant"), [("db", "etc/db"), ("../db", "db"), ("/var/db", "/var/db"), ("", "etc")])
def test_a_path_is_beside_its_config_whoever_starts_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    file = tmp_path / "etc" / "a.toml"
    file.parent.mkdir()
    file.write_text(f'data = "{written}"\noptions.folder = "{written}"\n[keys]\nkey = "{written}"\n')
    monkeypatch.chdir("/")
    placed = load(file, Placed)
    assert placed.data == tmp_path / meant
    assert (placed.spare, placed.runs) == (None, tmp_path / "etc" / "runs")
    assert placed.keys == Keys(str(tmp_path / meant) if written else "")
    assert from_table(placed.options, Driven, "gate start") == Driven(tmp_path / meant)
    monkeypatch.chdir(tmp_path / "etc")
    assert load(pathlib.Path("a.toml"), Placed) == placed


def test_a_text_that_is_no_file_keeps_its_paths() -> None:
    assert parse('data = "db"', Placed) == Placed(pathlib.Path("db"))
