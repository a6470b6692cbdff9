# The public names; the package loads them lazily from this list.
from .app import create_app as create_app
from .app import serve as serve
