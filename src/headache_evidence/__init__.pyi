"""The public API: every name other tools rely on, and where it lives."""

from .effects.escalc import escalc as escalc
from .pools.result import PooledResult

__version__: str

__all__ = ["PooledResult", "escalc"]
