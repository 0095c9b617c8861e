"""Steps of a holder's record, a certificate and an import, as tables."""

from zhengka.core.workflow import Step, Workflow

HOLDER = Workflow("holder", initial="registered", final=frozenset({"closed"}), steps=(
    #    from          action     to            permission
    Step("registered", "merge", "registered", "import.run", zh="并档"),
    Step("registered", "photograph", "registered", "case.confirm", zh="采集照片"),
    Step("registered", "read_in_full", "registered", "holder.read", zh="查阅全项"),
    Step("registered", "close", "closed", "case.approve", zh="注销档案"),
))

CERTIFICATE = Workflow("certificate", initial="valid", final=frozenset({"returned", "replaced", "cancelled"}), steps=(
    Step("valid", "return", "returned", "card.hand_over", zh="交回"),
    Step("valid", "replace", "replaced", "import.run", zh="换号"),
    Step("valid", "cancel", "cancelled", "case.approve", zh="注销"),
))

IMPORT = Workflow("import", initial="received", final=frozenset({"refused"}), steps=(
    Step("received", "take", "done", "import.run", zh="导入"),
    Step("done", "fetch", "done", "import.run", zh="下载拒收行"),
    Step("received", "refuse", "refused", "import.run", zh="拒收"),
))
