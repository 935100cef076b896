"""Names of people: how one is written, and when two spellings are one racer. Used by car, station and leaderboard.

`person_name` follows RFC 8266 (nicknames) with normal form C, so that a name stays as its owner writes it, and lets
through what real names and phones need beyond it: joiners by RFC 5892 A.1 and A.2 (letters of cursive scripts are
taken as joining, since the standard library has no joining types), and the emoji sequences of UTS #51. `name_key`
follows NFKC_Casefold (Unicode 3.13, UAX #31), but for the tags of a flag, which are all that tells two flags apart.

Normal forms and case folding never change for a character once it is assigned, and unassigned ones are refused: a
key that was stored is the same under every later Unicode. The exception is where phones and people are ahead of Python:
code points reserved for emoji and for Han characters are accepted, and have no other form.
"""

import functools
import re
import unicodedata

from shared.errors import Refused
from shared.text import text

MAX_CHARACTERS = 64  # characters as a reader counts them: marks, joiners and what is joined are part of one
MAX_BYTES_PER_CHARACTER = 8  # of UTF-8, on average
MAX_MARKS = 4  # on one base: UTS #39, 5.4

ZWNJ, ZWJ, CANCEL_TAG, VOWEL_SEPARATOR = "\u200c", "\u200d", "\U000e007f", "\u180e"
MAX_TAGS = 30  # of one flag
_VIRAMA = 9  # a combining class

Ranges = tuple[tuple[int, int], ...]

