"""The cheapest one-to-one assignment, by the Hungarian method with potentials in O(n^2 m): exact, for small tables.

Source: H. W. Kuhn, "The Hungarian method for the assignment problem" (1955), in the shortest-path form of Jonker and
Volgenant (1987).
"""

from collections.abc import Sequence

INFINITY = float("inf")


def assign(cost: Sequence[Sequence[float]]) -> tuple[float, list[int]]:
    """The lowest total cost, and the column that each row gets. Needs rows <= columns and finite costs."""
    rows, columns = len(cost), len(cost[0]) if cost else 0
    assert rows <= columns or not rows
    u, v = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner, way = [0] * (columns + 1), [0] * (columns + 1)  # owner[column] = row, both counted from 1; 0: none
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        cheapest, done = [INFINITY] * (columns + 1), [False] * (columns + 1)
        while owner[column]:
            column = _grow(cost, (u, v), owner, way, cheapest, done, column)
        while column:
            owner[column], column = owner[way[column]], way[column]
    given = [0] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            given[owner[column] - 1] = column - 1
    return sum(cost[row][column] for row, column in enumerate(given)), given


def _grow(
    cost: Sequence[Sequence[float]],
    potentials: tuple[list[float], list[float]],
    owner: list[int],
    way: list[int],
    cheapest: list[float],
    done: list[bool],
    column: int,
) -> int:
    """Adds a column to the search tree; gives the column where the search goes on."""
    u, v = potentials
    done[column] = True
    row, delta, best = owner[column], INFINITY, 0
    for other in range(1, len(v)):
        if done[other]:
            continue
        reduced = cost[row - 1][other - 1] - u[row] - v[other]
        if reduced < cheapest[other]:
            cheapest[other], way[other] = reduced, column
        if cheapest[other] < delta:
            delta, best = cheapest[other], other
    for other in range(len(v)):
        if done[other]:
            u[owner[other]] += delta
            v[other] -= delta
        else:
            cheapest[other] -= delta
    return best
