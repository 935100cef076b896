"""config/station.toml: the shipped file can be read, and a wrong setting is reported in one sentence."""

import pathlib

import pytest

from shared.clock import ClockChoice, build_clock
from shared.config import load, parse
from shared.errors import ConfigError, HardwareMissing
from station.build import build_gates, prepared, setup
from station.config import StationConfig
from station.core.inputs import Transponder

SHIPPED = pathlib.Path(__file__).parents[2] / "config" / "station.toml"
LEAST = 'data_dir = "d"\n[[gate]]\nname = "start"\ndriver = "mock"\n'


def test_the_shipped_file_is_read() -> None:
    config = load(SHIPPED, StationConfig)
    assert config.race is not None
    assert config.race.opening.race_id == "practice"
    assert config.gate[0].spec == parse(LEAST, StationConfig).gate[0].spec


def test_the_shipped_file_shows_the_defaults() -> None:
    text = SHIPPED.read_text()
    shown = "\n".join(
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line for line in text.splitlines()
    )
    assert load(SHIPPED, StationConfig).lease_ms == parse(LEAST, StationConfig).lease_ms
    for key in ("lease_ms", "lockout_s", "time_limit_s", "min_lap_s", "operator_idle_min", "queue_limit"):
        assert f"{key} = " in shown


_WORN = "[[transponder]]\n"
BAD = {
    "no gate": ('data_dir = "d"\n', "exactly one [[gate]] must be of kind"),
    "two gates of a name": (LEAST + '[[gate]]\nname = "start"\ndriver = "mock"\nkind = "split"\n', "the same name"),
    "no data_dir": (LEAST.replace("data_dir", "datadir"), "unknown key `datadir` (did you mean `data_dir`?)"),
    "a bad name": ('name = "Station 1"\n' + LEAST, "`name`: 'Station 1' cannot name a machine"),
    "a sensor twice": (LEAST + 'sensors = ["a", "a"]\n', "each once"),
    "no sensor": (LEAST + "sensors = []\n", "at least one sensor"),
    "one sensor beside none": (LEAST + 'layout = "side_by_side"\n', "needs the names of two sensors"),
    "one sensor in line": (LEAST + 'layout = "in_line"\n', "needs the names of two sensors"),
    "two that are single": (LEAST + 'sensors = ["a", "b"]\nlayout = "single"\n', "has one sensor; 2 are named"),
    "a way between strips side by side": (
        LEAST + 'sensors = ["a", "b"]\nlayout = "side_by_side"\nbaseline_mm = 30\n',
        "leave out `baseline_mm`",
    ),
    "a layout that is none": (LEAST + 'sensors = ["a", "b"]\nlayout = "crosswise"\n', "side_by_side"),
    "a lease too long": ("lease_ms = 100000\n" + LEAST, "100 to 60000"),
    "a bad rule": (LEAST + '[race]\nid = "r"\nname = "R"\nrules = { consecutive_laps = 99 }\n', "allowed is 1 to 10"),
    "a bad race id": (LEAST + '[race]\nid = "a b"\nname = "R"\n', "`race.id`"),
    "a kind that is none": (LEAST + 'kind = "finish"\n', "start_finish"),
    "too many cars": (LEAST + '[race]\nid = "r"\nname = "R"\ncars_on_track = 13\n', "1 to 12"),
    "nobody's transponder": (LEAST + _WORN + 'id = "1"\n', "set either `car` or `racer`"),
    "a transponder of two": (LEAST + _WORN + 'id = "1"\ncar = "a"\nracer = "Ann"\n', "set either `car`"),
    "a transponder twice": (
        LEAST + (_WORN + 'id = "1"\ncar = "a"\n') + (_WORN + 'id = "1"\ncar = "b"\n'),
        "two [[transponder]] have the id '1'",
    ),
    "a transponder twice in two notations": (
        LEAST + (_WORN + 'id = "00cd:fd"\ncar = "a"\n') + (_WORN + 'id = "CDFD"\ncar = "b"\n'),
        "two [[transponder]] have the id '00cd:fd'",
    ),
    "one number of two cars": (
        LEAST + (_WORN + 'id = "13499724"\ncar = "car-1"\n') + (_WORN + 'id = "0xCDFD4C"\ncar = "car-2"\n'),
        "'13499724' of car-1 and '0xCDFD4C' of car-2 are one number",
    ),
    "one number of a car and a racer": (
        LEAST + (_WORN + 'id = "cd:fd:4c"\nracer = "Ann"\n') + (_WORN + 'id = "0013499724"\ncar = "car-2"\n'),
        "'0013499724' of car-2 and 'cd:fd:4c' of Ann are one number",
    ),
    "a transponder of no name": (LEAST + _WORN + 'id = "1"\nracer = "A\u202e"\n', "U+202E RIGHT-TO-LEFT OVERRIDE"),
    "a transponder that nobody can send": (LEAST + _WORN + 'id = ""\ncar = "a"\n', "`transponder.id` has 1 to 128"),
    "a transponder of a bad name": (LEAST + _WORN + 'id = "1"\ncar = "Car 1"\n', "`transponder.car`"),
    "an unknown rule": (LEAST + '[race]\nid = "r"\nname = "R"\nrules = { laps = 3 }\n', "unknown key"),
}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('id = "13499724"\nracer = "Ann"\n', 'id = "CDFD4C"\nracer = "ANN"\n'),  # one owner, twice
        ('id = "123456"\ncar = "a"\n', 'id = "1193046"\ncar = "b"\n'),  # most probably two decimal ids
        ('id = "13499724"\ncar = "a"\n', 'id = "CDFD4D"\ncar = "b"\n'),
    ],
)
def test_two_notations_that_are_no_contradiction(one: str, other: str) -> None:
    assert len(parse(LEAST + _WORN + one + _WORN + other, StationConfig).transponder) == 2


