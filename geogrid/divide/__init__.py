"""Balanced, contiguous, nested division of atoms.

Names are loaded when they are first used: who edits or serves plans needs no compiled loops.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
