"""Steps of a holder's record, a certificate and an import, as tables."""

from typing import Final

from zhengka.core.workflow import Step, Workflow

HOLDER = Workflow("holder", initial="registered", steps=(
    #    from          action     to            permission
    Step("registered", "merge", "registered", "import.run", zh="并档"),
    Step("registered", "photograph", "registered", "case.confirm", zh="采集照片"),
    Step("registered", "name_guardian", "registered", "case.confirm", zh="登记监护人"),
    Step("registered", "read_in_full", "registered", "holder.read", zh="查阅全项"),
    Step("registered", "list_out", "registered", "holder.read", zh="导出名单"),
    Step("registered", "wish", "registered", "case.confirm", zh="登记告知方式"),
    Step("registered", "reach", "registered", "case.approve", zh="更新联系方式"),
    Step("registered", "look_up", "registered", "case.open", zh="异地核查"),
    Step("registered", "correct", "registered", "case.approve", zh="更正"),
    Step("registered", "move", "registered", "case.approve", zh="迁移"),
    Step("registered", "close", "closed", "case.approve", zh="注销档案"),
    Step("closed", "look_up", "closed", "case.open", zh="异地核查"),
    Step("closed", "reopen", "registered", "case.approve", zh="恢复档案"),
))

CERTIFICATE = Workflow("certificate", initial="valid", final=frozenset({"returned", "replaced"}), steps=(
    Step("valid", "return", "returned", "card.hand_over", zh="交回"),
    Step("valid", "replace", "replaced", "import.run", zh="换号"),
    Step("valid", "succeed", "replaced", "case.approve", zh="换证"),
    Step("valid", "renew", "valid", "case.approve", zh="换领"),
    Step("valid", "move", "valid", "case.approve", zh="迁移"),
    Step("frozen", "move", "frozen", "case.approve", zh="迁移"),
    Step("valid", "freeze", "frozen", "case.approve", zh="冻结"),
    Step("frozen", "unfreeze", "valid", "case.approve", zh="解冻"),
    Step("valid", "cancel", "cancelled", "case.approve", zh="注销"),
    Step("frozen", "cancel", "cancelled", "case.approve", zh="注销"),
    Step("cancelled", "restore", "valid", "case.approve", zh="恢复"),
    Step("cancelled", "restore_frozen", "frozen", "case.approve", zh="恢复（仍冻结）"),
))

LEFT_BEHIND: Final = ("left-behind", "left-the-area")
"""Reasons of a freeze that end when the certificate follows its holder: found by the clock of art. 23, or reported."""
DEATH_REPORTED: Final = "death-reported"
FROZEN_FOR: Final = (DEATH_REPORTED, "under-inquiry", *LEFT_BEHIND)
"""Why a certificate may be frozen. Its row keeps it, also while it is cancelled, until that reason has ended."""

IMPORT = Workflow("import", initial="received", final=frozenset({"refused"}), steps=(
    Step("received", "take", "done", "import.run", zh="导入"),
    Step("done", "fetch", "done", "import.run", zh="下载拒收行"),
    Step("received", "refuse", "refused", "import.run", zh="拒收"),
))
