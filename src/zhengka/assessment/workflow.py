"""Steps of institutions, licences, assessment days, appointments and assessments (残疾评定), as tables."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def nobody_booked(session: Any, _facts: Mapping[str, Any]) -> None:
    """A day on which somebody is expected is not called off: those persons first get another one."""
    if session.taken:
        raise Refusal("session-booked", taken=session.taken)


def another_assessor(assessment: Any, facts: Mapping[str, Any]) -> None:
    """The second doctor who signs is another person than the first (双人评定, I6)."""
    if assessment.first_person == facts["by"].person:
        raise Refusal("same-person")


INSTITUTION = Workflow("institution", initial="designated", final=frozenset({"ended"}), steps=(
    #    from          action             to       permission
    Step("designated", "end_designation", "ended", "assessment.designate", zh="取消指定"),
))
"""A designated institution (指定评定机构, 办法 art. 6)."""

LICENCE = Workflow("licence", initial="licensed", final=frozenset({"revoked"}), steps=(
    #    from        action            to         permission
    Step("licensed", "revoke_licence", "revoked", "assessment.designate", zh="取消评定资格"),
))
"""The licence of an assessor (评定医生资格) at one institution."""

SESSION = Workflow("session", initial="open", final=frozenset({"called_off"}), steps=(
    #    from    action        to            permission
    Step("open", "call_off", "called_off", "assessment.plan", (nobody_booked,), zh="取消出诊"),
    Step("open", "take_route", "open", "case.assess", zh="取路线"),
))
"""A day of assessments (评定日): at the institution, from home to home, or at a camp."""

APPOINTMENT = Workflow("appointment", initial="booked", final=frozenset({
    "done", "missed", "called_off", "cancelled"}), steps=(
    #    from      action    to           permission
    Step("booked", "assess", "done", "case.assess", zh="评定"),
    Step("booked", "miss", "missed", "assessment.plan", zh="未到评"),
    Step("booked", "call_off", "called_off", "assessment.plan", zh="取消预约"),
    Step("booked", "cancel", "cancelled", "assessment.plan", zh="退回预约"),
))
"""The appointment (预约) of one case: the person did not come, the office called it off and says why, or the place is
given back because another day is booked or the case has ended. Only the first is a no-show.
"""

ASSESSMENT = Workflow("assessment", initial="signed", steps=(
    #    from             action          to               permission
    Step("signed", "countersign", "countersigned", "case.assess", (another_assessor,), zh="会签"),
    Step("signed", "differ", "differed", "case.assess", (another_assessor,), zh="意见不一"),
    Step("signed", "read_in_full", "signed", "assessment.read", zh="查阅全项"),
    Step("countersigned", "read_in_full", "countersigned", "assessment.read", zh="查阅全项"),
    Step("differed", "read_in_full", "differed", "assessment.read", zh="查阅全项"),
))
"""An assessment, signed by one doctor; whether a second one must sign is the case's policy."""

CONFLICT = Workflow("conflict", initial="declared", final=frozenset({"declared"}), steps=())
"""A conflict of interest (回避) is declared and stays: a wrong one costs somebody an hour, a missing one trust."""

PLACES = {"institution": ("机构评定", "At the institution"), "home": ("上门评定", "Home visits"),
          "camp": ("集中评定", "Camp")}
"""Where a day of assessments takes place (办法 art. 11) → Chinese, English."""

RELATIONS = {"relative": ("亲属", "Relative"), "guardian": ("监护人或代理人", "Guardian or agent"),
             "interest": ("其他利害关系", "Another interest")}
"""Why a doctor does not assess a person → Chinese, English."""
