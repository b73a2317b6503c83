"""A place to explore the evidence: settings in, a pooled result with its figures and words out, widgets on top."""
