"""What a problem is: one named "no"."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One named "no": the HTTP status, what it means in English and Chinese, and what to do next in both."""

    status: int
    title: str
    title_zh: str
    next: str
    next_zh: str
