"""The public API: every name other tools rely on, and where it lives."""

from .effects.escalc import escalc as escalc
from .pools.bayes import bayes as bayes
from .pools.mantel_haenszel import mantel_haenszel as mantel_haenszel
from .pools.peto import peto as peto
from .pools.pooling import pool as pool
from .pools.priors import HalfCauchy as HalfCauchy
from .pools.priors import HalfNormal as HalfNormal
from .pools.priors import rhodes_prior as rhodes_prior
from .pools.priors import turner_prior as turner_prior
from .pools.result import PooledResult
from .tables.evidence import Evidence as Evidence
from .tables.evidence import load_evidence as load_evidence
from .tables.validation import check_evidence as check_evidence

__version__: str

__all__ = [
    "Evidence",
    "HalfCauchy",
    "HalfNormal",
    "PooledResult",
    "bayes",
    "check_evidence",
    "escalc",
    "load_evidence",
    "mantel_haenszel",
    "peto",
    "pool",
    "rhodes_prior",
    "turner_prior",
]
