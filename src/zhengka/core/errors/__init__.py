"""Why no: one table of problems and one exception. Only the edges turn a `Refusal` into a page or problem+json."""

from typing import Any

from zhengka.core.errors import common, custody, desk, keys, making, office, people, places, stock, vouchers
from zhengka.core.errors.problem import Problem

__all__ = ["PROBLEMS", "Problem", "Refusal"]

PROBLEMS: dict[str, Problem] = {
    **common.PROBLEMS, **people.PROBLEMS, **office.PROBLEMS, **desk.PROBLEMS, **making.PROBLEMS,
    **keys.PROBLEMS, **stock.PROBLEMS, **custody.PROBLEMS, **places.PROBLEMS, **vouchers.PROBLEMS}
"""code → what it says, by the subject that it is about."""


class Refusal(Exception):
    """A named "no". `code` is a key of `PROBLEMS`; `facts` say what was met (never personal data in clear)."""

    def __init__(self, code: str, **facts: Any) -> None:
        """Raise with a code of the table; an unknown code is a bug and fails at once."""
        self.problem = PROBLEMS[code]
        self.code = code
        self.facts = facts
        super().__init__(code)

    def __str__(self) -> str:
        """One line for a terminal or log: title, facts, code."""
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.problem.title}" + (f" ({facts})" if facts else "") + f" [{self.code}]"
