"""Aliases: what one may be, which pass for each other, and that no trick with Unicode makes a second "ada"."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.alias import MAX_CHARACTERS, alias_of, alike, fold, is_reserved, scripts, skeleton
from shared.errors import Refused


@pytest.mark.parametrize(
    ("written", "alias"),
    [
        ("ada", "ada"),
        ("  Ada_Lovelace-2 ", "Ada_Lovelace-2"),
        ("ＡＤＡ", "ADA"),
        ("Zoë", "Zoë"),
        ("Zoe\u0308", "Zoë"),
        ("小林さん", "小林さん"),
        ("सीमा", "सीमा"),
        ("Łukasz", "Łukasz"),
        ("Юлия99", "Юлия99"),
        ("محمد", "محمد"),
        ("x" * MAX_CHARACTERS, "x" * MAX_CHARACTERS),
    ],
)
def test_aliases_in_the_form_that_is_stored(written: str, alias: str) -> None:
    assert alias_of(written) == alias
    assert alias_of(alias) == alias


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "3 to 30 characters"),
        ("ab", "3 to 30 characters"),
        ("x" * 31, "3 to 30 characters"),
        ("x" * 100_000, "3 to 30 characters"),
        ("ada lovelace", "leave out U+0020 SPACE"),
        ("ada\u202eadmin", "RIGHT-TO-LEFT OVERRIDE"),
        ("ad\u200ba", "ZERO WIDTH SPACE"),
        ("ad\u200da", "ZERO WIDTH JOINER"),
        ("ad\u00ada", "SOFT HYPHEN"),
        ("ad\ufe0fa1", "VARIATION SELECTOR-16"),
        ("ad\u3164a", "HANGUL"),
        ("ad\u034fa", "GRAPHEME JOINER"),
        ("ada\x00", "NULL"),
        ("ada😀", "GRINNING FACE"),
        ("ada@home", "COMMERCIAL AT"),
        ("../ada", "leave out"),
        ("<b>ada", "leave out"),
        ("-ada", "begins with"),
        ("ada.", "begins with"),
        ("ada--b", "only singly"),
        ("a\u0301\u0302\u0303da", "marks on one letter"),
        ("аda", "mixes Cyrillic and Latin letters"),
        ("αda", "mixes Greek and Latin"),
        ("admin", "reserved"),
        ("ADMIN", "reserved"),
        ("аdmіn", "mixes"),
        ("0fficial", "reserved"),
        ("deleted-racer-7", "reserved"),
        ("De1eted_Racer7", "reserved"),
        ("raceday.support", "reserved"),
    ],
)
def test_what_no_alias_can_be(written: str, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        alias_of(written)
    assert sentence in str(refusal.value)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "ADA"),
        ("AdaI", "Adal"),
        ("Ada1", "Adal"),
        ("AdaI", "Ada1"),
        ("bob", "b0b"),
        ("BOB", "B0B"),
        ("modern", "modem"),
        ("vvally", "wally"),
        ("ада", "ада"),
        ("сосо", "coco"),
        ("СОСО", "COCO"),
        ("рор", "pop"),
        ("οοο", "ooo"),
        ("ΑΒΕ", "ABE"),
        ("ａｄａ", "ada"),
        ("a_b_c", "a-b.c"),
        ("łuk", "luk"),
        ("straße", "strasse"),
        ("ada٤", "ada4"),
        ("ﬁnn", "finn"),
        ("Zoë", "zoe\u0308"),
    ],
)
def test_what_passes_for_each_other(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("ada", "adam"), ("ali", "all"), ("Zoë", "Zoe"), ("ada-b", "adab"), ("юля", "yulya")]
)
def test_what_is_told_apart(one: str, other: str) -> None:
    assert not alike(one, other)


def test_scripts_that_do_not_mix_and_words_that_nobody_has() -> None:
    assert scripts("Юлия99") == ["CYRILLIC"]
    assert scripts("小林-abc") == ["LATIN"]
    assert is_reserved("AdmiN")
    assert is_reserved("ADМIN")  # with a Cyrillic letter
    assert not is_reserved("adminda")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_an_alias_or_refused_and_keys_are_stable(written: str) -> None:
    try:
        alias = alias_of(written)
    except Refused:
        return
    assert alias_of(alias) == alias
    assert unicodedata.normalize("NFKC", alias) == alias
    assert all(unicodedata.category(sign) not in ("Cf", "Cc", "Zs", "Cs") for sign in alias)
    assert fold(fold(alias)) == fold(alias)
    assert fold(alias.swapcase().casefold()) == fold(alias.casefold())


@settings(max_examples=150, deadline=None)
@given(st.text("abcdegiklmnoprstuvwxyz01IOADаеорсхіαοκ-_.", min_size=1, max_size=30))
def test_a_lookalike_of_a_lookalike_has_the_same_skeleton(written: str) -> None:
    assert skeleton(skeleton(written)) == skeleton(written)
    assert alike(written, skeleton(written))
