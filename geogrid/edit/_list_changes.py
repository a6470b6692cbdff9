"""Which lists of households differ between two versions of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geogrid.model.plan import GridPlan

__all__ = ["changed_lists"]

_FACTS = ("name", "kind", "parent", "head")


def changed_lists(before: GridPlan, after: GridPlan) -> dict[str, frozenset[str]]:
    """Return, by level, the lists of households that two versions do not have in common.

    Lists with other members, with another name, kind, parent or head, and those that only one of
    them has. Levels at which nothing differs are left out.
    """
    found: dict[str, set[str]] = {key: set() for key in after.rosters}
    for key, now in after.rosters.items():
        was = before.rosters.get(key)
        if was is None or was is now or len(was) != len(now):
            continue
        one, two = (table["code"].to_numpy(object) for table in (was, now))
        changed = one != two
        found[key] |= {*one[changed].tolist(), *two[changed].tolist()}
    old, new = before.cell_table, after.cell_table
    codes = set(old.index.symmetric_difference(new.index))
    both = old.index.intersection(new.index)
    facts = [table.loc[both, list(_FACTS)].to_numpy(object) for table in (old, new)]
    codes |= set(both[(facts[0] != facts[1]).any(axis=1)])
    for code in codes:
        level = str((new if code in new.index else old)["level"][code])
        if level in found:
            found[level].add(str(code))
    return {key: frozenset(one) for key, one in found.items() if one}
