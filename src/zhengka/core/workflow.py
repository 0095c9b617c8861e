"""What may happen, as tables: a `Workflow` is a list of legal `Step`s, readable by an official, free of Django."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zhengka.core.errors import Refusal

Guard = Callable[[Any, Mapping[str, Any]], None]
"""A condition of a step: takes the row and the facts of the request, raises `Refusal` when it does not hold."""


@dataclass(frozen=True)
class Step:
    """One legal step: from `source` by `action` to `target`, for those who hold `permission`, if all `guards` pass."""

    source: str
    action: str
    target: str
    permission: str
    guards: tuple[Guard, ...] = ()
    zh: str = ""


@dataclass(frozen=True)
class Workflow:
    """A table of steps from an initial state. Refused when built with a dead end that is not named final,
    a state that cannot be reached, or two steps for one (state, action).
    """

    name: str
    initial: str
    steps: tuple[Step, ...]
    final: frozenset[str] = frozenset()
    _by_key: dict[tuple[str, str], Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the table and refuse one that cannot be walked."""
        table: dict[tuple[str, str], Step] = {}
        for step in self.steps:
            if (step.source, step.action) in table:
                raise ValueError(f"{self.name}: two steps for {step.action!r} from {step.source!r}")
            table[step.source, step.action] = step
        object.__setattr__(self, "_by_key", table)
        if lost := self.states - self._reachable():
            raise ValueError(f"{self.name}: no way leads to {sorted(lost)}")
        ends = self.states - {step.source for step in self.steps}
        if ends != self.final:
            raise ValueError(f"{self.name}: dead ends {sorted(ends ^ self.final)} are not what the table calls final")

    @property
    def states(self) -> frozenset[str]:
        """Every state that the table names."""
        return frozenset({self.initial, *(s.source for s in self.steps), *(s.target for s in self.steps), *self.final})

    @property
    def actions(self) -> frozenset[str]:
        """Every action that the table names."""
        return frozenset(step.action for step in self.steps)

    def step(self, state: str, action: str) -> Step:
        """The step for `action` from `state`; `Refusal("step-not-open")` where the table has none."""
        try:
            return self._by_key[state, action]
        except KeyError:
            raise Refusal("step-not-open", subject=self.name, state=state, action=action) from None

    def open_to(self, state: str, permissions: Iterable[str]) -> list[Step]:
        """The steps that someone with `permissions` may take from `state`: the buttons of a page."""
        held = frozenset(permissions)
        return [step for step in self.steps if step.source == state and step.permission in held]

    def _reachable(self) -> frozenset[str]:
        found = {self.initial}
        while more := {s.target for s in self.steps if s.source in found} - found:
            found |= more
        return frozenset(found)
