"""Names of people: what people type is accepted in one form; a character that is not text is refused by name."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import Refused
from shared.rules.person_names import MAX_CHARACTERS, code_point_name, name_key, name_within, person_name

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

ANY = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from(
        "aÅſﬁＡ1 \u3000\u00a0\u0301\u0345\u200c\u200d\ufe0f\u093f\u094d\u0915\u0645\u06cc\U0001f469\U0001f4bb\U0001f3fd"
    )
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("\u5c71\u7530\u3000\u592a\u90ce", "\u5c71\u7530 \u592a\u90ce"),  # a full-width space
        ("Jean\u00a0Luc", "Jean Luc"),  # a no-break space
        ("  Ann\u2009\u202f Lee ", "Ann Lee"),
        ("Ada \U0001f469\u200d\U0001f4bb", None),
        ("\u0645\u06cc\u200c\u0644\u0627\u062f", None),  # Persian
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", None),
        ("\u0634\u06cc\u0644\u0647\u200c", None),  # Sorani: the last letter keeps its form
        ("\u0626\u0647\u200c \u0645\u0646", None),
        ("\u0626\u0647\u200c ", "\u0626\u0647\u200c"),
        ("\u0639\u0644\u06cc\u200c\u06f2", None),  # before a digit, a hyphen, a stop, a letter of another script
        ("\u0645\u06cc\u200c-\u0644\u0627\u062f", None),
        ("\u0645\u06cc\u200c.", None),
        ("\u0645\u06cc\u200cB", None),
        ("\u0645\u0650\u200c", None),  # behind the letter's vowel
        ("\u0645\u06cc\u200c\u200c\u200c\u0644\u0627\u062f", "\u0645\u06cc\u200c\u0644\u0627\u062f"),  # typed twice
        ("\u0645\u06cc\u200c\u200c", "\u0645\u06cc\u200c"),
        ("\u0647\u200d. \u0645\u062d\u0645\u062f\u06cc", None),  # a Persian initial: the letter's joining form
        ("\u0915\u094d\u200d\u0937", None),  # Devanagari, after a virama
        ("\u0d9a\u0dca\u200d\u0dbb", None),  # Sinhala
        ("\u09b0\u200d\u09cd\u09af\u09be\u099a\u09c7\u09b2", None),  # Bengali: before the virama
        ("Jose\u0301", "Jos\u00e9"),
        ("Nguy\u1ec5n Th\u1ecb \u00c1nh", None),
        ("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", None),  # Hebrew with points
        ("\u0f56\u0f66\u0f92\u0fb2\u0f74\u0f56\u0f66", None),  # Tibetan stacks
        ("\u845b\U000e0100\u57ce", None),  # a variant of a Han character, as registers of names write it
        ("\U0001f468\U0001f3fd\u200d\U0001f680", None),
        ("\U0001f469\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468", None),
        (f"{ENGLAND} Bob", None),
        ("\U0001f1e9\U0001f1ea Uwe", None),
        ("1\ufe0f\u20e3 Ann", None),
        ("\u182d\u180b \u182a\u180e\u1820", None),  # Mongolian
        ("O\u2019Brien-Smith, Jr.", None),
        ("\u0950", None),
        ("x" * MAX_CHARACTERS, None),
        ("e\u0301" * MAX_CHARACTERS, "\u00e9" * MAX_CHARACTERS),
        ("\u0928\u093f" * MAX_CHARACTERS, None),  # a letter with its sign is one character to its reader
        ("\U0001f1e9\U0001f1ea" * MAX_CHARACTERS, None),
        ("\U000323b0", None),  # reserved for Han characters: newer than some Pythons
    ],
)
def test_what_people_write_is_taken(text: str, normal: str | None) -> None:
    wanted = unicodedata.normalize("NFC", text) if normal is None else normal
    assert person_name(text) == wanted
    assert person_name(wanted) == wanted


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ann\u202eboB", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2067Ann", "U+2067 RIGHT-TO-LEFT ISOLATE"),
        ("\u200fAnn", "U+200F RIGHT-TO-LEFT MARK"),
        ("Ann\u200d", "U+200D ZERO WIDTH JOINER"),
        ("A\u200cnn", "U+200C ZERO WIDTH NON-JOINER"),
        ("Ann\u200c", "U+200C ZERO WIDTH NON-JOINER"),  # of a script that joins nothing
        ("\u0645\u06cc \u200c", "U+200C ZERO WIDTH NON-JOINER"),  # behind nothing
        ("\u200c\u0645\u06cc", "U+200C ZERO WIDTH NON-JOINER"),
        ("\u0661\u200c\u0645", "U+200C ZERO WIDTH NON-JOINER"),  # behind a digit
        ("An\u200bn", "U+200B ZERO WIDTH SPACE"),
        ("\ufeffAnn", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("An\u00adn", "U+00AD SOFT HYPHEN"),
        ("Ann\u3164", "U+3164 HANGUL FILLER"),
        ("Ann\n", "U+000A LINE FEED"),
        ("A\tnn", "U+0009 TAB"),
        ("Ann\x00", "U+0000 NULL"),
        ("Ann\x85", "U+0085 (a control character)"),
        ("Ann\u2028", "U+2028 LINE SEPARATOR"),
        ("Ann\ud83d", "U+D83D (half of a character)"),
        ("Ann\ue000", "U+E000 (of private use)"),
        ("Ann\U0010fffd", "U+10FFFD (of private use)"),
        ("Ann\u0378", "U+0378 (without a name)"),
        ("Ann\ufdd0", "U+FDD0 (without a name)"),
        ("Ann\U0003ffff", "U+3FFFF (without a name)"),
        ("\ufe0fAnn", "U+FE0F VARIATION SELECTOR-16"),
        ("Ann\U000e0067", "U+E0067 TAG LATIN SMALL LETTER G"),
        (ENGLAND[:-1], "U+E0067 TAG LATIN SMALL LETTER G"),
        ("\U0001f3f4\U000e007f", "U+E007F CANCEL TAG"),
        ("Z" + "\u0335" * 5, "more than 4 marks on one letter, up to U+0335"),
        ("Zo\u0302\u0303\u0301\u0316\u0317x", "more than 4 marks"),
        ("\u0e01" + "\u0e47" * 20, "U+0E47 THAI CHARACTER MAITAIKHU"),
        ("", "1 to 64 characters"),
        (" \u3000\u00a0", "at least one that can be seen"),
        ("\u2800\u2800", "at least one that can be seen"),
        ("\u0301", "at least one that can be seen"),
        ("x" * (MAX_CHARACTERS + 1), "1 to 64 characters"),
        ("\U0001f1e9\U0001f1ea" * MAX_CHARACTERS + "x", "1 to 64 characters"),
        ("\U0001f469\u200d\U0001f4bb" * 50, "at most 512 bytes"),
        ("x" * 1_000_000, "1 to 64 characters"),
    ],
)
def test_what_is_no_text_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(Refused, match="racer's name") as refused:
        person_name(text)
    assert named in str(refused.value)
    str(refused.value).encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jos\u00e9", "Jose\u0301"),
        ("Ann", "ANN"),
        ("STRASSE", "Stra\u00dfe"),
        ("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3"),
        ("\uff21\uff4e\uff4e", "Ann"),
        ("\uff76\uff9e", "\u30ac"),  # half-width kana
        ("o\ufb03ce", "OFFICE"),
        ("Ann\u3000 Lee", "ann lee"),
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u0631\u0636\u0627"),
        ("\u0634\u06cc\u0644\u0647\u200c", "\u0634\u06cc\u0644\u0647"),
        ("\u2764\ufe0f Ann", "\u2764 ann"),
        ("\u845b\U000e0100\u57ce", "\u845b\u57ce"),
        ("\u1e9e", "ss"),
        ("\u13a0\uab71", "\uab70\u13a1"),  # Cherokee: folds to capitals
        ("\u01c5", "\u01c6"),
    ],
)
def test_two_spellings_of_one_racer(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "Anne"),
        ("Jos\u00e9", "Jose"),
        ("\u0131", "i"),  # Turkish: another letter
        ("Ann", "\u0410nn"),  # a Cyrillic letter that looks alike: another letter
        (f"Bob {ENGLAND}", f"Bob {SCOTLAND}"),
        ("Ann Lee", "AnnLee"),
    ],
)
def test_two_racers(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(ANY)
@example("\u0345\u0301a")
@example("\u1fb3\u0345 \u200d")
def test_a_name_and_a_key_are_final(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key
    try:
        name = person_name(text)
    except Refused:
        return
    assert person_name(name) == name == unicodedata.normalize("NFC", name)
    assert name_key(name) == key
    assert key
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, name)
        assert person_name(other) == name
        assert name_key(other) == key
    assert name_key(name.casefold()) == key


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Ruth", "Ruth"),
        ("\U0001f469\u200d\U0001f680 Anna", "\U0001f469\u200d\U0001f680 Anna"),
        (f"Team {ENGLAND}", f"Team {ENGLAND}"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("Ru\u202eth\u0000\u200d", "Ruth"),
        ("Ana\u00a0\t\u3000B", "Ana B"),
        ("\u200d\u200b\n", ""),
        ("\ud800x", "?x"),
        ("\U0001f469\u200d\U0001f680" * 100, "\U0001f469\u200d\U0001f680" * 46 + "\U0001f469"),  # what the bytes hold
        ("x" * 500, "x" * MAX_CHARACTERS),
        ("b\u0301\u0302\u0303\u0304" * 56, "b\u0301\u0302\u0303\u0304" * 56),
        ("a" + "\u0301" * 9, "\u00e1"),
    ],
)
def test_what_of_a_text_can_be_a_name_is_kept(text: str, normal: str) -> None:
    assert name_within(text) == normal


@given(ANY, st.integers(1, 80))
@example("\U0001f469\u200d" * 80, 5)
def test_what_is_kept_is_a_name_or_nothing(text: str, max_characters: int) -> None:
    name = name_within(text, max_characters)
    assert name == "" or person_name(name, max_characters) == name


@given(ANY)
def test_a_name_is_kept_whole(text: str) -> None:
    try:
        name = person_name(text)
    except Refused:
        return
    assert name_within(name) == name


@given(st.characters(exclude_categories=()))
def test_every_character_has_words(sign: str) -> None:
    assert code_point_name(sign).startswith(f"U+{ord(sign):04X} ")
