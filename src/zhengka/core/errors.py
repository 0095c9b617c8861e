"""Why no: one table of problems and one exception. Only the edges turn a `Refusal` into a page or problem+json."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One named "no": the HTTP status, what it means in English and Chinese, and what to do next in both."""

    status: int
    title: str
    title_zh: str
    next: str
    next_zh: str


PROBLEMS: dict[str, Problem] = {
    # -- anyone, anywhere ------------------------------------------------------------------------------------------
    "not-found": Problem(
        404, "There is no such record in your area", "您的辖区内没有这条记录",
        "Check the number, or ask the office that keeps the record.",
        "请核对编号，或联系保管该记录的单位。"),
    "not-permitted": Problem(
        403, "Your role does not include this act", "您的岗位没有这项权限",
        "Ask a colleague whose role includes it.",
        "请由具备该权限的同事办理。"),
    "step-not-open": Problem(
        409, "This step is not open in the present state", "当前状态不能办理这一步",
        "Open the record again: somebody may have moved it on.",
        "请刷新记录，可能已有人办理。"),
    "request-id-reused": Problem(
        409, "This request id was used for something else", "该请求编号已用于其他办理",
        "Start the act again from its page.",
        "请从页面重新发起。"),
    "same-person": Problem(
        409, "Two different persons must do this", "此项须由两名不同人员办理",
        "Leave the second step to a colleague.",
        "请由另一位同事办理下一步。"),
    # -- logging in ------------------------------------------------------------------------------------------------
    "login-wrong": Problem(
        403, "User name and password do not belong together", "用户名或密码不正确",
        "Try again, or ask the system administrator.",
        "请重试，或联系系统管理员。"),
    "login-locked": Problem(
        403, "Too many wrong tries: the account is locked for 15 minutes", "输错次数过多，账号已锁定15分钟",
        "Wait, or ask the system administrator.",
        "请稍候再试，或联系系统管理员。"),
    # -- keys ------------------------------------------------------------------------------------------------------
    "key-missing": Problem(
        503, "The key that this needs is not in the key store", "密钥库中没有所需的密钥",
        "Let the security administrator make or restore the key.",
        "请安全管理员生成或恢复密钥。"),
    "key-not-yet": Problem(
        503, "The key that this needs is not valid yet", "所需的密钥尚未生效",
        "Wait for the key's first day, or let the security administrator look.",
        "请等待密钥生效，或由安全管理员检查。"),
    "key-retired": Problem(
        503, "The key that this needs makes nothing any more", "所需的密钥已停用",
        "Let the security administrator make the next version of the key.",
        "请安全管理员生成新版本的密钥。"),
}


class Refusal(Exception):
    """A named "no". `code` is a key of `PROBLEMS`; `facts` say what was met (never personal data in clear)."""

    def __init__(self, code: str, **facts: Any) -> None:
        """Raise with a code of the table; an unknown code is a bug and fails at once."""
        self.problem = PROBLEMS[code]
        self.code = code
        self.facts = facts
        super().__init__(code)

    def __str__(self) -> str:
        """One line for a terminal or log: title, facts, code."""
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.problem.title}" + (f" ({facts})" if facts else "") + f" [{self.code}]"
