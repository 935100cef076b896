"""The values of a result that a template may name, and how a template is filled. Pure; used by template.py.

A text in a template names values in braces: "{racer} with {score_s} s". A text that is one value alone becomes that
value as JSON has it, a number or true: "{score_ms}". A table {each = "laps", item = ...} becomes a list, with the
values of each lap in `item`. "{{" and "}}" are braces.
"""

import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.errors import ConfigError
from shared.protocol.results import Result
from shared.rules.ranking import RunLap
from shared.units import NS_PER_MS, NS_PER_S, format_ms

JsonScalar = str | int | float | bool | None


def score_ms_of(result: Result) -> int | None:
    """The score; None for a result that was withdrawn, and for a run that did not qualify."""
    return None if _withdrawn(result) or not result.qualified else result.score_ms


def _withdrawn(result: Result) -> bool:
    return result.revision >= 2 and result.score_ms == 0


def values_of(result: Result) -> dict[str, JsonScalar]:
    """What a template may say of a result. One that was withdrawn or did not qualify has no score: null."""
    score_ms = score_ms_of(result)
    times_ms = [lap.lap_ns // NS_PER_MS for lap in result.laps if lap.valid]
    finished = datetime.fromtimestamp(result.finished_utc_ns // NS_PER_S, tz=UTC)
    return {
        "result_id": result.result_id,
        "revision": result.revision,
        "webhook_id": result.webhook_id,
        "race_id": result.race_id,
        "racer": result.racer,
        "run_id": result.run_id,
        "car": result.car,
        "model": result.model,
        "model_sha256": result.model_sha256,
        "kind": result.kind,
        "station": result.evidence.station,
        "withdrawn": _withdrawn(result),
        "discarded": result.discarded,
        "qualified": result.qualified,
        "disqualified": result.disqualified,
        "score_ms": score_ms,
        "score_s": None if score_ms is None else score_ms / 1000,
        "score": "" if score_ms is None else format_ms(score_ms),
        "lap_count": len(result.laps),
        "best_lap_ms": min(times_ms, default=None),
        "best_lap_s": min(times_ms) / 1000 if times_ms else None,
        "total_ms": sum(times_ms),
        "finished_utc_ns": result.finished_utc_ns,
        "finished_utc_s": result.finished_utc_ns // NS_PER_S,
        "finished_at": finished.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def values_of_lap(lap: RunLap) -> dict[str, JsonScalar]:
    """What a template may say of a lap."""
    lap_ms = lap.lap_ns // NS_PER_MS
    return {
        "number": lap.number,
        "lap_ms": lap_ms,
        "lap_s": lap_ms / 1000,
        "lap": format_ms(lap_ms),
        "penalty_ms": lap.penalty_ns // NS_PER_MS,
        "off_tracks": lap.off_tracks,
        "collisions": lap.collisions,
        "resets": lap.resets,
        "valid": lap.valid,
    }


def filled(template: Any, result: Result, more: Mapping[str, JsonScalar] | None = None) -> Any:
    """The template with the result's values, as JSON values. Raises ConfigError for a name that is none of them."""
    return _filled(template, {**values_of(result), **(more or {})}, result)


def _filled(template: Any, values: Mapping[str, JsonScalar], result: Result) -> Any:
    if isinstance(template, str):
        return _text(template, values)
    if isinstance(template, dict) and "each" in template:
        return _laps(template, values, result)
    if isinstance(template, dict):
        return {str(name): _filled(value, values, result) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, values, result) for value in template]
    if isinstance(template, bool | int | float):
        return template
    raise ConfigError(f"[sync.options] a template cannot hold {template!r}: use texts, numbers, tables and lists.")


def _laps(template: dict[str, Any], values: Mapping[str, JsonScalar], result: Result) -> list[Any]:
    if template.keys() != {"each", "item"} or template["each"] != "laps":
        raise ConfigError('[sync.options] a list is written as {each = "laps", item = ...}.')
    return [_filled(template["item"], {**values, **values_of_lap(lap)}, result) for lap in result.laps]


def _text(template: str, values: Mapping[str, JsonScalar]) -> JsonScalar:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"[sync.options] {template!r} is no template: {error}.") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in values or form or conversion):
            known = ", ".join(sorted(values))
            raise ConfigError(f"[sync.options] {template!r} names {name!r}; there are: {known}.")
    if len(parts) == 1 and not parts[0][0] and parts[0][1] is not None:
        return values[parts[0][1]]
    return "".join(literal + ("" if name is None else _word(values[name])) for literal, name, _, _ in parts)


def _word(value: JsonScalar) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
