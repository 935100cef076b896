"""Each file that the project carries from others is the one that is listed, and none is unlisted."""

import hashlib

import pytest

from tools import vendored
from tools.vendored import VendoredComponent, VendoredFiles, faults

FONT, SHA = b"wOF2 a font", hashlib.sha256(b"wOF2 a font").hexdigest()
TABLE = VendoredFiles(
    (VendoredComponent("Inter", "5.3.0", "OFL-1.1", "pkg:npm/inter@5.3.0", {"look/inter.woff2": SHA}),),
    {"own/*.csv": "ours"},
)
FILES = {"look/inter.woff2": FONT, "own/laps.csv": b"1,2", "station/clock.js": b"// ours"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, ""),
        ({"look/inter.woff2": FONT + b" with more"}, "look/inter.woff2 is not the file of its origin"),
        ({"look/inter.woff2": None}, "look/inter.woff2 is listed in vendored_files.json and is not there."),
        ({"look/other.woff2": FONT}, "look/other.woff2 may be somebody else's"),
        ({"station/chart.min.js": b"var a=1"}, "station/chart.min.js may be somebody else's"),
        ({"vehicle/blob": b"\x7fELF\x00\x01"}, "vehicle/blob may be somebody else's"),
        ({"tests/trace.csv": b"1,2"}, "tests/trace.csv may be somebody else's"),
        ({"own/laps.csv": None}, "no file is like 'own/*.csv'"),
        ({"docs/page.md": b"# Ours"}, ""),
    ],
)
def test_what_differs_is_said_in_one_sentence(change: dict[str, bytes | None], sentence: str) -> None:
    files = {path: content for path, content in (FILES | change).items() if content is not None}
    found = faults(TABLE, files, files.__getitem__)
    assert len(found) == bool(sentence)
    assert all(sentence in each for each in found)


def test_the_project_carries_what_is_listed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert vendored.main() == 0, capsys.readouterr().out


def test_each_component_says_where_it_is_from_and_under_which_licence() -> None:
    table = vendored.read_table()
    assert {"uPlot", "axe-core", "MicroPython for WebAssembly"} <= {each.name for each in table.components}
    for each in table.components:
        assert each.purl.startswith(("pkg:npm/", "pkg:github/")), each.name
        assert each.licence, each.name
        assert each.files, each.name
        assert all(len(digest) == 64 for digest in each.files.values())
