"""Rows of this room: checks of cards, and lists of claims as they were published."""

from zhengka.gates.models.checks import CHANNELS, Check, Use
from zhengka.gates.models.claims import ClaimPublication

__all__ = ["CHANNELS", "Check", "ClaimPublication", "Use"]
