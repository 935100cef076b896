"""Reads and writes the nodes of farms."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from leaderboard.store.tables import FARM_NODES

NodeState = Literal["active", "aside", "restored"]  # restored: it drives its canary anew first


@dataclass(frozen=True, slots=True)
class FarmNode:
    """A machine of a farm. `node`: its id here, of its farm's key and its own `name`.

    `evaluations`: how many it has driven; `repeated_at`: the number of the last one that another node repeated.
    `agreed_utc_ns`: what it drove until then is beyond doubt. `reason`: why it is set aside.
    """

    node: str
    farm: str
    name: str
    node_class: str
    canary_sha256: str
    engine: str
    cores: int
    first_utc_ns: int
    seen_utc_ns: int
    state: NodeState = "active"
    reason: str = ""
    evaluations: int = 0
    repeated_at: int = 0
    agreed_utc_ns: int = 0
    cost_ms: int = 0


_ONE = sa.select(FARM_NODES).where(FARM_NODES.c.node == sa.bindparam("node"))


def get(db: sa.Connection, node: str) -> FarmNode | None:
    """The node of this id; None if it never asked for work."""
    row = db.execute(_ONE, {"node": node}).mappings().first()
    return None if row is None else FarmNode(**row)


def store(db: sa.Connection, changed: FarmNode) -> FarmNode:
    """Store it as it is now."""
    values = dataclasses.asdict(changed)
    if db.execute(sa.update(FARM_NODES).where(FARM_NODES.c.node == changed.node).values(values)).rowcount == 0:
        db.execute(sa.insert(FARM_NODES), values)
    return changed


def every(db: sa.Connection, *, farm: str | None = None, since_utc_ns: int = 0) -> list[FarmNode]:
    """All nodes (of a farm) that were heard since then, by name."""
    query = sa.select(FARM_NODES).where(FARM_NODES.c.seen_utc_ns >= since_utc_ns)
    if farm is not None:
        query = query.where(FARM_NODES.c.farm == farm)
    return [FarmNode(**row) for row in db.execute(query.order_by(FARM_NODES.c.name, FARM_NODES.c.node)).mappings()]


def aside(db: sa.Connection, name: str) -> list[FarmNode]:
    """The nodes of this name that are set aside, of whatever farm."""
    query = sa.select(FARM_NODES).where((FARM_NODES.c.name == name) & (FARM_NODES.c.state == "aside"))
    return [FarmNode(**row) for row in db.execute(query).mappings()]


def others_of_class(db: sa.Connection, node: FarmNode, since_utc_ns: int, apart_from: tuple[str, ...] = ()) -> bool:
    """Whether another active node of this class was heard since then, none of `apart_from`."""
    which = (
        (FARM_NODES.c.node_class == node.node_class)
        & (FARM_NODES.c.engine == node.engine)
        & (FARM_NODES.c.state == "active")
        & (FARM_NODES.c.seen_utc_ns >= since_utc_ns)
        & FARM_NODES.c.node.not_in((node.node, *apart_from))
    )
    return db.execute(sa.select(FARM_NODES.c.node).where(which).limit(1)).first() is not None
