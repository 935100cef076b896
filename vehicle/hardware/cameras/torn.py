"""Recognises a decoded JPEG of which a part is missing, since the decoder does not report it.

Where data are missing the decoder fills in: mid-grey to the end, or to the next restart marker, or the same block again
and again. A sensor produces no such rows: even in the dark each block of a real picture has its own noise, unless it is
black or overexposed.
"""

from typing import Final

from vehicle.hardware.frame import Pixels

_ROW_PX: Final = 8  # of the camera: the smallest height of a row of blocks
_BLOCK_PX: Final = 32  # the greatest width of what is coded together; 8 and 16 go into it
_FILLED: Final = 128  # what a decoder fills in where data are missing
_BLACK, _BURNT_OUT = 24, 230  # limited range as well: 16 to 235


def is_torn(pixels: Pixels, side_px: int = 1) -> bool:
    """Whether a decoded grey picture, uint8 (height, width), has rows of blocks without data.

    `side_px` is the side of one of its pixels in pixels of the camera. One pixel row in eight is examined. Two rows of
    the decoder's own grey are enough; for another grey or a pattern the whole lowest quarter must repeat, since a very
    even floor, little noise and a low quality may leave a few such rows. An entirely uniform picture is not torn.
    """
    step, apart = _ROW_PX // side_px, _BLOCK_PX // side_px
    rows = pixels[(len(pixels) - 1) % step :: step]
    repeats = (rows[:, apart:] == rows[:, :-apart]).all(axis=1)
    if not repeats.any() or repeats.all():
        return False
    filled = repeats & (rows == _FILLED).all(axis=1)
    lowest = rows[-len(rows) // 4 :]
    is_tail = repeats[-len(rows) // 4 :].all() and lowest.max() > _BLACK and lowest.min() < _BURNT_OUT
    return bool(is_tail or (filled[1:] & filled[:-1]).any())
