"""Reads a table of numbers from a NumPy `.npy` file that a stranger sent: nothing is unpickled or evaluated.

Called by outline.py. Format: "The NPY format", versions 1 to 3, in NumPy's documentation (numpy.lib.format).
"""

import math
import re
import struct
from dataclasses import dataclass

from shared.errors import BadInput
from shared.text import text

MAX_FILE_BYTES = 4_000_000
MAX_ROWS = 20_000
_MAGIC = b"\x93NUMPY"
_MAX_HEADER_BYTES = 1000
_HEADER = re.compile(
    r"\{'descr': '(?P<order>[<>])f(?P<bytes>[48])', 'fortran_order': (?P<columns_first>True|False), "
    r"'shape': \((?P<rows>[1-9]\d{0,6}), (?P<columns>[1-9]\d{0,2})\),? ?\}\s*"
)

Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Header:
    order: str
    item_bytes: int
    columns_first: bool
    rows: int
    columns: int
    data_at: int


def read_table(name: str, data: bytes) -> list[Row]:
    """The rows of the two-dimensional array of float32 or float64 in `data`; `name` is the file's, for the sentence.

    Raises BadInput for whatever else it is, or if a number is not finite.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadInput(
            text(
                "The track file {name} is larger than {limit} MB: no track needs as much.",
                name=name,
                limit=MAX_FILE_BYTES // 1_000_000,
            )
        )
    header = _header(name, data)
    count = header.rows * header.columns
    if header.rows > MAX_ROWS:
        raise BadInput(
            text(
                "The track file {name} has {rows} rows; at most {limit} are read.",
                name=name,
                rows=header.rows,
                limit=MAX_ROWS,
            )
        )
    if len(data) - header.data_at != count * header.item_bytes:
        raise BadInput(text("The track file {name} is cut short or has bytes too many: export it again.", name=name))
    kind = "f" if header.item_bytes == 4 else "d"
    numbers = struct.unpack_from(f"{header.order}{count}{kind}", data, header.data_at)
    if not all(map(math.isfinite, numbers)):
        raise BadInput(text("The track file {name} holds values that are not finite: export it again.", name=name))
    if header.columns_first:
        return [tuple(numbers[row :: header.rows]) for row in range(header.rows)]
    return [tuple(numbers[at : at + header.columns]) for at in range(0, count, header.columns)]


def _header(name: str, data: bytes) -> _Header:
    if not data.startswith(_MAGIC):
        raise BadInput(text("{name} is not a NumPy file: save the track with numpy.save, as a .npy file.", name=name))
    if len(data) < 12 or data[6] not in (1, 2, 3):
        raise BadInput(
            text("The track file {name} is of a NumPy format that is not known here: export it again.", name=name)
        )
    size_bytes = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + size_bytes], "little")
    starts_at = 8 + size_bytes
    written = data[starts_at : starts_at + min(length, _MAX_HEADER_BYTES)].decode("latin-1")
    match = _HEADER.fullmatch(written) if length <= _MAX_HEADER_BYTES else None
    if match is None:
        raise BadInput(
            text(
                "The track file {name} must hold one table of float32 or float64 numbers with 2 or 6 columns: save it "
                "with numpy.save(file, table.astype(float)).",
                name=name,
            )
        )
    return _Header(
        match["order"],
        int(match["bytes"]),
        match["columns_first"] == "True",
        int(match["rows"]),
        int(match["columns"]),
        starts_at + length,
    )
