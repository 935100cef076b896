"""The cells of a list of racers as people and programs write them: headers, countries, colours, yes and no. Pure.

Called by csv_roster.py. Headers and words are in English and German, and as event managers export them.
"""

import re
import unicodedata
from collections.abc import Mapping

from shared.errors import Refused
from shared.text import text

_HEADERS: dict[str, str] = {
    "alias": "alias racer racername raceralias name nickname nick driver drivername pilot pilotname callsign username "
    "user displayname participant competitor entrant starter fahrer fahrername fahrerin teilnehmer teilnehmerin "
    "spitzname benutzername rennfahrer anzeigename",
    "first_name": "firstname givenname forename vorname",
    "last_name": "lastname surname familyname nachname familienname",
    "flag": "flag country countrycode nation nationality iso isocode land landeskurzel landercode flagge nationalitat "
    "staat laendercode",
    "team": "team teamname club company organisation organization group mannschaft verein firma gruppe",
    "colour": "colour color carcolour carcolor farbe fahrzeugfarbe autofarbe",
    "car": "car carname carid vehicle auto fahrzeug wagen fahrzeugname",
    "model": "model modelname expectedmodel modell modellname",
    "transponders": "transponder transponders transponderid transponderids transpondernumber chip chipid chipnumber "
    "tag tagid rfid transpondernummer transpondernummern chipnummer",
    "pronounce_as": "pronounceas pronounced pronunciation phonetic saidas spokenas aussprache gesprochen lautschrift",
    "checked_in": "checkedin checkin present arrived here anwesend eingecheckt da gekommen",
}
_FIELD_OF = {header: field for field, headers in _HEADERS.items() for header in headers.split()}
_COLOURS: dict[str, str] = {
    "#d62828": "red rot",
    "#2563eb": "blue blau",
    "#1f9d55": "green grun gruen",
    "#f6cf4f": "yellow gelb",
    "#f97316": "orange",
    "#8b5cf6": "purple violet lila violett",
    "#ec4899": "pink rosa",
    "#ffffff": "white weiss",
    "#000000": "black schwarz",
    "#808080": "grey gray grau",
    "#c0c0c0": "silver silber",
    "#d4af37": "gold golden",
    "#8b5a2b": "brown braun",
    "#46c8f5": "cyan turquoise turkis tuerkis hellblau",
}
_COLOUR_OF = {name: colour for colour, names in _COLOURS.items() for name in names.split()}
_YES = frozenset({"yes", "y", "ja", "j", "true", "wahr", "1", "x", "✓", "✔"})
_NO = frozenset({"", "no", "n", "nein", "false", "falsch", "0", "-"})
_REGION_A = 0x1F1E6  # REGIONAL INDICATOR SYMBOL LETTER A: two of them are a flag
_SHORT_COLOUR = re.compile(r"#?([0-9a-f])([0-9a-f])([0-9a-f])", re.ASCII)
_LONG_COLOUR = re.compile(r"#?([0-9a-f]{6})", re.ASCII)


def decoded(data: bytes) -> str | None:
    """The text of a file in UTF-8, UTF-16 with a mark, or Windows-1252; None if it is no text."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        written = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-16":
            return None
        try:
            written = data.decode("cp1252")
        except UnicodeDecodeError:
            return None
    return None if "\0" in written else written


def plain(value: str) -> str:
    """The letters and digits of a text, without case and accents: for comparison only."""
    parts = unicodedata.normalize("NFKD", value.replace("ß", "ss")).casefold()
    return "".join(sign for sign in parts if sign.isalnum())


def field_of(header: str) -> str:
    """Which field of a racer this column holds; "" if none. `Transponder 2` is one more transponder."""
    written = plain(header)
    return _FIELD_OF.get(written) or _FIELD_OF.get(written.rstrip("0123456789"), "")


def without_apostrophe(cell: str) -> str:
    """The cell without the apostrophe that stands before what a spreadsheet would take for a formula."""
    return cell[1:] if re.match(r"'+[=+\-@\t\r]", cell) else cell


def flag_of(cell: str, countries: Mapping[str, str]) -> str:
    """A country's two letters, from them, its flag or its name; anything else stays as it is, and is refused later."""
    places = [ord(sign) - _REGION_A for sign in cell]
    if len(places) == 2 and all(0 <= place < 26 for place in places):
        return "".join(chr(ord("A") + place) for place in places)
    return cell if len(cell) == 2 else countries.get(plain(cell), cell)


def colour_of(cell: str) -> str:
    """A colour as "#rrggbb", from a shorter form or its name; anything else stays as it is, and is refused later."""
    written = cell.lower()
    if short := _SHORT_COLOUR.fullmatch(written):
        return "#" + "".join(2 * digit for digit in short.groups())
    if long := _LONG_COLOUR.fullmatch(written):
        return f"#{long[1]}"
    return _COLOUR_OF.get(plain(cell), cell)


def ids_of(cell: str) -> list[str]:
    """The transponders of a cell: several are parted by a semicolon, a bar or a new line."""
    return [each.strip() for each in re.split(r"[;|\r\n]", cell) if each.strip()]


def yes_or_no(cell: str) -> bool:
    """Whether the cell says yes. Raises Refused if it says neither."""
    word = cell.strip().casefold()
    if word not in _YES and word not in _NO:
        raise Refused(text("{cell!r} is neither yes nor no: write yes or leave it empty.", cell=cell[:40]))
    return word in _YES
