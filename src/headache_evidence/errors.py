"""What can go wrong, in words for the reviewer at the keyboard: what, where, what is allowed."""

from __future__ import annotations

from collections.abc import Sequence


class HeadacheEvidenceError(Exception):
    """Base of every error this package raises on purpose; its text is shown without a traceback."""


class EvidenceError(HeadacheEvidenceError):
    """The evidence tables hold faults; all of them are listed, not only the first."""

    def __init__(self, faults: Sequence[object]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{len(self.faults)} fault(s) in the evidence tables:\n{lines}")


class ProtocolError(HeadacheEvidenceError):
    """protocol.yml says something that the software cannot follow."""


class InputError(HeadacheEvidenceError, ValueError):
    """A statistic was given values it cannot use (the message names the study or the argument)."""


class ParameterError(HeadacheEvidenceError, ValueError):
    """A report or notebook parameter is unknown, of the wrong type or not an allowed value."""


class NotebookError(HeadacheEvidenceError):
    """A notebook did not run to its end; the message says where and why."""


class StatisticalWarning(UserWarning):
    """Numbers were used that a reader should look at again, or could not be used."""
