"""docs/reference/commands.md: the help of each command and of each of its verbs."""

import argparse
import contextlib
import importlib
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tools.reference_pages.markdown import table


class _Parsed(Exception):
    """Raised in place of parsing, once the parser of a command is complete."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def commands_page() -> str:
    """The whole page: `--help` of each command and of each of its verbs."""
    commands = importlib.import_module("raceday.__main__").COMMANDS
    parts = ["# Commands", "Exit codes: 0 done; 2 wrong use or wrong settings; others are named with the command.\n"]
    parts.append(table(("command", "what it does"), [(f"`raceday {c.words}`", c.what) for c in commands]))
    for command in commands:
        main = getattr(importlib.import_module(command.module), command.main)
        for title, text in helps(f"raceday {command.words}", main):
            parts.append(f"\n## {title}\n```\n{text.rstrip()}\n```")
    return "\n".join(parts) + "\n"


def helps(title: str, main: Callable[[list[str]], int]) -> Iterator[tuple[str, str]]:
    """Yield (title, text) of a command's help, then of its verbs."""
    parser = parser_of(main, [])
    verbs = getattr(sys.modules[main.__module__], "VERBS", ())
    if parser is not None:
        yield from parser_helps(title, parser)
    else:
        yield title, printed(main, ["--help"])
    for verb in verbs:
        yield from helps(f"{title} {verb.name}", importlib.import_module(verb.module).main)


def parser_of(main: Callable[[list[str]], int], arguments: list[str]) -> argparse.ArgumentParser | None:
    """The argparse parser that a command builds; None if it uses a table of verbs."""
    original = argparse.ArgumentParser.parse_args

    def stop(self: argparse.ArgumentParser, *_: Any, **__: Any) -> Any:
        raise _Parsed(self)

    argparse.ArgumentParser.parse_args = stop  # type: ignore[method-assign]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            main(arguments)
    except _Parsed as parsed:
        return parsed.parser
    except SystemExit:
        return None
    finally:
        argparse.ArgumentParser.parse_args = original  # type: ignore[method-assign]
    return None


def parser_helps(title: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield (title, text) of the help of a parser, then of its sub-parsers."""
    yield title, parser.format_help()
    for action in parser._actions:  # noqa: SLF001  argparse has no public way to its sub-parsers
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for word, below in action.choices.items():
                yield from parser_helps(f"{title} {word}", below)


def printed(main: Callable[[list[str]], int], arguments: list[str]) -> str:
    """What a command prints on stdout and stderr."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
        main(arguments)
    return out.getvalue()
