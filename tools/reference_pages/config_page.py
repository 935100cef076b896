"""docs/reference/config.md: every key of every config file and of every driver that ships."""

import dataclasses
import importlib
import inspect
import re
import typing
from importlib.metadata import entry_points
from typing import Any

from tools.reference_pages.markdown import comments_of, default_text, first_paragraph, table, type_text

CONFIGS = (
    ("station.toml", "station.config", "StationConfig", "the station, and the sync service in `[sync]`"),
    ("vehicle.toml", "vehicle.config", "VehicleConfig", "the car"),
    ("bridge.toml", "vehicle.bridge.config", "BridgeConfig", "the bridge of a stock car"),
    ("leaderboard.toml", "leaderboard.config", "LeaderboardConfig", "the leaderboard"),
    ("world.toml", "simulator.realtime.world_process", "WorldConfig", "the mock world"),
)
DRIVERS = (
    ("raceday.gates", "`[gate.options]`, by `gate.driver`"),
    ("raceday.cameras", "`[camera.options]`, by `camera.driver`"),
    ("raceday.motors", "`[motors.options]`, by `motors.driver`"),
    ("raceday.batteries", "`[battery.options]`, by `battery.driver`"),
    ("raceday.car_lights", "`[lights.options]`, by `lights.driver`"),
    ("raceday.clocks", "`[clock.options]`, by `clock.driver`"),
    ("raceday.leaderboards", "`[sync.options]`, by `sync.driver`"),
)


def config_page() -> str:
    """The whole page: every key of every config file and of every driver that ships."""
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
    """A driver's table: the options dataclass of its module; of several, the one that the driver uses."""
    module = importlib.import_module(value.partition(":")[0])
    own = {label: kind for label, kind in vars(module).items() if isinstance(kind, type)}
    own = {label: kind for label, kind in own.items() if kind.__module__ == module.__name__}
    kinds = [kind for label, kind in own.items() if label.endswith("Options") and dataclasses.is_dataclass(kind)]
    named = [kind for kind in kinds if f'"{name}"' in (kind.__doc__ or "")] or kinds
    head = f"\n## {group.removeprefix('raceday.')}: `{name}`"
    if len(named) > 1:
        driver = getattr(module, value.partition(":")[2])
        used = inspect.getsource(driver)
        named = [kind for kind in named if re.search(rf"\b{kind.__name__}\b", used)]
    if not named:
        return [head, f"No options ({where})."]
    return [head, f"{where}.\n", *tables_of(named[0], "")]


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
        out += [f"### `{bracket}`", f"{docstring_of(part)}\n", *tables_of(part, f"{path}.")]
    return out


def docstring_of(kind: type[Any]) -> str:
    """A dataclass's docstring, without the table's name in front."""
    return re.sub(r"^`\[+[\w.]+\]+`:?\s*", "", first_paragraph(kind.__doc__)) or "."


def dataclass_in(hint: Any) -> tuple[type[Any] | None, bool]:
    """The dataclass that a field holds (None if it holds none), and whether it holds many."""
    if dataclasses.is_dataclass(hint):
        return typing.cast("type[Any]", hint), False
    for part in typing.get_args(hint):
        if dataclasses.is_dataclass(part):
            return typing.cast("type[Any]", part), typing.get_origin(hint) is tuple
    return None, False


def is_free_table(field: dataclasses.Field[Any]) -> bool:
    """True for a table whose keys belong to the chosen driver."""
    return field.default_factory is dict


def range_text(field: dataclasses.Field[Any], note: str) -> str:
    """A key's purpose (`setting(what=...)`, or the field's trailing comment), range and choices."""
    data = field.metadata
    low, high = data.get("min"), data.get("max")
    span = {
        (True, True): f"{low:g} to {high:g}" if None not in (low, high) else "",
        (True, False): f"at least {low:g}" if low is not None else "",
        (False, True): f"at most {high:g}" if high is not None else "",
    }.get((low is not None, high is not None), "")
    if is_free_table(field):
        return data.get("what") or note or "the driver's own keys, below"
    choices = ", ".join(data.get("choices") or ())
    return "; ".join(filter(None, (data.get("what") or note, span, choices)))
