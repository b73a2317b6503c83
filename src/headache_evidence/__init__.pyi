"""The public API: every name other tools rely on, and where it lives."""

from .conclusions.claims import audit_claims as audit_claims
from .conclusions.findings_table import findings_table as findings_table
from .conclusions.findings_table import write_findings as write_findings
from .conclusions.grading import certainty as certainty
from .conclusions.harms import harm_reports as harm_reports
from .conclusions.summary_of_findings import summary_of_findings as summary_of_findings
from .effects.escalc import escalc as escalc
from .effects.extract import extract_effects as extract_effects
from .explore.explorer_app import open_explorer as open_explorer
from .figures.curves import drapery_plot as drapery_plot
from .figures.curves import posterior_plot as posterior_plot
from .figures.evidence_figure import alt_text as alt_text
from .figures.evidence_maps import evidence_gap_plot as evidence_gap_plot
from .figures.evidence_maps import reporting_map_plot as reporting_map_plot
from .figures.forest import forest_plot as forest_plot
from .figures.forest_layout import FOREST_LAYOUTS as FOREST_LAYOUTS
from .figures.forest_layout import ForestLayout as ForestLayout
from .figures.forest_variants import cumulative_plot as cumulative_plot
from .figures.forest_variants import estimates_plot as estimates_plot
from .figures.forest_variants import leave_one_out_plot as leave_one_out_plot
from .figures.funnel import funnel_plot as funnel_plot
from .figures.gosh_cloud import gosh_plot as gosh_plot
from .figures.harms import harms_plot as harms_plot
from .figures.network import network_plot as network_plot
from .figures.over_time import bubble_plot as bubble_plot
from .figures.over_time import timeline_plot as timeline_plot
from .figures.over_time import trajectory_plot as trajectory_plot
from .figures.prisma_diagram import prisma_plot as prisma_plot
from .figures.risk_of_bias_figures import risk_of_bias_plot as risk_of_bias_plot
from .figures.risk_of_bias_figures import risk_of_bias_summary_plot as risk_of_bias_summary_plot
from .figures.saving import save_figure as save_figure
from .figures.specification_curve import specification_curve_plot as specification_curve_plot
from .figures.study_scatter import baujat_plot as baujat_plot
from .figures.study_scatter import labbe_plot as labbe_plot
from .figures.study_scatter import radial_plot as radial_plot
from .pools.answers import answer_questions as answer_questions
from .pools.answers import pooled_table as pooled_table
from .pools.answers import study_usage as study_usage
from .pools.bayes import bayes as bayes
from .pools.cluster_robust import cluster_robust as cluster_robust
from .pools.component_network import component_network as component_network
from .pools.glmm import glmm as glmm
from .pools.gosh import gosh as gosh
from .pools.influence import baujat as baujat
from .pools.influence import influence as influence
from .pools.leave_one_out import cumulative as cumulative
from .pools.leave_one_out import leave_one_out as leave_one_out
from .pools.limit_meta_analysis import limit_meta_analysis as limit_meta_analysis
from .pools.mantel_haenszel import mantel_haenszel as mantel_haenszel
from .pools.meta_regression import meta_regression as meta_regression
from .pools.multilevel import three_level as three_level
from .pools.multiverse import Multiverse as Multiverse
from .pools.multiverse import multiverse as multiverse
from .pools.network_components import components_of_arm as components_of_arm
from .pools.network_components import network_contrasts as network_contrasts
from .pools.network_effects import network_effects as network_effects
from .pools.next_trial import next_trial as next_trial
from .pools.permutation import permutation_test as permutation_test
from .pools.pet_peese import pet_peese as pet_peese
from .pools.peto import peto as peto
from .pools.planning import diversity as diversity
from .pools.planning import required_information_size as required_information_size
from .pools.pool_columns import pool_columns as pool_columns
from .pools.pooling import pool as pool
from .pools.priors import HalfCauchy as HalfCauchy
from .pools.priors import HalfNormal as HalfNormal
from .pools.priors import rhodes_prior as rhodes_prior
from .pools.priors import turner_prior as turner_prior
from .pools.result import PooledResult
from .pools.selection_model import selection_model as selection_model
from .pools.small_study_tests import begg as begg
from .pools.small_study_tests import egger as egger
from .pools.small_study_tests import harbord as harbord
from .pools.small_study_tests import peters as peters
from .pools.subgroups import subgroup_pools as subgroup_pools
from .pools.trial_sequential import trial_sequential_analysis as trial_sequential_analysis
from .pools.trim_and_fill import trim_and_fill as trim_and_fill
from .reports.claim_tables import evidence_gap_figure as evidence_gap_figure
from .reports.claim_tables import harms_figure as harms_figure
from .reports.claim_tables import show_claims as show_claims
from .reports.claim_tables import show_claims_summary as show_claims_summary
from .reports.claim_tables import show_guidelines as show_guidelines
from .reports.claim_tables import show_harms as show_harms
from .reports.claim_tables import show_harms_summary as show_harms_summary
from .reports.claim_tables import show_information as show_information
from .reports.claim_tables import show_missing as show_missing
from .reports.claim_tables import show_named_harms as show_named_harms
from .reports.claim_tables import show_next_trial as show_next_trial
from .reports.claim_tables import show_overview as show_overview
from .reports.claim_tables import show_published as show_published
from .reports.claim_tables import show_reporting as show_reporting
from .reports.claim_tables import show_serious_harms as show_serious_harms
from .reports.conclusion_tables import show_certainty as show_certainty
from .reports.conclusion_tables import show_findings as show_findings
from .reports.conclusion_tables import show_judgements as show_judgements
from .reports.conclusion_tables import show_mcid as show_mcid
from .reports.conclusion_tables import show_thresholds as show_thresholds
from .reports.evidence_figures import course_figure as course_figure
from .reports.evidence_figures import evidence_map_figure as evidence_map_figure
from .reports.evidence_figures import reporting_map_figures as reporting_map_figures
from .reports.evidence_figures import risk_of_bias_figures as risk_of_bias_figures
from .reports.evidence_figures import risk_of_bias_summary_figures as risk_of_bias_summary_figures
from .reports.evidence_figures import study_flow_figure as study_flow_figure
from .reports.evidence_figures import study_timeline_figure as study_timeline_figure
from .reports.network_tables import network_figures as network_figures
from .reports.network_tables import networks as networks
from .reports.network_tables import show_network_components as show_network_components
from .reports.network_tables import show_network_league as show_network_league
from .reports.network_tables import show_networks as show_networks
from .reports.report_data import write_report_data as write_report_data
from .reports.report_figures import forest_plots as forest_plots
from .reports.report_tables import show_bayes as show_bayes
from .reports.report_tables import show_derivations as show_derivations
from .reports.report_tables import show_doubts as show_doubts
from .reports.report_tables import show_effects as show_effects
from .reports.report_tables import show_left_out as show_left_out
from .reports.report_tables import show_pooled as show_pooled
from .reports.report_tables import show_risk_of_bias as show_risk_of_bias
from .reports.report_tables import show_screen as show_screen
from .reports.report_tables import show_source_rows as show_source_rows
from .reports.report_tables import show_studies as show_studies
from .reports.report_tables import show_usage as show_usage
from .reports.robustness_tables import multiverses as multiverses
from .reports.robustness_tables import show_choices as show_choices
from .reports.robustness_tables import show_influence as show_influence
from .reports.robustness_tables import show_leave_one_out as show_leave_one_out
from .reports.robustness_tables import show_meta_regression as show_meta_regression
from .reports.robustness_tables import show_multiverses as show_multiverses
from .reports.robustness_tables import show_small_study_effects as show_small_study_effects
from .reports.robustness_tables import specification_curves as specification_curves
from .tables.evidence import Evidence as Evidence
from .tables.evidence import load_evidence as load_evidence
from .tables.integrity import screen as screen
from .tables.prisma import prisma_flow as prisma_flow
from .tables.protocol import Protocol as Protocol
from .tables.protocol import load_protocol as load_protocol
from .tables.risk_of_bias import overall_risk_of_bias as overall_risk_of_bias
from .tables.validation import check_evidence as check_evidence

