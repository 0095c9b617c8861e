"""Steps of a paper and of a portrait, as tables."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def fits(portrait: Any, _facts: Mapping[str, Any]) -> None:
    """No check failed."""
    if not portrait.fits:
        raise Refusal("step-not-open", subject="portrait")


def overruled(portrait: Any, facts: Mapping[str, Any]) -> None:
    """A check failed, and the officer says why the photo is taken all the same."""
    if portrait.fits:
        raise Refusal("photo-fits")
    if not str(facts.get("reason", "")).strip():
        raise Refusal("overrule-without-reason")


def for_a_purpose(_paper: Any, facts: Mapping[str, Any]) -> None:
    """Personal data is read for a purpose that the event keeps."""
    if not str(facts.get("purpose", "")).strip():
        raise Refusal("purpose-missing")


PAPER = Workflow("paper", initial="received", final=frozenset({"withdrawn"}), steps=(
    #    from       action          to         permission
    Step("received", "read_paper", "received", "case.read", (for_a_purpose,), zh="查阅材料"),
    Step("received", "withdraw_paper", "withdrawn", "case.open", zh="撤回材料"),
))

PORTRAIT = Workflow("portrait", initial="examined", final=frozenset({"replaced"}), steps=(
    Step("examined", "keep", "kept", "case.confirm", (fits,), zh="采用照片"),
    Step("examined", "overrule", "kept", "case.confirm", (overruled,), zh="人工通过"),
    Step("examined", "replace", "replaced", "case.confirm", zh="重新采集"),
    Step("kept", "replace", "replaced", "case.confirm", zh="重新采集"),
))
