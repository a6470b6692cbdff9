"""What changed between two sets of cells, several sets made one, one set fitted to another.

All three stand on one overlay: borders are noded together once, and every answer is a table over
the faces between them, so areas add up and each household is counted once.
"""

from geogrid.compare.align import Alignment, align
from geogrid.compare.compare import Comparison, compare
from geogrid.compare.unify import Unification, unify

__all__ = ["Alignment", "Comparison", "Unification", "align", "compare", "unify"]