__version__: str

__all__ = [
    "FOREST_LAYOUTS",
    "Evidence",
    "ForestLayout",
    "HalfCauchy",
    "HalfNormal",
    "Multiverse",
    "PooledResult",
    "Protocol",
    "alt_text",
    "answer_questions",
    "audit_claims",
    "baujat",
    "baujat_plot",
    "bayes",
    "begg",
    "bubble_plot",
    "certainty",
    "check_evidence",
    "cluster_robust",
    "component_network",
    "components_of_arm",
    "course_figure",
    "cumulative",
    "cumulative_plot",
    "diversity",
    "drapery_plot",
    "egger",
    "escalc",
    "estimates_plot",
    "evidence_gap_figure",
    "evidence_gap_plot",
    "evidence_map_figure",
    "extract_effects",
    "findings_table",
    "forest_plot",
    "forest_plots",
    "funnel_plot",
    "glmm",
    "gosh",
    "gosh_plot",
    "harbord",
    "harm_reports",
    "harms_figure",
    "harms_plot",
    "influence",
    "labbe_plot",
    "leave_one_out",
    "leave_one_out_plot",
    "limit_meta_analysis",
    "load_evidence",
    "load_protocol",
    "mantel_haenszel",
    "meta_regression",
    "multiverse",
    "multiverses",
    "network_contrasts",
    "network_effects",
    "network_figures",
    "network_plot",
    "networks",
    "next_trial",
    "open_explorer",
    "overall_risk_of_bias",
    "permutation_test",
    "pet_peese",
    "peters",
    "peto",
    "pool",
    "pool_columns",
    "pooled_table",
    "posterior_plot",
    "prisma_flow",
    "prisma_plot",
    "radial_plot",
    "reporting_map_figures",
    "reporting_map_plot",
    "required_information_size",
    "rhodes_prior",
    "risk_of_bias_figures",
    "risk_of_bias_plot",
    "risk_of_bias_summary_figures",
    "risk_of_bias_summary_plot",
    "save_figure",
    "screen",
    "selection_model",
    "show_bayes",
    "show_certainty",
    "show_choices",
    "show_claims",
    "show_claims_summary",
    "show_derivations",
    "show_doubts",
    "show_effects",
    "show_findings",
    "show_guidelines",
    "show_harms",
    "show_harms_summary",
    "show_influence",
    "show_information",
    "show_judgements",
    "show_leave_one_out",
    "show_left_out",
    "show_mcid",
    "show_meta_regression",
    "show_missing",
    "show_multiverses",
    "show_named_harms",
    "show_network_components",
    "show_network_league",
    "show_networks",
    "show_next_trial",
    "show_overview",
    "show_pooled",
    "show_published",
    "show_reporting",
    "show_risk_of_bias",
    "show_screen",
    "show_serious_harms",
    "show_small_study_effects",
    "show_source_rows",
    "show_studies",
    "show_thresholds",
    "show_usage",
    "specification_curve_plot",
    "specification_curves",
    "study_flow_figure",
    "study_timeline_figure",
    "study_usage",
    "subgroup_pools",
    "summary_of_findings",
    "three_level",
    "timeline_plot",
    "trajectory_plot",
    "trial_sequential_analysis",
    "trim_and_fill",
    "turner_prior",
    "write_findings",
    "write_report_data",
]
