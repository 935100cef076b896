"""Lists of racers as CSV: any file gives lines and errors, and what is written is read back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Refused
from shared.rules.person_names import name_key
from station.core.event.csv_roster import MAX_BYTES, Roster, RosterError, neutralised, read_roster, write_roster
from station.core.event.event_book import EventBook
from station.core.event.racers import checked_racer
from station.core.event.records import EventCar, Racer
from tests.station.core.scripted_race import THOROUGH


def book_of(*racers: Racer, cars: tuple[EventCar, ...] = ()) -> EventBook:
    book = EventBook()
    book.racers = {name_key(racer.alias): racer for racer in racers}
    book.cars = {car.name: car for car in cars}
    return book


def read(written: str, *racers: Racer) -> Roster:
    return read_roster(written.encode(), book_of(*racers), {"germany": "DE", "deutschland": "DE"})


def errors(roster: Roster) -> list[tuple[int, str]]:
    return [(each.line, each.sentence) for each in roster.errors]


@pytest.mark.parametrize(
    "written",
    [
        "alias,flag,team,colour,car,model,transponder,check-in\nAda,DE,Red,#0000ff,car-1,m1,77,yes\n",
        "Fahrer;Land;Team;Farbe;Auto;Modell;Transpondernummer;Anwesend\r\nAda;Deutschland;Red;#00f;car-1;m1;77;ja\r\n",
        "Username\tCountryCode\tClub\tColor\tVehicle\tModel\tChip\tPresent\nAda\tde\tRed\t0000FF\tcar-1\tm1\t77\tx",
        'sep=;\nname;flag;team;colour;car;model;tag;here\n"Ada";🇩🇪;Red;#0000ff;car-1;m1;77;1',
        "Vorname,Nachname,Land,Mannschaft,Farbe,Fahrzeug,Modell,RFID,da\nAda,,Germany,Red,#0000FF,car-1,m1,77,✓",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_of_other_programs_are_read(written: str, encoding: str) -> None:
    roster = read_roster(written.encode(encoding), book_of(), {"germany": "DE", "deutschland": "DE"})
    assert errors(roster) == []
    assert roster.racers == (Racer("Ada", "DE", "Red", "#0000ff", "m1", "car-1", ("77",), True),)


def test_a_file_in_the_encoding_of_windows() -> None:
    assert read_roster("Fahrer;Team\nJörg Müßig;Grün".encode("cp1252"), book_of()).racers == (
        Racer("Jörg Müßig", team="Grün"),
    )


def test_the_preview_says_what_is_new_changed_and_the_same() -> None:
    known = (Racer("Ada", "DE", code="aaaa22"), Racer("Bob", team="Red"), Racer("Cid"))
    roster = read("racer,team,flag\nADA,Blue,\nbob,Red,\nCid,,\nDan,,FR\n", *known)
    assert [(each.line, each.kind, each.becomes.alias) for each in roster.lines] == [
        (2, "changed", "Ada"),
        (3, "same", "Bob"),
        (4, "same", "Cid"),
        (5, "new", "Dan"),
    ]
    assert roster.lines[0].becomes == Racer("Ada", "DE", "Blue", code="aaaa22")
    assert [racer.alias for racer in roster.racers] == ["ADA", "Dan"]


def test_each_wrong_line_is_named_and_the_others_can_be_imported() -> None:
    written = (
        "name,flag,colour,car,transponder 1,transponder 2,check-in\n"
        "Ada,,,,7,,\n"
        "\n"
        "ada,,,,,,\n"
        "Bob,Atlantis,,,,,\n"
        "Cid,,#12,,,,\n"
        "Dan,,,My Car,,,\n"
        "Eve,,,,0x7,,\n"
        ",FR,,,,,\n"
        "Fay,,,,,,perhaps\n"
        '"Guy\nTwo lines",,,,9,10,\n'
        "Hal,,,,,,,more\n"
        "Ida,,,,55,,\n"
    )
    book = book_of(cars=(EventCar("blue", transponders=("55",)),))
    roster = read_roster(written.encode(), book)
    assert [racer.alias for racer in roster.racers] == ["Ada"]
    named = dict(errors(roster))
    assert list(named) == [4, 5, 6, 7, 8, 9, 10, 11, 13, 14]
    words = ["in line 2", "Atlantis", "no colour", "cannot name a car", "Ada's and Eve's", "no name", "yes nor no"]
    words += ["LINE FEED", "8 cells, the header 7", "blue's and Ida's"]
    for word, sentence in zip(words, named.values(), strict=True):
        assert word in sentence


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\xff\xfe\x00", "no text"),
        (b"alias\x00", "no text"),
        (b"x" * (MAX_BYTES + 1), "more than"),
        (b"colour,size\nred,2", "header of a column with names"),
        (b"alias\n", "no racer"),
        (b'alias\n"Ada', "quotation mark"),
        (b"alias\n" + b"".join(b"r%d\n" % number for number in range(2001)), "more than 2000 racers"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    roster = read_roster(data, book_of())
    assert words in roster.errors[0].sentence
    assert len(roster.errors) == 1
    assert not roster.racers


def test_unread_columns_are_named() -> None:
    assert read("Name,Shoe size,,E-mail\nAda,42,,a@b").unread == ("Shoe size", "E-mail")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=x", "''-x"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert neutralised(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ada", "'n Abend", "1-2", "a=b"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert neutralised(cell) == cell


TEXTS = st.text(alphabet=st.sampled_from("aB1 =+-@'\",;|éß🏁\u202e山\t\r\n"), max_size=12)
FILES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(str.encode),
    st.lists(st.lists(TEXTS, max_size=5), max_size=8).map(
        lambda rows: "\n".join(["alias;flag;transponder;colour", *(";".join(row) for row in rows)]).encode()
    ),
)


@THOROUGH
@given(FILES)
def test_any_file_gives_lines_and_errors_and_nothing_else(data: bytes) -> None:
    roster = read_roster(data, book_of(Racer("aB1", transponders=("1",))))
    assert roster.lines or roster.errors
    assert all(isinstance(each, RosterError) and each.sentence and each.line >= 0 for each in roster.errors)
    keys = [name_key(each.racer.alias) for each in roster.lines]
    assert len(set(keys)) == len(keys)


def _valid(racer: Racer) -> bool:
    try:
        return checked_racer(racer) == racer
    except Refused:
        return False


RACERS = st.builds(
    Racer,
    alias=TEXTS,
    flag=st.sampled_from(["", "DE", "JP"]),
    team=TEXTS,
    colour=st.sampled_from(["", "#0a0d13"]),
    model=TEXTS,
    car=st.sampled_from(["", "car-1"]),
    checked_in=st.booleans(),
    pronounce_as=TEXTS,
).filter(_valid)


@THOROUGH
@given(st.lists(RACERS, max_size=6, unique_by=lambda racer: name_key(racer.alias)))
def test_what_is_written_is_read_back(racers: list[Racer]) -> None:
    entered = [
        Racer(
            **{**{name: getattr(racer, name) for name in Racer.__slots__}, "transponders": (f"-{place}", f"={place}9")}
        )
        for place, racer in enumerate(racers, 1)
    ]
    roster = read_roster(write_roster(entered).encode("utf-8-sig"), book_of())
    assert roster.racers == tuple(entered)
    again = read_roster(write_roster(entered).encode(), book_of(*entered))
    assert {each.kind for each in again.lines} <= {"same"}
