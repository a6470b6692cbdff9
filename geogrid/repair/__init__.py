"""Mend a coverage where it is broken and nowhere else; no grid is ever lost.

Only suspicious places are worked on: on the millimetre lattice the borders of all cells are
cancelled against each other and against the limit, and what is left over names the cells to look
at. Their borders and the limit there are noded once, each face between them gets one owner, and
the faces of an owner are united again. So the mended cells share every border vertex for vertex.
Every other cell is handed back as it came, bit for bit.

A cell that stands on ground which others cover too (a duplicate, a nested cell) would lose all of
it to any rule. Such a cell is kept as it is and listed for a person to decide; all other cells
are mended as if it were not there.
"""

from geogrid.repair.repair import POLICIES, Repair, repair_coverage

__all__ = ["POLICIES", "Repair", "repair_coverage"]
