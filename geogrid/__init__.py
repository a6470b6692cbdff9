"""Divide a district into nested grids, prove the cover, and measure who is served (网格化治理).

The public names are loaded when they are first used, so that the command line answers at once::

    extract = geogrid.read_osm("town.osm.pbf")
    atoms = geogrid.build_atoms(limit, geogrid.barriers_of(extract), min_area_m2=200)
    plan = geogrid.divide(limit, atoms, "huayang")
    geogrid.verify_plan(plan).raise_for_defects()
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
