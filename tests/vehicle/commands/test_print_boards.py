"""`raceday print boards`: the file, and each wrong argument as a sentence."""

import sys
from pathlib import Path

import pytest

from raceday.__main__ import main as raceday
from shared.errors import BadInput, OperatorError, StorageError
from vehicle.commands.print_boards import main

CONFIG = Path(__file__).parents[3] / "config" / "vehicle.toml"


def test_the_cars_boards_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "car.toml"
    board = "[[lapwatch.boards]]\nid = 7\nsize_m = 0.15\nafter_line_m = 0.4\n[comms]"
    config.write_text(CONFIG.read_text().replace("[comms]", board))
    out = tmp_path / "boards.pdf"
    assert main(["boards", "-o", str(out), "--paper", "A3", "--config", str(config), "--language", "de"]) == 0
    assert out.read_bytes().startswith(b"%PDF-")
    assert "board 7: 150 mm, 1 sheet of A3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (["--paper", "A5"], BadInput, "choose A4, A3, Letter"),
        (["-o", "no/boards.pdf"], StorageError, "cannot be written"),
        (["--more", ""], BadInput, "1 to 600"),
        (["--more", "x" * 601], BadInput, "1 to 600"),
        (["--config", "none.toml"], OperatorError, "none.toml"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], error: type[Exception], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=says):
        main(["boards", *words])


def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("vehicle.commands.print_boards", "vehicle.boards.board_pdf"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "reportlab.graphics.barcode.qr", None)
    assert raceday(["print", "boards"]) == 2
    assert "reportlab" in capsys.readouterr().err
