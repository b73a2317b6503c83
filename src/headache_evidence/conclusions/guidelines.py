"""What guideline bodies say about a headache type, and what our results say beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from headache_evidence.conclusions.grading import certainty
from headache_evidence.conclusions.plain_language import statement
from headache_evidence.conclusions.summary_of_findings import absolute_of
from headache_evidence.conclusions.thresholds import important_difference
from headache_evidence.pools.answers import Answer
from headache_evidence.tables.evidence import Evidence
from headache_evidence.tables.protocol import Protocol

NAMED = {  # words by which a position names a headache type of the protocol
    "migraine": r"migraine",
    "tension_type": r"tension-type",
    "cluster": r"cluster",
    "cervicogenic": r"cervicogenic",
    "occipital_neuralgia": r"occipital neuralgia",
    "post_dural_puncture": r"PDPH|post-?dural",
    "post_traumatic": r"post-?traumatic",
    "trigeminal_neuralgia": r"trigeminal neuralgia",
}
NO_COMPARISON = "no usable randomised comparison with placebo, sham or no block"


def beside_guidelines(
    answers: Iterable[Answer], evidence: Evidence, protocol: Protocol, headache_type: str
) -> pd.DataFrame:
    """The positions that name the headache type, and our results on the headline outcomes.

    Returns
    -------
    body, position, wording (seen, or to be confirmed), source_url; ``ours``: a sentence per headline outcome (where
    there is none, per other outcome), from the randomised comparison of injections with an inactive arm that has most
    studies, then most patients.
    """
    ours = " ".join(our_sentences(answers, evidence, protocol)) or NO_COMPARISON
    table = evidence.guidelines
    pattern = NAMED.get(headache_type, r"(?!)")
    named = (table["body"] + " " + table["position"]).str.contains(pattern, flags=re.IGNORECASE)
    own = table.loc[named, ["body", "position", "identity", "source_url"]].rename(columns={"identity": "wording"})
    return own.assign(wording=own["wording"].str.replace("_", " "), ours=ours).reset_index(drop=True)


def our_sentences(answers: Iterable[Answer], evidence: Evidence, protocol: Protocol) -> list[str]:
    """The best informed randomised comparison with an inactive arm per headline outcome, else per other outcome."""
    best: dict[str, Answer] = {}
    for item in answers:
        question = item.question
        asked = (question.design, question.comparison, question.intervention) == ("randomised", "inactive", "injection")
        if not asked or not item.pooled.k:
            continue
        known = best.get(question.outcome)
        if known is None or (item.pooled.k, item.pooled.n) > (known.pooled.k, known.pooled.n):
            best[question.outcome] = item
    headline = [name for name in protocol.headline.outcomes if name in best]
    return [_sentence(best[name], evidence, protocol) for name in headline or best]


def _sentence(item: Answer, evidence: Evidence, protocol: Protocol) -> str:
    threshold = important_difference(item.question.outcome, protocol, evidence.mcid)
    return statement(item, certainty(item, protocol, evidence), threshold, absolute_of(item), protocol)