# Derived core property Default_Ignorable_Code_Point: invisible.
_IGNORABLE: Ranges = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_SELECTORS: Ranges = ((0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_TAGS: Ranges = ((0xE0020, 0xE007E),)
_ADDED: Ranges = ((0x1F3FB, 0x1F3FF), (0xE0020, 0xE007F))  # to an emoji: skin tones, tags
_REGIONS: Ranges = ((0x1F1E6, 0x1F1FF),)
_TURNING: Ranges = ((0x61C, 0x61C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069))  # of the direction of text
# Signs of Arabic, Syriac and Kaithi that stand before digits: of class Cf, and visible.
_VISIBLE_FORMATS: Ranges = (
    (0x600, 0x605), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2), (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
)  # fmt: skip
_CURSIVE: Ranges = (
    (0x600, 0x77F), (0x7C0, 0x7FF), (0x840, 0x8FF), (0x1800, 0x18AF), (0xA840, 0xA87F), (0x10AC0, 0x10AFF),
    (0x10B80, 0x10BAF), (0x10D00, 0x10D3F), (0x10F30, 0x10FDF), (0x1E900, 0x1E95F),
)  # fmt: skip
_MONGOLIAN: Ranges = ((0x1800, 0x18AF),)
_SUBJOINED: Ranges = ((0x0F8D, 0x0FBC),)  # Tibetan letters under others: marks by class only
# Reserved for emoji (Extended_Pictographic) and for Han characters (planes 2 and 3): in use before Python knows them.
_RESERVED: Ranges = (
    (0x1F000, 0x1F0FF), (0x1F300, 0x1FAFF), (0x1FC00, 0x1FFFD), (0x20000, 0x2FFFD), (0x30000, 0x3FFFD),
)  # fmt: skip
_CONTROLS = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\0": "NULL", "\x1b": "ESCAPE", "\x7f": "DELETE"}
EMPTY_BRAILLE = "\u2800"  # a symbol by its class
_MARKS = ("Mn", "Mc", "Me")
_NAMELESS = {"Cc": text("(a control character)"), "Cs": text("(half of a character)"), "Co": text("(of private use)")}
_NOT_WRITTEN = {
    "Cc": text("which is a command, not a character"),
    "Cs": text("which is not text"),
    "Co": text("which every machine shows in its own way"),
    "Zl": text("which breaks the line"),
    "Zp": text("which breaks the line"),
}


def person_name(written: str, max_characters: int = MAX_CHARACTERS) -> str:
    """The name as it is stored and shown: normal form C, single ordinary blanks between words. Raises Refused.

    At most `max_characters` as a reader counts them. Idempotent: a name that it returned is returned unchanged.
    """
    if len(written) > 4 * max_characters * MAX_BYTES_PER_CHARACTER:  # before any work on it; blanks may still go
        raise Refused(_too_long(max_characters))
    if (plain := _plain(written)) and len(plain) <= max_characters:
        return plain
    name = _blanks(re.sub(f"{ZWNJ}+", ZWNJ, unicodedata.normalize("NFC", written)))
    for place, sign in enumerate(name):
        if why := _unfit(name, place, sign):
            raise Refused(
                text(
                    "A racer's name holds {what}, {why}: leave it out.",
                    what=code_point_name(sign),
                    why=why,
                )
            )
    if not any(_visible(sign) for sign in name):
        raise Refused(
            text(
                "A racer's name has 1 to {max_characters} characters, and at least one that can be seen.",
                max_characters=max_characters,
            )
        )
    if (last := _stacked(name)) is not None:
        raise Refused(
            text(
                "A racer's name has more than {max_marks} marks on one letter, up to {what}: use fewer.",
                max_marks=MAX_MARKS,
                what=code_point_name(last),
            )
        )
    if _length(name) > max_characters or len(name.encode()) > max_characters * MAX_BYTES_PER_CHARACTER:
        raise Refused(_too_long(max_characters))
    return name


def name_within(written: str, max_characters: int = MAX_CHARACTERS) -> str:
    """What is left of any text without the characters that a name cannot have; "" if nothing is left.

    For names that come from a device, where no person can correct them.
    """
    short = " ".join(written[: 4 * max_characters * MAX_BYTES_PER_CHARACTER].split())
    cut = unicodedata.normalize("NFC", short).encode(errors="replace")[: max_characters * MAX_BYTES_PER_CHARACTER]
    name = _without_unfit(cut.decode(errors="ignore"))
    while (over := _length(name) - max_characters) > 0:
        name = _without_unfit(name[:-over])
    try:
        return person_name(name, max_characters)
    except Refused:  # nothing visible, or too many marks on a letter
        return _blanks("".join(sign for sign in name if sign == " " or _visible(sign)))


@functools.lru_cache(maxsize=4096)  # the names of one event, which are compared with every crossing
def name_key(written: str) -> str:
    """The key that all spellings of one racer share: case, width, ligatures and invisible characters do not count.

    For comparison only, never shown. Any text has a key, even one that `person_name` refuses.
    """
    if plain := _plain(written):
        return plain.casefold()
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", written).casefold())
    twice = unicodedata.normalize("NFKC", once.casefold())
    visible = "".join(sign for sign in twice if not _in(_IGNORABLE, sign) or _in(_TAGS, sign))
    return _blanks(unicodedata.normalize("NFKC", visible))


def is_ignorable(sign: str) -> bool:
    """Whether the character is invisible by itself (Default_Ignorable_Code_Point): a joiner, a selector, a filler."""
    return _in(_IGNORABLE, sign)


def code_point_name(sign: str) -> str:
    """A character by number and name: "U+202E RIGHT-TO-LEFT OVERRIDE"."""
    name = _CONTROLS.get(sign) or unicodedata.name(sign, "")
    words = name or _NAMELESS.get(unicodedata.category(sign), text("(without a name)"))
    return text("{number} {words}", number=f"U+{ord(sign):04X}", words=words)


def _too_long(max_characters: int) -> str:
    max_bytes = max_characters * MAX_BYTES_PER_CHARACTER
    return text(
        "A racer's name has 1 to {max_characters} characters (and at most {max_bytes} bytes).",
        max_characters=max_characters,
        max_bytes=max_bytes,
    )


def _plain(written: str) -> str:
    """The name if all of it is printable ASCII, which is in every normal form; "" if not, or if nothing is visible."""
    return " ".join(written.split()) if written.isascii() and written.isprintable() else ""


def _without_unfit(name: str) -> str:
    """The name without unfit characters, and without those that only an unfit one needed."""
    while True:
        fit = "".join(sign for place, sign in enumerate(name) if not _unfit(name, place, sign))
        if fit == name:
            return name
        name = fit


def _blanks(written: str) -> str:
    """The text with one ordinary blank for every run of blanks of any kind, and none at its ends."""
    plain = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in written)
    return " ".join(word for word in plain.split(" ") if word)


def _unfit(name: str, place: int, sign: str) -> str:
    """Why this character cannot stand here; "" if it can."""
    category = unicodedata.category(sign)
    if sign in (ZWNJ, ZWJ):
        return "" if _joins(name, place) else text("which joins or parts nothing there")
    if _in(_SELECTORS, sign):
        return "" if _selects(name, place) else text("which belongs to no character before it")
    if sign == VOWEL_SEPARATOR:
        return "" if _in(_MONGOLIAN, name[place - 1 : place]) else text("which belongs to no Mongolian letter")
    if _in(_TAGS, sign) or sign == CANCEL_TAG:
        return "" if _in_flag(name, place) else text("which belongs to no flag")
    if _in(_TURNING, sign):
        return text("which changes the direction of the text")
    if _in(_IGNORABLE, sign) or (category == "Cf" and not _in(_VISIBLE_FORMATS, sign)):
        return text("which is invisible")
    if category == "Cn":
        return "" if _reserved(sign) else text("which is no character")
    return _NOT_WRITTEN.get(category, "")


def _joins(name: str, place: int) -> bool:
    """Does a script or an emoji need the joiner (or non-joiner) here?"""
    before, after = name[:place].rstrip(ZWNJ + ZWJ), name[place + 1 : place + 2]
    if before and unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    base = _base(before)
    if name[place] == ZWNJ:  # also at a word's end, as Sorani is typed: there it keeps a letter's last form
        return _cursive(base)
    if after and unicodedata.combining(after) == _VIRAMA:  # Bengali and Kannada: RA, joiner, virama
        return base.isalpha()
    return _cursive(base) or (_pictured(base) and _pictured(after))


def _base(before: str) -> str:
    """What the marks, selectors and skin tones at the end stand on; "" if nothing."""
    place = len(before) - 1
    while place >= 0 and (unicodedata.category(before[place]) in _MARKS or _in(_ADDED, before[place])):
        place -= 1
    return before[place] if place >= 0 else ""


def _selects(name: str, place: int) -> bool:
    before = name[place - 1 : place]
    return before not in ("", " ", ZWNJ, ZWJ) and not _in(_SELECTORS, before)


def _in_flag(name: str, place: int) -> bool:
    """Is this tag part of a region's flag: a black flag, its letters as tags, and the cancel tag?"""
    first = place - 1
    while first >= 0 and _in(_TAGS, name[first]):
        first -= 1
    last = place
    while last < len(name) and _in(_TAGS, name[last]):
        last += 1
    letters = place - first - 1 + (last - place)
    return _pictured(_base(name[: first + 1])) and name[last : last + 1] == CANCEL_TAG and 0 < letters <= MAX_TAGS


def _cursive(sign: str) -> bool:
    return sign.isalpha() and _in(_CURSIVE, sign)


def _pictured(sign: str) -> bool:
    return bool(sign) and (unicodedata.category(sign) in ("So", "Sm") or _reserved(sign))


def _reserved(sign: str) -> bool:
    return unicodedata.category(sign) == "Cn" and _in(_RESERVED, sign)


def _visible(sign: str) -> bool:
    drawn = unicodedata.category(sign)[0] in "LNPS" and sign != EMPTY_BRAILLE and not _in(_IGNORABLE, sign)
    return drawn or _reserved(sign)


def _stacked(name: str) -> str | None:
    """The first mark that is one too many on its letter; None if there is none."""
    marks = 0
    for sign in unicodedata.normalize("NFD", name):
        if unicodedata.category(sign) in ("Mn", "Me"):
            marks += not (_in(_SELECTORS, sign) or _in(_SUBJOINED, sign))
        elif sign not in (ZWNJ, ZWJ):
            marks = 0
        if marks > MAX_MARKS:
            return sign
    return None


def _length(name: str) -> int:
    """Characters as a reader counts them, near enough to UAX #29."""
    count, regions, before = 0, 0, ""
    for sign in name:
        regions = regions + 1 if _in(_REGIONS, sign) else 0
        part = unicodedata.category(sign) in _MARKS or _in(_IGNORABLE, sign) or _in(_ADDED, sign)
        joined = before == ZWJ and _pictured(sign)
        count += not (part or joined or (regions and regions % 2 == 0))
        before = sign
    return count


def _in(ranges: Ranges, sign: str) -> bool:
    return bool(sign) and any(first <= ord(sign) <= last for first, last in ranges)
