"""What an edit, or a step back or forth, is told to have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geogrid.edit.change import band_state

if TYPE_CHECKING:
    from geogrid.api.desk import Desk
    from geogrid.edit import Change
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["counted", "moved_households", "told_of"]


def told_of(change: Change) -> dict[str, Any]:
    """Return what an edit changed, as the service answers it."""
    return {
        "cells": [
            {
                "level": level.level, "code": cell.code, "before": cell.before,
                "after": cell.after, "band": cell.band_after or None,
            }
            for level in change.levels
            for cell in level.cells
        ],
        "retired": _pairs({level.level: level.retired for level in change.levels}),
        "created": _pairs({level.level: level.new for level in change.levels}),
        # Who changes a coarse cell changes a fine one; lists may be numbered anew alone.
        "households_moved": max((level.households_moved for level in change.levels), default=0),
        "notes": list(change.notes),
    }  # fmt: skip


def counted(desk: Desk, before: str, after: str, change: Change) -> dict[str, Any]:
    """Tell what a step back or forth changed, from the two versions."""
    was, now = desk.store.read(before), desk.store.read(after)
    levels = desk.store.diff(before, after).levels
    cells = []
    for key in levels:
        counts = [_households(plan, key) for plan in (was, now)]
        cells += [
            {
                "level": key, "code": code, "before": counts[0].get(code),
                "after": counts[1].get(code), "band": _band(now, key, code, counts[1].get(code)),
            }
            for code in levels[key].codes
        ]  # fmt: skip
    retired = {key: one.removed for key, one in levels.items()}
    created = {key: one.added for key, one in levels.items()}
    for key in change.touched.keys() & now.rosters.keys() - levels.keys():
        codes = tuple(sorted(change.touched[key]))
        counts = [_listed_households(plan, key, codes) for plan in (was, now)]
        # Lists that followed their cells are not told one by one.
        cells += [] if levels else _list_cells(now.scheme.level(key), codes, counts)
        retired[key] = tuple(code for code in codes if code not in counts[1])
        created[key] = tuple(code for code in codes if code not in counts[0])
    return {
        "cells": cells,
        "retired": _pairs(retired),
        "created": _pairs(created),
        "households_moved": moved_households(was, now),
        "notes": [],
    }


def _list_cells(
    level: Level, codes: tuple[str, ...], counts: list[dict[str, int]]
) -> list[dict[str, Any]]:
    return [
        {
            "level": level.key, "code": code, "before": counts[0].get(code),
            "after": counts[1].get(code),
            "band": band_state(counts[1].get(code), level.band, is_judged=True) or None,
        }
        for code in codes
    ]  # fmt: skip


def _band(plan: GridPlan, key: str, code: str, households: int | None) -> str | None:
    level = plan.scheme.level(key)
    if households is None:
        return None
    kind = str(plan.cell_table.loc[code, "kind"])
    is_judged = kind not in level.unbalanced_kinds and level.counted_in(kind) == "households"
    return band_state(households, level.band, is_judged=is_judged) or None


def moved_households(was: GridPlan, now: GridPlan, key: str = "") -> int:
    """Return the households of atoms that are in another cell of a level, the finest if none."""
    level = key or now.scheme.area_levels[-1].key
    both = was.labels[level].rename("was").to_frame().join(now.labels[level].rename("now"))
    homes = was.atoms.frame.set_index("atom_id")["households"]
    return int(homes[both["was"] != both["now"]].sum())


def _listed_households(plan: GridPlan, key: str, codes: tuple[str, ...]) -> dict[str, int]:
    members = plan.rosters[key]
    held = members[members["code"].isin(codes)].groupby("code")["households"].sum()
    return {str(code): int(count) for code, count in held.items()}


def _households(plan: GridPlan, key: str) -> dict[str, int]:
    table = plan.cells(key)
    return dict(zip(table["code"], table["households"].tolist(), strict=True))


def _pairs(codes: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    return [{"level": level, "code": code} for level, found in codes.items() for code in found]
