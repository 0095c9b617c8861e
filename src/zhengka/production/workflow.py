"""Steps of a batch (制卡批次), as a table."""

from zhengka.core.workflow import Step, Workflow

BATCH = Workflow("batch", initial="open", final=frozenset({"closed", "cancelled"}), steps=(
    #    from         action       to             permission
    Step("open", "prepare", "preparing", "batch.make", zh="数据准备"),
    Step("open", "cancel", "cancelled", "batch.make", zh="撤销"),
    Step("preparing", "finish", "prepared", "batch.make", zh="封装"),
    Step("prepared", "send", "sent", "batch.send", zh="送制"),
    Step("sent", "receive", "received", "batch.receive", zh="回盘"),
    Step("received", "close", "closed", "batch.receive", zh="关批"),
))

ITEM_OUTCOMES = ("waiting", "prepared", "held", "good", "spoiled", "suspect")
"""What became of one card in its batch."""
