"""Proof that cells cover a district exactly once; knows nothing of how a plan was made.

The certificate
---------------
On the millimetre lattice, walk every ring of every cell with the cell on its left: shells
counter-clockwise, holes clockwise. Add +1 or -1 for every directed edge under the key of its two
end points, and subtract the edges of the limit, walked the same way.

*Claim.* If every sum is zero and every polygon is valid, the cells cover the limit exactly once
almost everywhere: no gap, no overlap, nothing outside.

*Why.* The winding number of a valid polygon's oriented boundary is 1 inside it and 0 outside.
Winding numbers add up, and their sum depends only on the sums per edge. If these equal the
limit's, then at almost every place the number of cells there equals 1 inside the limit and 0
outside it.

Coordinates are whole millimetres and no tolerance is involved. Edges are sorted by a mixed number
and then compared by their end points themselves, so that no collision can void the proof.
Validity of each polygon is a premise (a self-crossing ring winds twice somewhere), so it is
checked on the same whole numbers, or on doubles so near to them that no winding can differ.
The test is sufficient, not necessary: a vertex of one cell in the middle of another's edge leaves
edges over though nothing is missing. Such a vertex that lies exactly on the edge splits it before
the sums are taken and is listed as ``unmatched_edge``.

A limit that was not noded together with the cells meets their borders only to within the lattice:
cell vertices whose lattice pixel a limit edge passes split that edge, and the greatest such move,
always under a millimetre, is written into the certificate as ``limit_shift_mm``; the limit's area
there is that of the limit so moved, its digest that of the limit as given. Cells whose doubles
differ from their neighbours' by less than rounding shows are listed as ``unmatched_edge`` of
severity ``rounding``; they leave the cover proven.

Where many slivers of one kind and width class are left (50 along a limit of another origin, 1,000
anywhere), they are one finding with all their geometry, and a note says how many they are. Where
more than 200,000 edges are left, those farthest west are classified and the others listed as one
``unmatched_edge``: the layer is no coverage, and a check must not take for ever to say so.

:func:`geogrid.coverage.recheck.recheck` proves a plan file again and shares no code with this.
"""

from geogrid.coverage._digest import cells_digest
from geogrid.coverage._outlines import NO_SUCH_CELL, Outlines
from geogrid.coverage.plan import verify_levels, verify_plan
from geogrid.coverage.verify import verify_coverage

__all__ = [
    "NO_SUCH_CELL",
    "Outlines",
    "cells_digest",
    "verify_coverage",
    "verify_levels",
    "verify_plan",
]
