"""Which counts of groups follow from the counts of the cells that they make up."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

__all__ = ["settled"]


def settled(groups: Mapping[int, Sequence[Hashable]]) -> set[int]:
    """Return the groups that the counts of their cells settle, one after the other.

    Where all other groups of a cell are known, the last one is too, and so on. What only follows
    from several cells together is not found.

    Parameters
    ----------
    groups
        For each group that is not known yet the cells that it is part of and whose counts are
        known.
    """
    members: defaultdict[Hashable, set[int]] = defaultdict(set)
    for group, cells in groups.items():
        for cell in cells:
            members[cell].add(group)
    left = Counter({cell: len(those) for cell, those in members.items()})
    ready = [cell for cell, count in left.items() if count == 1]
    found: set[int] = set()
    while ready:
        rest = members[ready.pop()] - found
        for group in rest:
            found.add(group)
            for cell in groups[group]:
                left[cell] -= 1
                if left[cell] == 1:
                    ready.append(cell)
    return found
