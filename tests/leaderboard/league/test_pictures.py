"""Pictures are made anew from their pixels; what is no picture, or too large, is refused."""

import io
import struct
import zlib

import pytest
from PIL import Image

from leaderboard.core.access import NOBODY
from leaderboard.core.errors import NotAllowed, UnknownRace
from leaderboard.league.description import html_of
from leaderboard.league.pictures import MAX_PICTURE_BYTES, MAX_SIDE, picture_of
from shared.errors import BadInput
from tests.leaderboard.league.organised import NOW, Organised, person

OLGA = person("olga", "organiser")


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **how: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (255, 0, 0, 128)[: len(mode)]).save(out, kind, **how)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_is_stored_holds_only_pixels(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    sent = picture(kind, exif=exif) + b"<script>alert(1)</script>"
    blob = picture_of(sent)
    stored = opened(blob.content)
    assert (stored.format, stored.size, blob.width, blob.height) == ("WEBP", (40, 20), 40, 20)
    assert b"where I live" not in blob.content
    assert b"script" not in blob.content
    assert not stored.getexif()
    red, green, blue = stored.convert("RGB").getpixel((20, 10))  # type: ignore[misc]
    assert red > 240
    assert max(green, blue) < 12
    assert picture_of(sent).sha256 == blob.sha256


def test_large_pictures_become_smaller_and_turned_ones_upright() -> None:
    assert picture_of(picture("JPEG", (4000, 1000))).width == MAX_SIDE
    turned = Image.Exif()
    turned[0x0112] = 6
    blob = picture_of(picture("JPEG", (40, 20), exif=turned))
    assert (blob.width, blob.height) == (20, 40)
    assert "A" in opened(picture_of(picture("PNG", mode="RGBA")).content).getbands()


def gif() -> bytes:
    out = io.BytesIO()
    Image.new("P", (4, 4)).save(out, "GIF")
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """The head of a PNG that says it is this large."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + head
        + struct.pack(">I", zlib.crc32(head))
        + b"\0\0\0\x10IDAT"
        + b"\0" * 64
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (gif(), "no picture"),
        (picture("BMP"), "no picture"),
        (picture("TIFF"), "no picture"),
        (picture("PNG")[:60], "no picture"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, "no picture"),
        (png_of(5001, 5000), "25 million pixels"),
        (png_of(60_000, 60_000), "25 million pixels"),
        (b"x" * (MAX_PICTURE_BYTES + 1), "larger than 4 MB"),
    ],
)
def test_what_is_no_fit_picture_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        picture_of(content)


def test_a_picture_is_seen_by_those_who_see_its_race(league: Organised) -> None:
    league.made(OLGA, "secret", kind="community", visibility="private")
    with pytest.raises(UnknownRace):
        league.pictures.set_of_race(person("rita"), "secret", picture(), NOW)
    changed = league.pictures.set_of_race(OLGA, "secret", picture(), NOW)
    assert changed.edition == 2
    blob, public = league.pictures.of_race(OLGA, "secret", changed.picture_sha256)
    assert (blob.media_type, public) == ("image/webp", False)
    for caller, sha256 in ((NOBODY, changed.picture_sha256), (OLGA, "00" * 32), (OLGA, "")):
        with pytest.raises(UnknownRace):
            league.pictures.of_race(caller, "secret", sha256)
    league.races.change(OLGA, "secret", {"visibility": "public"}, NOW)
    assert league.pictures.of_race(NOBODY, "secret", changed.picture_sha256)[1]
    with pytest.raises(NotAllowed):
        league.pictures.set_of_race(person("rita"), "secret", picture(), NOW)
    assert league.pictures.set_of_race(OLGA, "secret", None, NOW).picture_sha256 == ""


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("", ""),
        ("a *b* **c**\nd", "<p>a <em>b</em> <strong>c</strong><br>\nd</p>"),
        ("# Top\n## Below", "<h2>Top</h2>\n<h3>Below</h3>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("<b onclick=x>&amp;", "<p>&lt;b onclick=x&gt;&amp;</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("![the <b> track](https://x.y/z.png)", "<p>the &lt;b&gt; track</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](data:text/html,a)", "<p>[x](data:text/html,a)</p>"),
        (
            '[x](https://a.b/?c=1&d "t")',
            '<p><a href="https://a.b/?c=1&amp;d" rel="nofollow noopener noreferrer ugc">x</a></p>',
        ),
    ],
)
def test_a_description_is_a_small_part_of_markdown(written: str, html: str) -> None:
    assert html_of(written).strip() == html
