"""Jinja environments for the pages of all machines: escaped, strict, translated, each template compiled once a process.

Jinja compiles a template anew for each environment, and a process that builds several applications (the tests, a
simulated race day) has as many environments.
"""

import threading
from typing import Any

from jinja2 import BaseLoader, BytecodeCache, Environment, StrictUndefined
from jinja2.bccache import Bucket

from shared.web.language import translating


class _CompiledTemplates(BytecodeCache):
    """Keeps what was compiled; Jinja checks that it is of the source as that is now."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def load_bytecode(self, bucket: Bucket) -> None:
        with self._lock:
            code = self._code.get(bucket.key)
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with self._lock:
            self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _CompiledTemplates()


def page_environment(loader: BaseLoader, **options: Any) -> Environment:
    """An environment for the pages of one machine."""
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, bytecode_cache=_COMPILED, **options
    )
    translating(environment)
    return environment
