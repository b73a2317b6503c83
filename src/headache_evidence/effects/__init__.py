"""From evidence tables to one effect size per comparison, with its derivation."""
