"""What nobody may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geogrid.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.edit.change import Change

__all__ = ["Locks"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Locks:
    """Levels and cells that stay as they are, in edits, undo and redo.

    Attributes
    ----------
    levels
        Keys of levels: their cells keep border, households, code, name, kind and parent; finer
        cells inside may change.
    cells
        Pairs of the key of a level and a code: the cell stays with everything in it, to the atom.
    """

    levels: frozenset[str] = frozenset()
    cells: frozenset[tuple[str, str]] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", frozenset(self.levels))
        object.__setattr__(self, "cells", frozenset((level, code) for level, code in self.cells))

    def refused(self, change: Change) -> tuple[tuple[str, str], ...]:
        """Return the locked cells that a change touches, sorted."""
        held = {(level, code) for level in self.levels for code in change.touched.get(level, ())}
        held |= {one for one in self.cells if one[1] in change.reached.get(one[0], ())}
        held |= {one for one in self.cells if one[1] in change.touched.get(one[0], ())}
        return tuple(sorted(held))

    def require(self, change: Change) -> None:
        """Refuse a change that touches a locked cell.

        Raises
        ------
        EditError
            It names the cells.
        """
        held = self.refused(change)
        if held:
            named = ", ".join(f"{code} ({level})" for level, code in held[:_SHOWN])
            zh = "、".join(code for _, code in held[:_SHOWN])
            msg = (
                f"this would change locked cells: {named}: unlock them or leave them out "
                f"({zh}已锁定：请先解锁，或避开它们)"
            )
            raise EditError(msg, held)

    def to_dict(self) -> dict[str, Any]:
        """Return the locks as plain JSON values."""
        return {"levels": sorted(self.levels), "cells": [list(one) for one in sorted(self.cells)]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Locks:
        """Read back what :meth:`to_dict` gave."""
        cells = frozenset((str(level), str(code)) for level, code in values.get("cells", ()))
        return cls(levels=frozenset(values.get("levels", ())), cells=cells)
