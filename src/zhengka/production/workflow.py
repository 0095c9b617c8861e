"""Steps of a batch (制卡批次), as a table, and the words for what can be wrong with a card in it."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def something_to_make(batch: Any, _facts: Mapping[str, Any]) -> None:
    """A batch of which every card was held has no package."""
    if not batch.prepared:
        raise Refusal("batch-all-held", held=batch.held)


def sent_by_another(batch: Any, facts: Mapping[str, Any]) -> None:
    """What goes to the card maker was prepared by one person and is released by another one (I6)."""
    if batch.prepared_person == facts["by"].person:
        raise Refusal("same-person")


def looked_at(batch: Any, _facts: Mapping[str, Any]) -> None:
    """A batch of which a sample is to be looked at is not closed before that is done."""
    if batch.gate in ("sample", "whole"):
        raise Refusal("batch-not-checked", batch=batch.number)


def nothing_to_make(batch: Any, _facts: Mapping[str, Any]) -> None:
    """A prepared batch is taken back only while it holds no card: its serials are given."""
    if batch.prepared:
        raise Refusal("batch-has-cards", prepared=batch.prepared)


def not_given_up(batch: Any, _facts: Mapping[str, Any]) -> None:
    """Whether a batch comes back is proposed once."""
    if batch.missed_person:
        raise Refusal("step-not-open", action="propose_unanswered")


def given_up(batch: Any, _facts: Mapping[str, Any]) -> None:
    """That a batch does not come back was proposed by somebody."""
    if not batch.missed_person:
        raise Refusal("unanswered-not-proposed", batch=batch.number)


def given_up_by_another(batch: Any, facts: Mapping[str, Any]) -> None:
    """That a batch does not come back is said by two persons: one proposes it, another one declares it (I6)."""
    if batch.missed_person == facts["by"].person:
        raise Refusal("same-person")


def not_acknowledged(batch: Any, _facts: Mapping[str, Any]) -> None:
    """A package is acknowledged once: another receipt says nothing new."""
    if batch.acknowledged_at:
        raise Refusal("batch-acknowledged", batch=batch.number)


BATCH = Workflow("batch", initial="open", final=frozenset({"closed", "cancelled"}), steps=(
    #    from         action       to             permission
    Step("open", "prepare", "preparing", "batch.make", zh="数据准备"),
    Step("open", "cancel", "cancelled", "batch.make", zh="撤销"),
    Step("preparing", "finish", "prepared", "batch.make", zh="封装"),
    Step("preparing", "stall", "stalled", "batch.make", zh="准备失败"),
    Step("preparing", "pause", "paused", "batch.make", zh="暂停"),
    Step("preparing", "cancel", "cancelled", "batch.make", zh="撤销"),
    Step("paused", "resume", "preparing", "batch.make", zh="继续"),
    Step("paused", "cancel", "cancelled", "batch.make", zh="撤销"),
    Step("stalled", "pause", "paused", "batch.make", zh="暂停"),
    Step("stalled", "retry", "preparing", "batch.make", zh="重新准备"),
    Step("stalled", "give_up", "cancelled", "batch.make", zh="放弃"),
    Step("prepared", "give_up", "cancelled", "batch.make", (something_to_make,), zh="放弃"),
    Step("prepared", "pause", "withheld", "batch.make", (something_to_make,), zh="暂停"),
    Step("withheld", "resume", "prepared", "batch.make", zh="继续"),
    Step("withheld", "give_up", "cancelled", "batch.make", zh="放弃"),
    Step("withheld", "take_proof", "withheld", "batch.read", zh="取校样"),
    Step("prepared", "send", "sent", "batch.send", (something_to_make, sent_by_another), zh="送制"),
    Step("prepared", "cancel", "cancelled", "batch.make", (nothing_to_make,), zh="撤销"),
    Step("prepared", "decide", "prepared", "batch.make", zh="处置暂缓卡"),
    Step("prepared", "take_package", "prepared", "batch.send", (something_to_make,), zh="取制卡包"),
    Step("prepared", "take_proof", "prepared", "batch.read", zh="取校样"),
    Step("sent", "take_package", "sent", "batch.send", zh="取制卡包"),
    Step("sent", "take_proof", "sent", "batch.read", zh="取校样"),
    Step("sent", "acknowledge", "sent", "batch.receive", (not_acknowledged,), zh="收包回执"),
    Step("sent", "receive", "received", "batch.receive", zh="回盘"),
    Step("sent", "propose_unanswered", "sent", "batch.receive", (not_given_up,), zh="提请认定未回盘"),
    Step("sent", "keep_waiting", "sent", "batch.receive", (given_up,), zh="继续等候"),
    Step("sent", "declare_unanswered", "closed", "batch.receive", (given_up, given_up_by_another), zh="认定未回盘"),
    Step("received", "check", "received", "batch.receive", zh="核对成品"),
    Step("received", "check_many", "received", "batch.receive", zh="批量核对"),
    Step("received", "fail_check", "received", "batch.receive", zh="核对不符"),
    Step("received", "pass_check", "received", "batch.receive", zh="核对通过"),
    Step("received", "close", "closed", "batch.receive", (looked_at,), zh="关批"),
))

ITEM_OUTCOMES = ("waiting", "prepared", "held", "good", "spoiled", "suspect")
"""What became of one card in its batch."""

PLATES = ("jpeg-300", "jpeg-600", "png-300", "png-600")
"""Forms and dots per inch in which a card maker can get the faces as pictures besides PDF."""

HOLDS = {
    "photo-missing": "缺照片",
    "photo-unreadable": "照片无法读取",
    "glyph-missing": "生僻字无字形",
    "text-too-long": "文字超出版面",
    "partner-number-missing": "缺合作方号码",
    "certificate-not-valid": "残疾人证非有效状态",
    "card-cancelled": "卡已作废",
    "name-not-in-gbk": "姓名含 GBK 以外的字",
    "chip-refused": "芯片数据不符合规格",
    "batch-cancelled": "批次已撤销",
    "by-officer": "人工暂缓",
}
"""Why one card is held (暂缓) while its batch goes on; the reason's first word is one of these."""