def test_transponders_reach_the_core() -> None:
    text = LEAST + '[[transponder]]\nid = "11"\ncar = "car-1"\n[[transponder]]\nid = "22"\nracer = "Ann"\n'
    text += '[[transponder]]\nid = "12"\ncar = "car-1"\n'
    wired = setup(parse(text, StationConfig)).transponders
    assert wired == (Transponder("11", car="car-1"), Transponder("22", racer="Ann"), Transponder("12", car="car-1"))


_TWO = 'sensors = ["a", "b"]\n'
_DREM = 'options = { url = "ws://127.0.0.1:1" }\n'


@pytest.mark.parametrize(("driver", "more", "layout", "proof"), [
    ("mock", "", "single", ""),
    ("mock", "try_first = true\n", "single", "level"),
    ("mock", _TWO, "unsaid", ""),
    ("mock", _TWO + "baseline_mm = 100\n", "unsaid", ""),
    ("mock", _TWO + 'layout = "in_line"\n', "in_line", ""),
    ("gpio", _TWO + "options = { pins = [17, 27] }\n", "unsaid", "level"),
    ("gpio", "try_first = false\noptions = { pins = [17] }\n", "single", ""),
    ("pico", 'options = { port = "loop://" }\n', "single", "level"),
    ("decoder", 'options = { protocol = "p3", url = "loop://" }\n', "single", "pass"),
    ("drem", _TWO + _DREM, "side_by_side", "pass"),
    ("drem", _TWO + 'layout = "in_line"\n' + _DREM, "in_line", "pass"),
    ("drem", _TWO + "baseline_mm = 200\n" + _DREM, "unsaid", "pass"),
    ("drem", _DREM, "single", "pass"),
])  # fmt: skip
def test_what_the_core_is_told_of_a_gate(driver: str, more: str, layout: str, proof: str) -> None:
    [spec] = setup(parse(LEAST.replace("mock", driver) + more, StationConfig)).gates
    assert (spec.layout, spec.proof, bool(spec.wiring)) == (layout, proof, bool(proof))


def test_a_gate_that_is_wired_otherwise_is_another_gate() -> None:
    wired = [
        setup(parse(LEAST.replace("mock", "gpio") + f"options = {{ pins = [{pins}] }}\n", StationConfig))
        .gates[0]
        .wiring
        for pins in ("17", "17", "27")
    ]
    assert wired[0] == wired[1] != wired[2]


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_setting_is_one_sentence(name: str) -> None:
    text, words = BAD[name]
    with pytest.raises(ConfigError) as refused:
        parse(text, StationConfig, source="station.toml")
    assert words in str(refused.value)
    assert str(refused.value).startswith("station.toml: ")


def test_an_unknown_driver_is_one_sentence(tmp_path: pathlib.Path) -> None:
    config = parse(LEAST.replace("mock", "laser"), StationConfig)
    with pytest.raises(ConfigError, match=r"no driver 'laser' in raceday.gates; installed are: .*mock"):
        build_gates(config, build_clock(ClockChoice()))


def test_a_data_dir_that_cannot_be_made_is_one_sentence(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="cannot be created") as refused:
        prepared(tmp_path / "file" / "data")
    assert not isinstance(refused.value, HardwareMissing)


@pytest.mark.parametrize(
    ("race", "least_s"),
    [
        ('track = "reinvent_base"', 4.4),
        ('track = "re:Invent 2018"', 4.4),
        ('track = "our own"', 2.0),
        ('track = "our own"\ntrack_length_m = 30', 7.5),
        ('track = "reinvent_base"\ntrack_length_m = 8.0', 2.0),
        ('track = "reinvent_base"\nrules = { min_lap_s = 2.0 }', 2.0),
        ('track = "reinvent_base"\nrules = { max_laps = 4 }', 4.4),
        ("", 2.0),
    ],
)
def test_the_shortest_lap_follows_from_the_track_unless_it_is_said(race: str, least_s: float) -> None:
    text = f'data_dir = "x"\n[[gate]]\nname = "start"\ndriver = "mock"\n[race]\nid = "r"\nname = "R"\n{race}\n'
    config = parse(text, StationConfig)
    assert config.race is not None
    assert config.race.opening.rules.min_lap_s == least_s


@pytest.mark.parametrize(
    "race", ["track = 3", "track_length_m = true", "track_length_m = 0.5", "rules = 3", "rules = { min_lap_s = 'x' }"]
)
def test_odd_tracks_and_rules_are_a_sentence(race: str) -> None:
    text = f'data_dir = "x"\n[[gate]]\nname = "start"\ndriver = "mock"\n[race]\nid = "r"\nname = "R"\n{race}\n'
    with pytest.raises(ConfigError, match=r"race\."):
        parse(text, StationConfig)
