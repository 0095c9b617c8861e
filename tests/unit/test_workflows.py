"""Every table, state by state and act by act; every permission and every "no" that the program names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from zhengka.accounts.roles import PERMISSIONS
from zhengka.bulk.workflow import CARRY_OUT
from zhengka.cli.reference import WORKFLOWS
from zhengka.config.env import PROJECT
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.workflow import Workflow
from zhengka.keys.workflow import CARRY_OUT as KEY_STORE
from zhengka.letters.workflow import CARRY

SOURCE = {path: path.read_text() for path in Path(PROJECT / "src").rglob("*.py")}
OF_THE_PLATFORM = {CARRY_OUT, CARRY, KEY_STORE, "account.own"}
"""What no role holds: the worker's own, and what every account may do with itself."""


def pairs() -> Iterator[tuple[Workflow, str, str]]:
    """Every state with every act of its table."""
    for workflow in WORKFLOWS:
        for state in sorted(workflow.states):
            for action in sorted(workflow.actions):
                yield workflow, state, action


@pytest.mark.parametrize(("workflow", "state", "action"), list(pairs()),
                         ids=lambda one: one.name if isinstance(one, Workflow) else one)
def test_an_act_leads_where_its_line_says_and_anywhere_else_is_refused(workflow, state, action):
    lines = [step for step in workflow.steps if (step.source, step.action) == (state, action)]
    if not lines:
        with pytest.raises(Refusal, match="step-not-open"):
            workflow.step(state, action)
        return
    (line,) = lines
    assert workflow.step(state, action) is line
    assert line in workflow.open_to(state, {line.permission})
    assert line not in workflow.open_to(state, PERMISSIONS - {line.permission})
    assert state not in workflow.final


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda one: one.name)
def test_every_step_is_somebodys(workflow):
    assert {step.permission for step in workflow.steps} <= PERMISSIONS | OF_THE_PLATFORM


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_no_is_said_somewhere(code):
    said = [path for path, text in SOURCE.items() if f'"{code}"' in text and "errors" not in path.parts]
    assert said, "nobody raises it"
