"""A living evidence synthesis of hydrodissection and nerve blocks for headache.

The public names are listed, with their modules, in ``__init__.pyi``; each module is loaded on first use, so that
the command line starts fast.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
