"""From effects and pooled results to matplotlib figures."""
