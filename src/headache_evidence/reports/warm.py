"""Imported once by the fork server, so that every worker and kernel forked from it starts with these in memory.

Nothing here starts a thread, opens a socket or draws a figure: a fork of this process must be like a fresh one.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

MODULES = (
    "pandas",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "scipy.stats",
    "scipy.optimize",
    "pymare",
    "pymare.estimators",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "zmq.eventloop.zmqstream",
    "tornado.platform.asyncio",
    "sqlite3",
    "psutil",
    "faulthandler",
    "matplotlib_inline.config",
    "papermill",
    "nbconvert.exporters.html",
    "headache_evidence.reports.building",
)

for _module in MODULES:
    with contextlib.suppress(ImportError):
        importlib.import_module(_module)

# It hooks into the kernel's shell when it is imported, so each kernel has to import it anew.
sys.modules.pop("matplotlib_inline.backend_inline", None)
