"""Host names in one form, whether a browser sent them or a person wrote them in a config. Pure."""

import re
import unicodedata

from shared.addresses import address_of
from shared.errors import ConfigError

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
MAX_LENGTH = 253


def host_name(written: str) -> str:
    """The name in lower case, without a trailing dot, and other scripts as DNS has them (RFC 5891: "xn--...").

    Raises ValueError for what is not a name: with a scheme, a port, a space or an asterisk, say.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", written.strip()).lower())
    labels = [_label(label) for label in folded.replace("\u3002", ".").rstrip(".").split(".")]  # the CJK full stop
    name = ".".join(labels)
    if len(name) > MAX_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{written!r} is not a host name")
    return name


def host_names(written: tuple[str, ...], key: str) -> frozenset[str]:
    """The names of a setting, in this form; an address is left out, as it is always allowed.

    Raises ConfigError, which names `key`.
    """
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
