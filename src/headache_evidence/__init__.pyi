"""The public API: every name other tools rely on, and where it lives."""

from .effects.escalc import escalc as escalc
from .pools.bayes import bayes as bayes
from .pools.pooling import pool as pool
from .pools.priors import HalfCauchy as HalfCauchy
from .pools.priors import HalfNormal as HalfNormal
from .pools.priors import rhodes_prior as rhodes_prior
from .pools.priors import turner_prior as turner_prior
from .pools.result import PooledResult

__version__: str

__all__ = [
    "HalfCauchy",
    "HalfNormal",
    "PooledResult",
    "bayes",
    "escalc",
    "pool",
    "rhodes_prior",
    "turner_prior",
]
