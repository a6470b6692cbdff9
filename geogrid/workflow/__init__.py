"""The main job in a few calls.

Names are loaded when they are first used: checking a file must not wait for what draws maps.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
