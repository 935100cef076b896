"""`raceday world fit`: what it prints and writes, and what a wrong order or a wrong file gets."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared.errors import BadInput, OperatorError
from simulator.fidelity.command import run_verb, verbs_help
from simulator.fidelity.profile_file import read_profile, write_profile
from simulator.fidelity.report import PredictionError, as_table, prediction_table, profiles_table
from simulator.fidelity.windows import windows_of
from simulator.world.car import CarParameters
from simulator.world.cars.profiles import PROFILES, car_profile
from tests.simulator.fidelity.test_windows import circle

CARRIED = Path(__file__).parents[2] / "assets" / "simtrace" / "console-2022"


def trace(number: int) -> str:
    return str(CARRIED / f"iteration_{number}.csv")


def test_the_report_and_a_fit_with_traces_held_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "car.toml"
    words = ["fit", trace(2), trace(3), "--holdout", trace(1), "--profile", "console-2022", "--json"]
    assert run_verb([*words, "--out", str(out)]) == 0
    fitted = json.loads(capsys.readouterr().out)
    assert CarParameters(**fitted["car"]) == read_profile(out)
    found = {(row["trace"], row["held_out"], row["way"]): row["median_m"] for row in fitted["errors"]}
    ways = ("constant velocity", "constant turn", "kinematic bicycle", "console-2022", "fitted")
    names = [("iteration_2.csv", False), ("iteration_3.csv", False), ("all", False), ("iteration_1.csv", True)]
    assert set(found) == {(*name, way) for name in names for way in ways}
    for where in (("all", False), ("iteration_1.csv", True)):
        errors = [found[(*where, way)] for way in ("fitted", "kinematic bicycle", "constant turn")]
        assert errors == sorted(errors)

    assert run_verb(["fit", trace(2), "--report", "--profile", str(out), "--profile", "physical"]) == 0
    printed = capsys.readouterr().out
    assert "kinematic bicycle" in printed
    assert "car.toml" in printed
    assert "league-2023" not in printed
    assert "fitted" not in printed


def test_the_shipped_profiles_without_traces(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_verb(["fit", "--report"]) == 0
    printed = capsys.readouterr().out
    for profile in PROFILES.values():
        assert profile.name in printed
    assert "0.095" in printed
    assert run_verb(["fit", "--report", "--json"]) == 0
    shipped = json.loads(capsys.readouterr().out)
    assert shipped["console-2022"]["middle"]["grip_mps2"] == car_profile("console-2022").middle.grip_mps2
    assert "\n  fit " in verbs_help()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "There is nothing to fit to"),
        (["--report", "--out", "x.toml"], "There is nothing to fit to"),
        (["--report", "--holdout", trace(1)], "There is nothing to fit to"),
        ([trace(2), "--report", "--out", "x.toml"], "no car is fitted"),
        ([trace(2), "--profile", "kart"], "There is no car profile 'kart'"),
        ([trace(2), "--profile", "none.toml"], "none.toml cannot be read"),
        (["none.csv"], "none.csv cannot be read"),
        ([trace(2), "--holdout", "none.csv"], "none.csv cannot be read"),
    ],
)
def test_a_wrong_order_gets_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        run_verb(["fit", *words])
    assert len(str(refused.value).splitlines()) == 1


def test_too_few_windows_for_a_fit(tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("\n".join(Path(trace(2)).read_text().splitlines()[:40]) + "\n")
    with pytest.raises(BadInput, match=r"These traces have \d+ windows of a second: a fit needs 50 or more"):
        run_verb(["fit", str(short)])


def test_a_car_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "car.toml"
    for car in (CarParameters(), car_profile("league-2023").middle, replace(CarParameters(), speed_gain=1 / 3)):
        write_profile(car, [PredictionError("a\nb.csv", True, 3, "fitted", 0.1, 0.2)], path)
        assert read_profile(path) == car
    with pytest.raises(OperatorError, match="cannot be written"):
        write_profile(CarParameters(), [], tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", r"has no part \[car\]"),
        ("car = 3", r"has no part \[car\]"),
        ("[car", "is not TOML"),
        ("[car]\nwings = 2", "'wings' is no parameter of a car"),
        ("[car]\nspeed_gain = true", "speed_gain is True, which no car can have"),
        ('[car]\nspeed_gain = "1"', "speed_gain is 1, which"),
        ("[car]\nspeed_gain = nan", "speed_gain is nan"),
        ("[car]\nspeed_lag_s = 0", "speed_lag_s is 0"),
        ("[car]\nsteering_delay_s = -0.1", "steering_delay_s is -0.1"),
        ("[car]\ngrip_mps2 = inf", "grip_mps2 is inf"),
        ("[car]\nspeed_gain = 1e99", "speed_gain is 1e\\+99"),
        ("a = " + "[" * 5_000, "is not TOML"),
        ("#" * 200_000, "is larger than"),
    ],
)
def test_a_file_that_is_no_car_gets_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "car.toml"
    path.write_text(content)
    with pytest.raises(BadInput, match=sentence):
        read_profile(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="is not TOML"):
        read_profile(path)


def test_traces_stand_by_their_numbers_and_a_narrow_table_is_long() -> None:
    windows = windows_of([circle(1.0, trace=name) for name in ("i_10.csv", "i_9.csv")])
    errors = windows.errors_m(windows.came_to[:, 0] + 0.25, windows.came_to[:, 1])
    rows = prediction_table(windows, False, [("guess", errors), ("other", errors * 2)])
    assert [row.trace for row in rows] == ["i_9.csv", "i_9.csv", "i_10.csv", "i_10.csv", "all", "all"]
    assert {(row.median_m, row.p90_m) for row in rows if row.way == "other"} == {(0.5, 0.5)}
    assert as_table(rows, 200).row_count == 3
    assert as_table(rows, 60).row_count == 6
    assert profiles_table(PROFILES.values()).row_count == len(PROFILES)
