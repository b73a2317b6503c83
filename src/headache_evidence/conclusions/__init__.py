"""From pooled results to what a clinician may conclude."""
