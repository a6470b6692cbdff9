"""Geometry kernel on arrays: metric frames, datums, the millimetre lattice, noding, edges."""
