"""The conditions of a virtual race: what they are (records.py), and how they are read from outside (checks.py)."""

from shared.conditions.checks import MAX_CONDITIONS_BYTES, check_conditions, check_world, conditions_from
from shared.conditions.records import (
    CONDITIONS_VERSION,
    ENGINE,
    PPM,
    Aggregate,
    BotSet,
    BoxPlace,
    BoxSet,
    CarProfile,
    Conditions,
    DrivenDirection,
    DrivenRules,
    DrivenType,
)

__all__ = [
    "CONDITIONS_VERSION",
    "ENGINE",
    "MAX_CONDITIONS_BYTES",
    "PPM",
    "Aggregate",
    "BotSet",
    "BoxPlace",
    "BoxSet",
    "CarProfile",
    "Conditions",
    "DrivenDirection",
    "DrivenRules",
    "DrivenType",
    "check_conditions",
    "check_world",
    "conditions_from",
]
