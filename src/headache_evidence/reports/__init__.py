"""From notebooks to published reports."""
