"""Aliases of accounts (handles): what one may be, and which two are too alike. Pure. Called by leaderboard/accounts/.

An alias is unique by two keys. `fold` ignores case and width. `skeleton` follows UTS #39, 4: what looks alike has one
skeleton, as it is written, so that `AdaI` (a capital i) meets `Adal`, but `ali` does not meet `all`.

The table of lookalikes below is our own, of the letters with which one alias can pass for another in practice: Latin,
Cyrillic, Greek, Armenian and digits. It is not Unicode's confusables.txt, which has 6,000 more of them in other
scripts; letters of Latin, Cyrillic, Greek, Armenian and Cherokee cannot be mixed in one alias, which removes most of
the need.
"""

import re
import unicodedata

from shared.errors import Refused
from shared.rules.person_names import code_point_name, is_ignorable
from shared.text import text

MIN_CHARACTERS, MAX_CHARACTERS = 3, 30
MAX_MARKS = 2  # on one letter
_SEPARATORS = "-_."
_UNMIXED = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
_LOOKALIKES = str.maketrans(
    # Latin, then Cyrillic, Greek, Armenian: each beside the Latin letters that it passes for.
    {"I": "l", "m": "rn", "w": "vv", "W": "VV", "0": "O", "1": "l", "_": "-", ".": "-"}
    | {"ı": "i", "ɩ": "i", "ɑ": "a", "ɡ": "g", "ʋ": "v", "ł": "l", "ƚ": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t"}
    | {"þ": "p", "ƿ": "p", "ꞵ": "ß", "ɴ": "n", "ʀ": "r", "ʏ": "y", "ᴏ": "o", "ᴠ": "v", "ᴢ": "z", "ᴄ": "c", "ꜱ": "s"}
    | {"Ł": "L", "Ø": "O", "Đ": "D", "Ħ": "H", "Ŧ": "T", "ǀ": "l", "ſ": "f"}
    | dict(zip("аеорсухіјѕһԁԛӏкгбԍ", "aeopcyxijshdqlkr6g", strict=True))
    | dict(zip("АВЕЗКМНОРСТУХІЈЅҮԌӀ", "ABE3KMHOPCTYXlJSYGl", strict=True))
    | {"ԝ": "vv", "Ԝ": "VV", "ё": "e\u0308", "Ё": "E\u0308"}
    | dict(zip("αονρικυχγϲϳησ", "aovpikuxycjno", strict=True))
    | dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺͿ", "ABEZHlKMNOPTYXCMJ", strict=True))
    | dict(zip("օոսհցզլյ", "onuhgqlj", strict=True))
    | dict(zip("ՕՍՏ", "OUS", strict=True))
)
_RESERVED = frozenset({
    "account", "accounts", "admin", "administrator", "anonymous", "api", "commentator", "deleted", "everyone",
    "guest", "help", "jury", "leaderboard", "leaderboards", "league", "marshal", "marshall", "me", "moderator",
    "nobody", "null", "official", "officials", "organiser", "organizer", "owner", "raceday", "race-control",
    "race-director", "racer", "racers", "referee", "root", "season", "seasons", "security", "staff", "station",
    "steward", "stewards", "support", "system", "undefined", "unknown", "webmaster", "www", "you",
})  # fmt: skip
_RESERVED_STARTS = ("deleted-racer", "raceday-")


def alias_of(written: str) -> str:
    """The alias in the form that is stored and shown (NFKC). Raises Refused with what is wrong."""
    if len(written) > 8 * MAX_CHARACTERS:  # before any work on it
        raise Refused(_LENGTH)
    alias = unicodedata.normalize("NFKC", written.strip())
    for sign in alias:
        if not _fit(sign):
            raise Refused(
                text(
                    "An alias has letters, digits, '-', '_' and '.': leave out {what}.",
                    what=code_point_name(sign),
                )
            )
    if not MIN_CHARACTERS <= len(alias) <= MAX_CHARACTERS:
        raise Refused(_LENGTH)
    if not alias[0].isalnum() or alias[-1] in _SEPARATORS or re.search(r"[-_.]{2}", alias):
        raise Refused(
            text("An alias begins with a letter or digit, and has '-', '_' and '.' only singly between them.")
        )
    _check_marks(alias)
    if len(mixed := scripts(alias)) > 1:
        raise Refused(
            text(
                "The alias mixes {one} and {other} letters, which look alike: use those of one script.",
                one=mixed[0].title(),
                other=mixed[1].title(),
            )
        )
    if is_reserved(alias):
        raise Refused(text("The alias {alias} is reserved: choose another.", alias=repr(alias)))
    return alias


_LENGTH = text(
    "An alias has {min} to {max} characters.",
    min=MIN_CHARACTERS,
    max=MAX_CHARACTERS,
)


def fold(alias: str) -> str:
    """The key that all spellings in other case or width share."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", alias).casefold())
    return unicodedata.normalize("NFKC", folded.casefold())


def skeleton(alias: str) -> str:
    """The key that all aliases share which look like this one."""
    plain = "".join(_digit(sign) for sign in unicodedata.normalize("NFKC", alias))
    # The table holds whole letters, such as those with a stroke; and what decomposes is looked up once more.
    apart = unicodedata.normalize("NFD", plain.translate(_LOOKALIKES)).translate(_LOOKALIKES)
    folded = unicodedata.normalize("NFD", apart.casefold())
    # Case folding may have made a letter that is in the table: "M" becomes "m", which looks like "rn".
    return unicodedata.normalize("NFC", folded.translate(_LOOKALIKES).casefold())


def alike(one: str, other: str) -> bool:
    """Whether one of these could pass for the other."""
    return fold(one) == fold(other) or skeleton(one) == skeleton(other)


def is_reserved(alias: str) -> bool:
    """Whether no account may have it: the words of roles, and of the leaderboard itself."""
    key = skeleton(alias)
    return key in _RESERVED_KEYS or fold(alias) in _RESERVED or key.startswith(_RESERVED_KEY_STARTS)


def scripts(alias: str) -> list[str]:
    """Those scripts with letters in the alias that cannot be mixed, in the order in which they come."""
    found = []
    for sign in alias:
        script = unicodedata.name(sign, "").partition(" ")[0]
        if sign.isalpha() and script in _UNMIXED and script not in found:
            found.append(script)
    return found


def _fit(sign: str) -> bool:
    category = unicodedata.category(sign)
    if is_ignorable(sign):  # among them marks and letters: selectors, Hangul fillers
        return False
    return sign in _SEPARATORS or category[0] == "L" or category in ("Mn", "Mc", "Nd")


def _check_marks(alias: str) -> None:
    marks = 0
    for sign in unicodedata.normalize("NFD", alias):
        marks = marks + 1 if unicodedata.category(sign) == "Mn" else 0
        if marks > MAX_MARKS:
            raise Refused(text("The alias has more than {n} marks on one letter: use fewer.", n=MAX_MARKS))


def _digit(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)


_RESERVED_KEYS = frozenset(skeleton(case) for word in _RESERVED for case in (word, word.upper(), word.title()))
_RESERVED_KEY_STARTS = tuple(skeleton(start) for start in _RESERVED_STARTS)
