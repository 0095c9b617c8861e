"""Problems with who sees to what: desks, covers and delegations."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "case-taken": Problem(
        409, "Somebody else has the case by now", "该事项的经办人已有变动",
        "Open the case again and see who has it.",
        "请刷新页面，查看现经办人。"),
    "case-not-yours": Problem(
        409, "The case is not on your desk", "您不是该事项的经办人",
        "Open the case again and see who has it.",
        "请刷新页面，查看现经办人。"),
    "desk-not-for-role": Problem(
        422, "The colleague's role works on no cases", "该同事的岗位不办理事项",
        "Hand the desk to a clerk, reviewer, approver or doctor of your office.",
        "请移交给本单位的经办、审核、批准人员或评定医生。"),
    "stand-in-oneself": Problem(
        422, "Nobody stands in for themselves", "不能指定本人",
        "Choose another person; two accounts are not two persons.",
        "请选择其他人员。同一人的两个账号不算两人。"),
    "stand-in-unfit": Problem(
        422, "The colleague has no account in use at this office", "该同事在本单位没有启用的账号",
        "Choose an active colleague of the same office.",
        "请选择本单位账号启用的同事。"),
    "stand-in-other-role": Problem(
        422, "The deputy has another role", "代班人员与您的岗位不同",
        "Choose a colleague with your role, or ask that your right be lent.",
        "请选择同岗位同事，或申请委托权限。"),
    "role-not-lent": Problem(
        422, "This right cannot be lent to this colleague", "该岗位权限不能委托给该同事",
        "Choose a colleague with another role of the office's work; rights of administrators and doctors are not lent.",
        "请选择其他业务岗位的同事；管理员和评定医生的权限不得委托。"),
    "days-wrong": Problem(
        422, "The days lie in the past or in the wrong order", "日期已过或先后颠倒",
        "Begin today or later, and end on the same day or later.",
        "请从今天或以后开始，结束日期不早于开始日期。"),
    "days-too-many": Problem(
        422, "This is for more than 90 days", "期限超过90天",
        "Choose at most 90 days; for longer, let the desk be handed over or another role be asked for.",
        "最长90天；时间更长的，请移交事项或申请调岗。"),
    "days-overlap": Problem(
        409, "Something is set for some of these days already", "所选日期与已有安排重叠",
        "End what is set first, or choose other days.",
        "请先结束已有安排，或另选日期。"),
}
