"""No cell of ours is a formula to a spreadsheet, and every cell comes back as it was."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.boards.spreadsheet_cells import neutralised, restored


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49 30", "-a", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''@", "＝1", "-1-1"]
)
def test_what_begins_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert neutralised(cell) == f"'{cell}"
    assert restored(neutralised(cell)) == cell


@pytest.mark.parametrize("cell", ["", "Ann", "-1", "-1.5", "+2", "-1e3", "'", "'Ann", "'-5", "a=b", " =1"])
def test_the_rest_stays_as_it_is(cell: str) -> None:
    assert neutralised(cell) == cell == restored(cell)


@given(st.text(st.sampled_from("'=+-@\t\r\n1.eA＝ "), max_size=6) | st.text())
@example("''=")
def test_every_cell_comes_back(cell: str) -> None:
    assert restored(neutralised(cell)) == cell
    assert not neutralised(cell).startswith(("=", "@", "\t", "\r", "\n"))
