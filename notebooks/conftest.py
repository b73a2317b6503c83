"""Figures are tested as geometry in tests/figures; nbval compares tables and words."""


def pytest_collectstart(collector):
    """Leave image bytes out of the comparison: fonts may differ in the last pixel between machines."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("image/svg+xml",)
