"""The walking network and what can be reached on it.

Names are loaded when they are first used: who serves plans needs no compiled loops.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
