"""Maps for people: one HTML file that opens with the network unplugged.

Only ``page`` needs folium, and only ``write_map`` needs ``page``: it is loaded on first use, so
the command line and the web service start without it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