SET_ASIDE = ("wait", "out")
"""Decisions by which a held card stays held: what it lacks is waited for, or it is taken out of the batch."""
DECISIONS = ("", "released", "shortened", *SET_ASIDE)
"""What was decided about a held card; empty: nothing yet."""

GATES = ("", "sample", "whole", "passed")
"""How the finished cards of a batch are looked at: not at all, a sample, each of them; or that is done."""
LOOKS = ("number", "print", "code", "chip")
"""What is looked at of a card: the number on it, all else that is printed with the photo, its QR code, its chip."""
DIFFERENCES = ("print-differs", "photo-differs", "qr-differs", "readback-differs")
"""What an inspector can see that a card is not what the record says; each is one of `FINDINGS`."""

FINDINGS = {
    "card-missing": "回盘中缺此卡",
    "serial-twice": "同一序列号出现两次",
    "uid-twice": "芯片唯一号重复",
    "readback-differs": "回读与预期不符",
    "not-ordered": "未订购的卡",
    "card-ended": "卡已作废，应销毁",
    "maker-unsure": "制卡商不知芯片内容",
    "keys-over": "制卡所用密钥已停用或吊销",
    "print-differs": "卡面文字与档案不符",
    "photo-differs": "卡面照片与档案不符",
    "qr-differs": "卡面二维码与档案不符",
    "record-differs": "备卡后档案已变",
    "not-looked-at": "成品未经相机检测",
    "blank-unnamed": "未报空白卡号",
    "blank-twice": "同一空白卡报了两次",
    "blank-used": "空白卡此前已用",
    "blank-elsewhere": "空白卡不在该制卡机",
}
"""What a card maker's results can be found to be wrong in (回盘异常)."""

ERASED = {"package": "制卡数据包", "parts": "分卷清单", "proof": "校样", "members": "未封装的制卡数据"}
"""What of a batch's production data is erased on its day (到期销毁)."""
