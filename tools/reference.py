"""Writes the pages of docs/reference/ that follow from the code: config keys, MQTT, commands, HTTP, decoder protocols.

    python tools/reference.py            writes them
    python tools/reference.py --check    exit code 1 if a page is not what the code says (a test asks the same)

Nothing is described twice: a key has its `setting(what=...)`, a message its docstring, a command its `--help`.
"""

import argparse
import ast
import contextlib
import dataclasses
import importlib
import inspect
import io
import os
import pathlib
import re
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Written by tools/reference.py from the code; change it there. -->"
CONFIGS = (
    ("station.toml", "station.config", "StationConfig", "the station, and the sync service in `[sync]`"),
    ("vehicle.toml", "vehicle.config", "VehicleConfig", "the car"),
    ("leaderboard.toml", "leaderboard.config", "LeaderboardConfig", "the leaderboard"),
    ("world.toml", "simulator.realtime.world_process", "WorldConfig", "the mock world"),
)
DRIVERS = (
    ("raceday.gates", "`[gate.options]`, by `gate.driver`"),
    ("raceday.cameras", "`[camera.options]`, by `camera.driver`"),
    ("raceday.motors", "`[motors.options]`, by `motors.driver`"),
    ("raceday.clocks", "`[clock.options]`, by `clock.driver`"),
    ("raceday.leaderboards", "`[sync.options]`, by `sync.driver`"),
)
HTTP = (
    ("Station", ("station/web",), "Port 8080 by default. Commands come from addresses in `web.operators` only."),
    ("Car's console", ("vehicle/web",), "A phone claims the car with the code that the car shows at its first boot."),
    ("Leaderboard", ("leaderboard/api", "leaderboard/pages"), "The whole contract: `raceday leaderboard openapi`."),
)
WIDTH = 110  # of the help texts


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.cleandoc(text or "").split("\n\n") or [""])[0].split())


def cell(text: object) -> str:
    """Text that a table's cell can hold."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(cell(c) for c in row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


# --- configuration -------------------------------------------------------------------------------------------------


def config_page() -> str:
    """Every key of every config file and of every driver that ships."""
    parts = [
        "# Configuration keys",
        "Each machine reads one TOML file; `config/` holds one of each to start from.",
        "An unknown key, a wrong type or a value out of range is refused at start with one sentence.",
        "A path that is not absolute is relative to the file's own folder.",
    ]
    for name, module, kind, what in CONFIGS:
        parts += [f"\n## {name}", f"For {what}.\n", *tables_of(getattr(importlib.import_module(module), kind), "")]
    parts.append("\n# Options of the drivers")
    for group, where in DRIVERS:
        for driver in sorted(entry_points(group=group), key=lambda point: point.name):
            parts += driver_tables(group, driver.name, driver.value, where)
    return "\n".join(parts) + "\n"


def driver_tables(group: str, name: str, value: str, where: str) -> list[str]:
    """A driver's own table: the dataclass of options in its module, by the driver's name where there are several."""
    module = importlib.import_module(value.partition(":")[0])
    own = {label: kind for label, kind in vars(module).items() if getattr(kind, "__module__", "") == module.__name__}
    kinds = [kind for label, kind in own.items() if label.endswith("Options") and dataclasses.is_dataclass(kind)]
    named = [kind for kind in kinds if f'"{name}"' in (kind.__doc__ or "")] or kinds
    head = f"\n## {group.removeprefix('raceday.')}: `{name}`"
    if len(named) > 1:
        driver = getattr(module, value.partition(":")[2])
        used = inspect.getsource(driver)
        named = [kind for kind in named if re.search(rf"\b{kind.__name__}\b", used)]
    if not named:
        return [head, f"No options ({where})."]
    return [head, f"{where}.\n", *tables_of(typing.cast("type[Any]", named[0]), "")]


def tables_of(kind: type[Any], prefix: str) -> list[str]:
    """One table for a dataclass, then one for each table inside it."""
    rows: list[tuple[object, ...]] = []
    inner: list[tuple[str, type[Any], bool]] = []
    hints, notes = typing.get_type_hints(kind), comments_of(kind)
    for field in dataclasses.fields(kind):
        part, many = dataclass_in(hints[field.name])
        if part is not None and not field.metadata.get("what"):
            inner.append((f"{prefix}{field.name}", part, many))
        else:
            rows.append(
                (
                    f"`{field.name}`",
                    type_text(hints[field.name]),
                    default_text(field),
                    range_text(field, notes.get(field.name, "")),
                )
            )
    out = [table(("key", "type", "default", "what"), rows)] if rows else []
    for path, part, many in inner:
        bracket = f"[[{path}]]" if many else f"[{path}]"
        out += [f"### `{bracket}`", f"{said_of(part)}\n", *tables_of(part, f"{path}.")]
    return out


def said_of(kind: type[Any]) -> str:
    """A table's docstring without its own name in front."""
    return re.sub(r"^`\[+[\w.]+\]+`:?\s*", "", first_paragraph(kind.__doc__)) or "."


