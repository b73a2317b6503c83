"""The public API: every name other tools rely on, and where it lives."""

from .effects.escalc import escalc as escalc
from .figures.evidence_figure import alt_text as alt_text
from .figures.forest import forest_plot as forest_plot
from .figures.saving import save_figure as save_figure
from .pools.bayes import bayes as bayes
from .pools.gosh import gosh as gosh
from .pools.influence import baujat as baujat
from .pools.influence import influence as influence
from .pools.leave_one_out import cumulative as cumulative
from .pools.leave_one_out import leave_one_out as leave_one_out
from .pools.mantel_haenszel import mantel_haenszel as mantel_haenszel
from .pools.permutation import permutation_test as permutation_test
from .pools.peto import peto as peto
from .pools.pool_columns import pool_columns as pool_columns
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
    "alt_text",
    "baujat",
    "bayes",
    "check_evidence",
    "cumulative",
    "escalc",
    "forest_plot",
    "gosh",
    "influence",
    "leave_one_out",
    "load_evidence",
    "mantel_haenszel",
    "permutation_test",
    "peto",
    "pool",
    "pool_columns",
    "rhodes_prior",
    "save_figure",
    "turner_prior",
]
