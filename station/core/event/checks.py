"""Checks what people enter about an event: names, countries, colours, ids. Each returns the value as it is stored.

Each raises Refused with one sentence that says what is wrong and what to do.
"""

import re
import unicodedata

from shared.errors import ConfigError, Refused
from shared.protocol.topics import checked_device
from shared.rules.ranking import RaceRules, check_rules
from shared.text import text

MAX_TEXT = 64  # characters of a name of an event, a race, a track, a team or a model
MAX_TRANSPONDER = 128
MAX_TRANSPONDERS = 8  # of one racer or car
MAX_ID = 40
MAX_SUBMIT_AFTER_S = 3600.0
# ISO 3166-1 alpha-2, and the two in common use beyond it.
_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR
HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR
LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG
NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE
SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA
UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_TIME_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_CODE = re.compile(r"[a-z0-9]{4,16}", re.ASCII)
_UNSHOWN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


def checked_text(value: str, what: str, max_characters: int = MAX_TEXT) -> str:
    """A short text in normal form C with single blanks between words; may be "". `what` names it, as "team"."""
    written = " ".join(unicodedata.normalize("NFC", value[: 8 * max_characters]).split())
    if any(unicodedata.category(sign) in _UNSHOWN or sign in _TURNING for sign in written):
        raise Refused(text("The {what} holds a character that cannot be shown: leave it out.", what=what))
    if len(written) > max_characters or len(value) > 8 * max_characters:
        raise Refused(text("The {what} has at most {max} characters.", what=what, max=max_characters))
    return written


def checked_name(value: str, what: str) -> str:
    """A short text that is not empty."""
    written = checked_text(value, what)
    if not written:
        raise Refused(text("Enter a {what}.", what=what))
    return written


def checked_flag(value: str) -> str:
    """A country's two letters in capitals, or ""."""
    flag = value.strip().upper()
    if flag and flag not in COUNTRIES:
        raise Refused(text("{flag} is no country: use its two letters, such as DE or IN.", flag=repr(value[:20])))
    return flag


def checked_colour(value: str) -> str:
    """A colour as "#rrggbb", or ""."""
    colour = value.strip().lower()
    if colour and not _COLOUR.fullmatch(colour):
        raise Refused(text("{colour} is no colour: write it as #46c8f5.", colour=repr(value[:20])))
    return colour


def checked_car(value: str) -> str:
    """A car's name, or ""."""
    name = value.strip()
    if not name:
        return ""
    try:
        return checked_device(name)
    except Refused:
        raise Refused(
            text("{car} cannot name a car: use 1 to 64 of a-z, 0-9, '-' and '_', without blanks.", car=repr(name[:40]))
        ) from None


def checked_id(value: str) -> str:
    """The id of an event or a race, or ""."""
    name = value.strip()
    try:
        return checked_device(name) if name else ""
    except Refused:
        raise Refused(
            text("{id} is no id: use 1 to 64 of a-z, 0-9, '-' and '_', without blanks.", id=repr(name[:40]))
        ) from None


def checked_transponders(ids: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of one owner's transponders, without blanks around them and without empty ones."""
    written = tuple(each.strip() for each in ids if each.strip())
    for each in written:
        if not each.isprintable() or len(each) > MAX_TRANSPONDER or set(each) & set(";|"):
            raise Refused(
                text("A transponder's id has 1 to {max} printable characters, without ; and |.", max=MAX_TRANSPONDER)
            )
    if len(written) > MAX_TRANSPONDERS:
        raise Refused(text("A racer or car has at most {max} transponders.", max=MAX_TRANSPONDERS))
    return written


def checked_length_m(length_m: float | None) -> float | None:
    """The length of a track in metres; None, as 0 is, if it is not known."""
    if length_m is None or length_m == 0:
        return None
    if not 1 <= length_m <= 1000:
        raise Refused(text("A track is 1 to 1000 m long, along its centre line."))
    return length_m


def checked_time_zone(zone: str) -> str:
    """The name of a time zone as IANA writes it, or ""."""
    if zone and not (_TIME_ZONE.fullmatch(zone) and len(zone) <= MAX_TEXT):
        raise Refused(text("A time zone is written as Europe/Berlin."))
    return zone


def checked_race_rules(rules: RaceRules) -> RaceRules:
    """The rules, if a race can have them."""
    try:
        return check_rules(rules)
    except ConfigError as error:
        raise Refused(str(error)) from None


def checked_submit_after_s(seconds: float) -> float:
    """How long results wait to be submitted, in s; any negative number: -1, for an official. Raises Refused."""
    if not seconds <= MAX_SUBMIT_AFTER_S:
        raise Refused(text("Results wait for at most {limit} s to be submitted.", limit=MAX_SUBMIT_AFTER_S))
    return -1.0 if seconds < 0 else seconds


def checked_cars_on_track(cars: int) -> int:
    """How many runs of a race may be on at the same time."""
    if not 1 <= cars <= 12:
        raise Refused(text("1 to 12 cars may be on the track at the same time."))
    return cars


def checked_code(code: str) -> str:
    """The random code of a racer's own page, or ""."""
    if code and not _CODE.fullmatch(code):
        raise Refused(text("A racer's code has 4 to 16 of a-z and 0-9."))
    return code


def id_from(name: str, fallback: str) -> str:
    """An id made from a name: its letters and digits in ASCII, joined by dashes; `fallback` if there are none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_ID].strip("-") or fallback


def unused_id(wanted: str, used: "frozenset[str] | set[str]") -> str:
    """The id, with the first number at its end that makes it a new one."""
    if wanted not in used:
        return wanted
    number = 2
    while f"{wanted}-{number}" in used:
        number += 1
    return f"{wanted}-{number}"
