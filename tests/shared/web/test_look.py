"""All machines look alike: one folder of style tokens and fonts, whose licence, source and hashes are recorded."""

import hashlib
import json
import re

from tests.conftest import ROOT

LOOK = ROOT / "shared" / "web" / "look"
FONTS = json.loads((LOOK / "fonts.json").read_text(encoding="utf-8"))


def test_every_letter_file_is_the_one_that_is_recorded() -> None:
    recorded = {font["file"]: font["sha256"] for font in FONTS["files"]}
    carried = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in LOOK.glob("*.woff2")}
    assert carried == recorded
    assert FONTS["licence"] == "OFL-1.1"
    assert "SIL OPEN FONT LICENSE Version 1.1" in (LOOK / FONTS["licence_file"]).read_text(encoding="utf-8")
    assert all(len(source["sha256"]) == 64 and source["version"] for source in FONTS["sources"].values())


def test_the_tokens_name_every_letter_file_and_nothing_else() -> None:
    tokens = (LOOK / "tokens.css").read_text(encoding="utf-8")
    assert sorted(re.findall(r'url\("([^"?]+)', tokens)) == sorted(font["file"] for font in FONTS["files"])
    assert '--sans: "Raceday Sans"' in tokens


def test_no_machine_has_a_look_of_its_own() -> None:
    assert [path for path in ROOT.glob("*/**/tokens.css") if ".venv" not in path.parts] == [LOOK / "tokens.css"]
    theirs = [style for style in ROOT.glob("station/web/static/*.css") if style.name.startswith("uplot")]
    for style in [*ROOT.glob("station/**/*.css"), *ROOT.glob("leaderboard/**/*.css"), *ROOT.glob("vehicle/**/*.css")]:
        if style in theirs:  # our style sets the font around it
            continue
        families = re.findall(r"font(?:-family)?:[^;]*", style.read_text(encoding="utf-8"))
        assert all("var(--sans)" in family or "monospace" in family or "inherit" in family for family in families), (
            style
        )


def test_the_chart_library_is_the_one_that_is_recorded() -> None:
    static = ROOT / "station" / "web" / "static"
    recorded = json.loads((static / "uplot.json").read_text(encoding="utf-8"))
    carried = {
        file["file"]: hashlib.sha256((static / file["file"]).read_bytes()).hexdigest() for file in recorded["files"]
    }
    assert carried == {file["file"]: file["sha256"] for file in recorded["files"]}
    assert {file.name for file in static.glob("uplot*")} == {*carried, "uplot.json"}
    assert "Permission is hereby granted" in (static / recorded["licence_file"]).read_text(encoding="utf-8")
    assert len(recorded["source"]["sha256"]) == 64
