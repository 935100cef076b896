"""Names under which machines are asked for, in one form: as browsers send them, and as people write them. Pure."""

import re
import unicodedata

from shared.addresses import address_of
from shared.errors import ConfigError

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
MAX_LENGTH = 253


def host_name(written: str) -> str:
    """In small letters, without the root's dot, and other scripts as the wire has them (RFC 5891: "xn--...").

    Raises ValueError where it is no name: with a scheme, a port, a blank or an asterisk, say.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", written.strip()).lower())
    labels = [_label(label) for label in folded.replace("\u3002", ".").rstrip(".").split(".")]  # the CJK full stop
    name = ".".join(labels)
    if len(name) > MAX_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{written!r} is no name of a machine")
    return name


def host_names(written: tuple[str, ...], key: str) -> frozenset[str]:
    """Those of a setting; an address needs no place there and does no harm. Raises ConfigError, which names `key`."""
    names = set()
    for each in written:
        if address_of(each.strip().strip("[]")) is not None:
            continue
        try:
            names.add(host_name(each))
        except ValueError:
            raise ConfigError(
                f'`{key}` holds {each!r}; write a name alone ("timing.example"), without scheme, port, path or "*".'
            ) from None
    return frozenset(names)


def _label(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
