"""Problems with blank cards, their stores and their ledger."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "serials-wrong": Problem(
        422, "These are no serial numbers of blank cards", "空白卡序列号填写有误",
        "Write single numbers or runs such as 43000001-43000500, with commas between, each number once.",
        "请填写单个号码或号段（如 43000001-43000500），用逗号分隔，每个号码只写一次。"),
    "blanks-not-there": Problem(
        409, "Not all of these blank cards are where they shall be taken from", "所列空白卡不全在转出账户中",
        "Look up the serial that is named to see where the ledger has it, then correct the list or count the store.",
        "请查询提示的序列号目前在何处，再更正清单或盘点库房。"),
    "blank-known": Problem(
        409, "A blank card of this delivery was received before", "该批空白卡中有序列号已经入库",
        "Compare the labels of the boxes with the delivery note; ask the supplier where two boxes bear one range.",
        "请核对箱签与送货单；如两箱号段重复，请联系供应商。"),
    "blank-unknown": Problem(
        404, "No blank card with this serial is in the ledger of your offices", "本单位台账中没有该序列号的空白卡",
        "Compare the number with the card, or ask the office above.", "请与卡片核对号码，或询问上级单位。"),
    "box-known": Problem(
        409, "A box with this label was received before", "该箱签已经入库",
        "Look at the label again; nothing was received now.", "请再次核对箱签，本次未入库。"),
    "stock-time-back": Problem(
        409, "Some of these cards came there later than this slip says", "所列空白卡到库时间晚于本单时间",
        "Give a time after their arrival.", "请填写到库之后的时间。"),
    "stock-same-person": Problem(
        403, "Whoever wrote this slip may not confirm it", "制单人不能确认本单",
        "Let another person look at the cards and confirm.", "请由另一人核对实物后确认。"),
    "order-same-person": Problem(
        403, "Whoever wrote this order may not approve it", "采购单不能由制单人本人批准",
        "Let another person compare quantity and price and approve.", "请由另一人核对数量和单价后批准。"),
    "order-of-another": Problem(
        409, "These boxes are of another supplier or for another office than the order",
        "箱签的供应商或单位与采购单不符",
        "Choose the order that the delivery note names, or receive the boxes without one.",
        "请选择送货单所列的采购单，或不选采购单直接入库。"),
    "store-closed": Problem(
        409, "This store is closed", "该库已撤", "Choose another store.", "请选择其他库房。"),
    "store-name-taken": Problem(
        409, "The office has a store of this name already", "本单位已有同名库房",
        "Give it another name.", "请另取名称。"),
    "store-not-empty": Problem(
        409, "Blank cards still lie in this store, or are on their way to it or on order",
        "库中仍有空白卡，或有空白卡在途、在购",
        "Move or write them off, take in what comes, or end the order first.",
        "请先转出或核销，收下在途的卡，或终止采购。"),
    "issued-by-results": Problem(
        409, "The results of the card maker write down which blanks became cards", "哪些空白卡已制成由制卡商回盘登记",
        "Wait for the results of the batch; set aside what was spoiled, or take out of the machine what was not used.",
        "请等待该批次回盘；废卡请登记，未用的请退库。"),
    "issued-without-batch": Problem(
        409, "Blank cards become cards only in a batch of this office whose results came",
        "只有本单位已回盘的批次才能登记制成",
        "Write the number of the batch as its page shows it.", "请填写批次页面所示的批次号。"),
    "issued-over-batch": Problem(
        409, "The batch has fewer good cards than blanks would have become cards", "登记制成的空白卡多于该批次合格卡数",
        "Compare the serials with the cards of the batch; set aside what was spoiled.",
        "请核对序列号与该批次的卡；废卡请另行登记。"),
    "stores-unfit": Problem(
        409, "Blank cards do not go from the one to the other", "不能在这两处之间转移空白卡",
        "Load from a store into a machine of the same office; ship from store to store.",
        "上机应从本单位库房领用；调拨应在两个库房之间进行。"),
    "count-still-differs": Problem(
        409, "The ledger still differs from what was counted", "账面与盘点结果仍不一致",
        "Write the slips that explain it: what was found, sent, spoiled or lost; or count again.",
        "请补齐说明差异的单据（找回、调拨、废卡、报失），或重新盘点。"),
}
