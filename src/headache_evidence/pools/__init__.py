"""From effect sizes to pooled results and their diagnostics."""
