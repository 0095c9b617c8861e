"""What may be read of this room: counts of checks; operators and their rules."""

from zhengka.gates.queries.checks import counts, strangers
from zhengka.gates.queries.places import operator, operators

__all__ = ["counts", "operator", "operators", "strangers"]
