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

Coordinates are whole millimetres, keys are sorted and never hashed, and no tolerance is involved.
Validity of each polygon is a premise (a self-crossing ring winds twice somewhere), so it is
checked on the same whole numbers. The test is sufficient, not necessary: a vertex of one cell in
the middle of another's edge leaves edges over though nothing is missing. Such a vertex that lies
exactly on the edge splits it before the sums are taken and is listed as ``unmatched_edge``.

A limit that was not noded together with the cells meets their borders only to within the lattice:
cell vertices whose lattice pixel a limit edge passes split that edge, and the greatest such move,
always under a millimetre, is written into the certificate as ``limit_shift_mm``.
"""

from geogrid.coverage.plan import verify_levels, verify_plan
from geogrid.coverage.verify import verify_coverage

__all__ = ["verify_coverage", "verify_levels", "verify_plan"]
