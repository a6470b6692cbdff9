"""Divide a district into nested grids, prove the cover, and measure who is served (网格化治理)."""
