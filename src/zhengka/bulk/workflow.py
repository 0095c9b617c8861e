"""Steps of a bulk act (批量办理), as a table."""

from zhengka.core.workflow import Step, Workflow

CARRY_OUT = "bulk.carry_out"
"""What no role holds: an act is ended by the worker that carries it out."""

ACT = Workflow("bulk-act", initial="waiting", final=frozenset({"done", "refused"}), steps=(
    #    from       action      to         permission
    Step("waiting", "complete", "done", CARRY_OUT, zh="办结"),
    Step("waiting", "refuse", "refused", CARRY_OUT, zh="中止办理"),
))
