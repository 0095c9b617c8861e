"""Problems of vouchers, logs of gates and settlement."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    # -- vouchers ------------------------------------------------------------------------------------------------------
    "voucher-unknown": Problem(
        404, "There is no such voucher", "没有这张凭证",
        "Check the code, or show the card and get a new voucher.",
        "请核对编码，或出示残疾人证重新领取。"),
    "voucher-unsigned": Problem(
        422, "Nobody whom we trust signed this voucher", "此凭证的签名无法确认",
        "Show the card and get a new voucher.",
        "请出示残疾人证重新领取。"),
    "voucher-used": Problem(
        409, "This voucher has been used", "此凭证已使用",
        "Where that was is told beside. If it was not you, ask the office.",
        "使用地点和时间见旁。如非本人使用，请联系残联。"),
    "voucher-cancelled": Problem(
        409, "This voucher was cancelled", "此凭证已作废",
        "Show the card and get a new voucher.",
        "请出示残疾人证重新领取。"),
    "voucher-expired": Problem(
        409, "This voucher's time is over", "此凭证已过期",
        "Show the card and get a new voucher.",
        "请出示残疾人证重新领取。"),
    "voucher-not-yet": Problem(
        409, "This voucher is for a later time", "此凭证尚未到可用时间",
        "Come back at its time, or let it be moved to another time.",
        "请在凭证时间内使用，或改到其他时间。"),
    "voucher-outside-hours": Problem(
        409, "The rule of this voucher gives nothing at that time", "该时间不在优惠规则的适用时段内",
        "Choose a time within the rule's days and hours, within a year from now.",
        "请选择规则适用的日期和时段，且在一年之内。"),
    "voucher-elsewhere": Problem(
        409, "This voucher is for another place", "此凭证用于其他场所",
        "Go to the place that it names.",
        "请到凭证所列的场所使用。"),
    "voucher-companions": Problem(
        409, "No more companions go with this voucher", "此凭证的陪同人数已满",
        "The voucher says how many may come along.",
        "凭证上写明可陪同的人数。"),
    "quota-used": Problem(
        409, "What this rule gives in a day or month was given already", "本日或本月的优惠次数已用完",
        "Come again when the next day or month begins.",
        "请在次日或次月再来。"),
    # -- gates and their logs ------------------------------------------------------------------------------------------
    "gate-shut-out": Problem(
        403, "This gate was shut out: nothing that it says is believed", "此闸机已停用，其上传不予采信",
        "Start it again on its page if it was only stopped; a gate that was lost is entered anew.",
        "如只是停用，请在其页面重新启用；报失的闸机须重新登记。"),
    "gate-unknown": Problem(
        404, "There is no such gate, or it has no key yet", "没有这台闸机，或尚未配对密钥",
        "Enter it among the devices and pair it.",
        "请先登记设备并配对。"),
    "post-unknown": Problem(
        409, "The gate does not stand at this place", "此闸机不在该场所",
        "Enter where it stands on the page of gates.",
        "请在闸机页面登记所在场所。"),
    "post-taken": Problem(
        409, "The gate stands at another place already", "此闸机已在其他场所",
        "End its present post first.",
        "请先撤销现有岗位。"),
    "upload-too-long": Problem(
        413, "One upload holds too many events", "一次上传的记录过多",
        "Send them in several uploads; the order does not matter.",
        "请分几次上传，先后不限。"),
    "event-refused": Problem(
        422, "The event is not what a gate signs", "该记录不符合闸机日志格式，或签名不符",
        "The fact beside names what is wrong with it.",
        "旁边的代码说明错在何处。"),
    # -- settlement ----------------------------------------------------------------------------------------------------
    "month-open": Problem(
        409, "The month is not over yet", "该月尚未结束",
        "Make the statement after its last day.",
        "请在月末之后制作结算单。"),
    "statement-made": Problem(
        409, "There is a statement of this month already", "该月结算单已制作",
        "What came later is settled with the next month.",
        "其后上传的记录计入下一个月。"),
    "statement-empty": Problem(
        409, "There is nothing to settle", "没有可结算的记录",
        "No gate of this operator logged anything that was not settled already.",
        "该运营单位没有未结算的记录。"),
    "tariff-missing": Problem(
        409, "No price is told for something that was given", "有服务没有规定价格",
        "Enter it in the operator's file of tariffs, with its source.",
        "请在该运营单位的价目文件中补充，并注明依据。"),
    "disputes-open": Problem(
        409, "Disputes of this statement are not decided yet", "此结算单尚有未决争议",
        "Decide each of them first.",
        "请先逐项作出决定。"),
    "dispute-again": Problem(
        409, "This event is disputed already", "该记录已提出争议",
        "Look at the disputes of the statement.",
        "请查看结算单的争议列表。"),
    "statement-file-wrong": Problem(
        422, "The file does not hold what it says", "结算文件与其内容不符",
        "The fact beside names what differs. Ask for the file again; if it differs still, dispute the statement.",
        "旁边写明不符之处。请重新索取文件；仍不符的，请提出争议。"),
}
