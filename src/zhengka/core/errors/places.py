"""Problems of operators, venues and rules."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "operator-unknown": Problem(
        404, "No rules of this operator are here", "没有该运营单位的规则",
        "Choose one of the operators that have a file of rules.",
        "请选择已有规则文件的运营单位。"),
}