def dataclass_in(hint: Any) -> tuple[type[Any] | None, bool]:
    """The dataclass that a field holds, and whether it holds many of them."""
    if dataclasses.is_dataclass(hint):
        return typing.cast("type[Any]", hint), False
    for part in typing.get_args(hint):
        if dataclasses.is_dataclass(part):
            return typing.cast("type[Any]", part), typing.get_origin(hint) is tuple
    return None, False


def type_text(hint: Any) -> str:
    """A type as a reader of TOML thinks of it."""
    plain = {int: "integer", float: "number", str: "text", bool: "true or false", pathlib.Path: "path", type(None): ""}
    if hint in plain:
        return plain[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(f'`"{value}"`' for value in args)
    if origin in (typing.Union, types.UnionType):
        return ", or ".join(filter(None, (type_text(part) for part in args)))
    if origin is tuple:
        return f"list of {type_text(args[0])}"
    if origin is dict or hint is dict:
        return "table"
    return "table" if dataclasses.is_dataclass(hint) else str(getattr(hint, "__name__", hint))


def default_text(field: dataclasses.Field[Any]) -> str:
    """A default as it would be written in TOML."""
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else ""
    value = field.default
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str | pathlib.Path):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{v}"' if isinstance(v, str) else str(v) for v in value) + "]`"
    return f"`{value}`"


def type_text_is_free(field: dataclasses.Field[Any]) -> bool:
    """A table whose keys belong to the driver that was chosen."""
    return field.default_factory is dict


def range_text(field: dataclasses.Field[Any], note: str) -> str:
    """What a key is for (`setting(what=...)`, or the comment behind the field), and what it may be."""
    data = field.metadata
    low, high = data.get("min", data.get("least")), data.get("max", data.get("most"))
    span = {
        (True, True): f"{low:g} to {high:g}" if None not in (low, high) else "",
        (True, False): f"at least {low:g}" if low is not None else "",
        (False, True): f"at most {high:g}" if high is not None else "",
    }.get((low is not None, high is not None), "")
    if type_text_is_free(field):
        return data.get("what") or note or "the driver's own keys, below"
    choices = ", ".join(data.get("choices") or ())
    return "; ".join(filter(None, (data.get("what") or note, span, choices)))


# --- MQTT ----------------------------------------------------------------------------------------------------------


def mqtt_page() -> str:
    """The table of topics, and each message with its fields."""
    topics = importlib.import_module("shared.protocol.topics").TOPICS
    rows: list[tuple[object, ...]] = [
        (f"`{t.pattern}`", f"[{t.kind}](#{t.kind.lower()})", t.speaker, t.qos, "yes" if t.retained else "no")
        for t in topics
    ]
    parts = [
        "# MQTT topics and messages",
        "MQTT 5, or 3.1.1 where a broker knows no other. A payload is strict JSON:",
        "`{v, kind, device, boot, seq, body}`; what does not fit its type and range is refused and counted.",
        "`{device}` is the name of the car or station: 1 to 64 of `a-z`, `0-9`, `-` and `_`.\n",
        table(("topic", "message", "published by", "QoS", "retained"), rows),
    ]
    for topic in topics:
        parts += [f"## {topic.kind}", f"{first_paragraph(topic.body.__doc__)}\n", message_table(topic.body)]
    return "\n".join(parts) + "\n"


def message_table(body: type[Any]) -> str:
    """The fields of one message."""
    notes = comments_of(body)
    hints = typing.get_type_hints(body)
    rows: list[tuple[object, ...]] = [
        (f"`{f.name}`", wire_type(hints[f.name]), default_text(f), notes.get(f.name, ""))
        for f in dataclasses.fields(body)
    ]
    return table(("field", "type", "default", "note"), rows)


def wire_type(hint: Any) -> str:
    """A field's type as it stands in JSON."""
    if typing.get_origin(hint) is typing.Annotated:
        return wire_type(typing.get_args(hint)[0])
    return "object" if dataclasses.is_dataclass(hint) else type_text(hint)


def comments_of(kind: type[Any]) -> dict[str, str]:
    """The comment behind each field of a dataclass in its source."""
    found = {}
    for line in inspect.getsource(kind).splitlines():
        if match := re.match(r"\s+(\w+): .*?#\s*(.*)$", line):
            found[match[1]] = match[2]
    return found


# --- commands ------------------------------------------------------------------------------------------------------


class _Parsed(Exception):
    """Raised in place of parsing: the parser of a command is complete here."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def commands_page() -> str:
    """`--help` of each command and of each of its verbs."""
    commands = importlib.import_module("raceday.__main__").COMMANDS
    parts = ["# Commands", "Exit codes: 0 done; 2 wrong use or wrong settings; others are named with the command.\n"]
    parts.append(table(("command", "what it does"), [(f"`raceday {c.words}`", c.what) for c in commands]))
    for command in commands:
        main = getattr(importlib.import_module(command.module), command.main)
        for title, text in helps(f"raceday {command.words}", main):
            parts.append(f"\n## {title}\n```\n{text.rstrip()}\n```")
    return "\n".join(parts) + "\n"


def helps(title: str, main: Callable[[list[str]], int]) -> Iterator[tuple[str, str]]:
    """A command's help, then that of its verbs."""
    parser = parser_of(main, [])
    if parser is not None:
        yield from parser_helps(title, parser)
        return
    verbs = getattr(sys.modules[main.__module__], "VERBS", ())
    yield title, printed(main, ["--help"])
    for verb in verbs:
        yield from helps(f"{title} {verb.name}", importlib.import_module(verb.module).main)


def parser_of(main: Callable[[list[str]], int], arguments: list[str]) -> argparse.ArgumentParser | None:
    """The argparse parser that a command builds; None if it has a table of its own."""
    original = argparse.ArgumentParser.parse_args

    def stop(self: argparse.ArgumentParser, *_: Any, **__: Any) -> Any:
        raise _Parsed(self)

    argparse.ArgumentParser.parse_args = stop  # type: ignore[method-assign,assignment]
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
    """The help of a parser and of its sub-parsers."""
    yield title, parser.format_help()
    for action in parser._actions:  # noqa: SLF001  argparse has no public way to its sub-parsers
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for word, below in action.choices.items():
                yield from parser_helps(f"{title} {word}", below)


def printed(main: Callable[[list[str]], int], arguments: list[str]) -> str:
    """What a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
        main(arguments)
    return out.getvalue()


# --- HTTP ----------------------------------------------------------------------------------------------------------


def http_page() -> str:
    """Every address that a machine's web server answers, read from the routes in its source."""
    parts = ["# HTTP addresses"]
    for title, folders, note in HTTP:
        rows: list[tuple[object, ...]] = []
        for folder in folders:
            for path in sorted((ROOT / folder).rglob("*.py")):
                rows += routes_of(path)
        rows.sort(key=lambda row: (str(row[1]), str(row[0])))
        parts += [f"\n## {title}", f"{note}\n", table(("method", "address", "what"), rows)]
    return "\n".join(parts) + "\n"


def routes_of(path: pathlib.Path) -> Iterator[tuple[object, ...]]:
    """(method, address, what) of each decorated route in a file."""
    tree = ast.parse(path.read_text())
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    prefix = next(
        (
            str(word.value.value)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "APIRouter"
            for word in call.keywords
            if word.arg == "prefix" and isinstance(word.value, ast.Constant)
        ),
        "",
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if route := route_in(decorator, module):
                    method, address, summary = route
                    yield f"`{method}`", f"`{prefix}{address}`", first_paragraph(ast.get_docstring(node)) or summary


def route_in(decorator: ast.expr, module: str) -> tuple[str, str, str] | None:
    """Method, address and summary of `@router.get("/path", summary="...")`; the address may be a constant's name."""
    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.args):
        return None
    method, first = decorator.func.attr, decorator.args[0]
    address: object = first.value if isinstance(first, ast.Constant) else None
    if isinstance(first, ast.Name):
        address = getattr(importlib.import_module(module), first.id, None)
    if method not in ("get", "post", "put", "delete", "patch") or not isinstance(address, str):
        return None
    words = {k.arg: k.value.value for k in decorator.keywords if isinstance(k.value, ast.Constant)}
    return method.upper(), address or "/", str(words.get("summary", ""))


# --- decoder protocols ---------------------------------------------------------------------------------------------


def decoders_page() -> str:
    """The protocols that ship, each with its module's own text, which names its source."""
    parts = [
        "# Decoder protocols",
        '`driver = "decoder"` of a gate, with `protocol` in `[gate.options]`.',
        "`raceday gate probe` says which one a port speaks.",
        "None of these devices was at hand: each reader is held against public captures, and against an encoder",
        "written from the protocol's description alone.\n",
    ]
    for point in sorted(entry_points(group="raceday.decoders"), key=lambda p: p.name):
        module = importlib.import_module(point.value.partition(":")[0])
        text = inspect.cleandoc(module.__doc__ or "")
        parts += [f"## {point.name}", *(textwrap.fill(p, WIDTH) + "\n" for p in text.split("\n\n"))]
    return "\n".join(parts).rstrip() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "config.md": config_page,
    "mqtt.md": mqtt_page,
    "commands.md": commands_page,
    "http.md": http_page,
    "decoders.md": decoders_page,
}


def rendered(name: str) -> str:
    """A page as the code has it now. Help texts depend on the terminal's width, so it is fixed."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(WIDTH)
    try:
        title, _, rest = PAGES[name]().partition("\n")
        return f"{title}\n{MADE}\n\n{rest}"
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes docs/reference/ from the code.")
    parser.add_argument("--check", action="store_true", help="only say which pages are not current")
    check = parser.parse_args().check
    stale = [name for name in PAGES if not (FOLDER / name).exists() or (FOLDER / name).read_text() != rendered(name)]
    for name in stale:
        if check:
            print(f"docs/reference/{name} is not what the code says: run python tools/reference.py")
        else:
            (FOLDER / name).write_text(rendered(name))
            print(f"wrote docs/reference/{name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
