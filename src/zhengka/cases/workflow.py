"""Steps of a case (办理), as tables by kind.

`LINE` is every step that leads a case on, in the one order that all kinds share, with the ways aside of each. A kind
has some stages of the line; a policy (`cases.rules`) switches steps off, and `rows` closes the line up over them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, NamedTuple

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Guard, Step, Workflow


def another_person(case: Any, facts: Mapping[str, Any]) -> None:
    """The approver is another person than the reviewer (审核与批准分人, I6)."""
    if case.reviewer_person and case.reviewer_person == facts["by"].person:
        raise Refusal("same-person")


def another_reporter(case: Any, facts: Mapping[str, Any]) -> None:
    """What was reported is verified by another person than who brought it in: a report is no second source."""
    if case.reporter_person == facts["by"].person:
        raise Refusal("same-person")


def another_checker(case: Any, facts: Mapping[str, Any]) -> None:
    """Who checked the papers first does not accept them, too: two looks are two persons' (初审与受理分人)."""
    if case.checker_person == facts["by"].person:
        raise Refusal("same-person")


def another_assessor(case: Any, facts: Mapping[str, Any]) -> None:
    """The second doctor who signs an assessment is another person than the first (双人评定)."""
    if case.assessor_person == facts["by"].person:
        raise Refusal("same-person")


def another_approver(case: Any, facts: Mapping[str, Any]) -> None:
    """The city looks again by another person than the one who approved (复审与批准分人)."""
    if case.approver_person == facts["by"].person:
        raise Refusal("same-person")


def unconfirmed(case: Any, _facts: Mapping[str, Any]) -> None:
    """The day of a move is confirmed once."""
    if case.witness_person:
        raise Refusal("step-not-open", subject="case", state=case.state, action="confirm_move")


def noted_by_two(case: Any, _facts: Mapping[str, Any]) -> None:
    """What one person noted ends nothing: another one confirmed the day of the move, or two decided to let it go."""
    if not case.witness_person and not case.approver_person:
        raise Refusal("step-not-open", subject="case", state=case.state)


def notice_over(case: Any, facts: Mapping[str, Any]) -> None:
    """The public notice stood for its full working days: `notice_ends` is its last one (办法 art. 9(3), I7)."""
    if date.fromisoformat(facts["on"]) <= case.notice_ends:
        raise Refusal("notice-running", ends=case.notice_ends.isoformat())


class Leg(NamedTuple):
    """A step of the line, the stage that it belongs to, and the ways off and back that come and go with it."""

    stage: str
    step: Step
    aside: tuple[Step, ...] = ()


START: Final = "start"
"""Stands for the state in which a kind begins."""

LINE: Final = (
    # -- an office calls the holder, or the holder applies -----------------------------------------------------------
    Leg("invitation", Step("notified", "confirm", "confirmed", "case.confirm", zh="信息采集"), (
        Step("notified", "close", "closed", "case.open", zh="终止"),)),
    Leg("application", Step("applied", "precheck", "prechecked", "case.confirm", zh="初审"), (
        Step("applied", "return_papers", "returned", "case.confirm", zh="补正告知"),
        Step("applied", "withdraw", "withdrawn", "case.open", zh="撤回"))),
    Leg("application", Step("prechecked", "accept", "accepted", "case.confirm", (another_checker,), zh="受理"), (
        Step("prechecked", "return_papers", "returned", "case.confirm", zh="补正告知"),
        Step("prechecked", "decline", "declined", "case.confirm", zh="不予受理"),
        Step("prechecked", "withdraw", "withdrawn", "case.open", zh="撤回"),
        Step("returned", "resubmit", START, "case.open", zh="补交"),
        Step("returned", "withdraw", "withdrawn", "case.open", zh="撤回"))),
    # -- the household register moved: the clock of art. 23 runs until the certificate has followed ------------------
    Leg("departure", Step("noted", "request", "requested", "case.confirm", zh="申请迁出"), (
        Step("noted", "close", "closed", "case.open", zh="终止"),
        Step("noted", "freeze", "frozen", "case.clock", (noted_by_two,), zh="逾期冻结"),
        Step("frozen", "request", "requested", "case.confirm", zh="申请迁出"),
        Step("frozen", "lapse", "lapsed", "case.clock", (noted_by_two,), zh="逾期注销"))),
    # -- what was reported is found true by a second source or a call ------------------------------------------------
    Leg("verification", Step("reported", "verify", "verified", "case.confirm", (another_reporter,), zh="核实"), (
        Step("reported", "disprove", "disproved", "case.confirm", zh="查否"),)),
    # -- an institution decides category and grade -------------------------------------------------------------------
    Leg("assessment", Step("verified", "book", "booked", "case.confirm", zh="预约评定"), (
        Step("booked", "miss", "verified", "case.confirm", zh="未到评"),
        Step("booked", "call_off", "verified", "case.confirm", zh="取消预约"))),
    Leg("assessment", Step("booked", "assess", "assessed", "case.assess", zh="评定"), (
        Step("signed", "fail", "unmet", "case.review", zh="不予办理"),
        Step("noticed", "reassess", "verified", "case.review", zh="退回重评"))),
    Leg("assessment", Step("assessed", "countersign", "signed", "case.assess", zh="会签"), (
        Step("assessed", "differ", "verified", "case.assess", zh="意见不一"),)),
    # -- the village or community may object -------------------------------------------------------------------------
    Leg("notice", Step("signed", "publish", "publicised", "case.confirm", zh="公示")),
    Leg("notice", Step("publicised", "end_notice", "noticed", "case.confirm", (notice_over,), zh="公示期满"), (
        Step("publicised", "extend_notice", "publicised", "case.clock", zh="公示顺延"),
        Step("publicised", "object", "objected", "case.confirm", zh="提出异议"),
        Step("objected", "dismiss", "publicised", "case.review", zh="异议不成立"),
        Step("objected", "uphold", "verified", "case.review", zh="异议成立"))),
    # -- two persons decide ------------------------------------------------------------------------------------------
    Leg("decision", Step("noticed", "review", "reviewed", "case.review", zh="审核"), (
        Step("noticed", "send_back", START, "case.review", zh="退回"),)),
    Leg("decision", Step("reviewed", "approve", "approved", "case.approve", zh="批准"), (
        Step("reviewed", "send_back_to_review", "noticed", "case.approve", zh="退回审核"),
        Step("reviewed", "refuse", "refused", "case.approve", zh="不予批准"))),
    Leg("decision", Step("approved", "recheck", "rechecked", "case.approve", zh="市级复审"), (
        Step("approved", "send_back_to_approval", "reviewed", "case.approve", zh="退回批准"),)),
    # -- the certificate arrives at its new office, or a card is ordered ---------------------------------------------
    Leg("arrival", Step("rechecked", "arrive", "arrived", "case.confirm", zh="迁入确认"), (
        Step("rechecked", "turn_back", START, "case.confirm", zh="迁入退回"),)),
    Leg("card", Step("rechecked", "order", "ordered", "case.approve", zh="证卡同办")),
)

ANY: Final = ""
"""Stands for every open state of a kind: as a target, for the one in which the case is."""

LEFT_BEHIND: Final = (
    Step(ANY, "confirm_move", ANY, "case.confirm", (unconfirmed, another_reporter), zh="核实迁移日期"),
    Step(ANY, "freeze", ANY, "case.clock", (noted_by_two,), zh="逾期冻结"),
    Step(ANY, "lapse", "lapsed", "case.clock", (noted_by_two,), zh="逾期注销"))
"""What happens to a departure wherever on its line it is: another person than who noted the move finds its day in the
household register, and then the clock of art. 23 runs, until the arrival alone ends it.
"""

STRANDED: Final = (Step(ANY, "close", "closed", "case.clock", zh="终止"),)
"""An arrival whose departure has ended has nothing to wait for, wherever on its line it is."""

ENDS: Final = frozenset({"closed", "withdrawn", "declined", "disproved", "unmet", "refused", "lapsed"})
"""States in which a case may end before the end of its line."""

PAIRS: Final[Mapping[tuple[str, str], Guard]] = {
    ("assess", "countersign"): another_assessor, ("review", "approve"): another_person,
    ("review", "refuse"): another_person, ("approve", "recheck"): another_approver}
"""(first step, second step) → what holds that two persons take them. Where both are taken, a policy must say so."""


@dataclass(frozen=True)
class Kind:
    """A kind of case (办理事项): the stages of the line that it may have, those it needs, and the times it needs;
    `anywhere`: what the platform may do to it in any open state.
    """

    name: str
    zh: str
    stages: frozenset[str]
    needs: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset()
    anywhere: tuple[Step, ...] = ()

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The legs of the line that this kind has."""
        return tuple(leg for leg in LINE if leg.stage in self.stages)

    @property
    def actions(self) -> frozenset[str]:
        """Every step that this kind may have, by its action."""
        on_the_line = (step for leg in self.legs for step in (leg.step, *leg.aside))
        return frozenset(step.action for step in (*on_the_line, *self.anywhere))


def rows(kind: Kind, off: Collection[str] = ()) -> tuple[list[tuple[Step, str]], str]:
    """The steps of a kind without those `off`, each with the action of its leg; and the state at the line's end.

    A step of the line that is off lets the states before and after it fall together under the earlier name, and takes
    its ways aside along. With nothing off this is the master table of the kind.
    """
    here = kind.legs[0].step.source
    names, taken = {START: here}, []
    for leg in kind.legs:
        names[leg.step.source] = here
        if leg.step.action in off:
            names[leg.step.target] = here
        else:
            taken += [(step, leg.step.action) for step in (leg.step, *leg.aside) if step.action not in off]
            here = leg.step.target
    found = [(replace(step, source=names.get(step.source, step.source), target=names.get(step.target, step.target)),
              lead) for step, lead in taken]
    return [*found, *_anywhere(kind, found, off)], here


def _anywhere(kind: Kind, line: list[tuple[Step, str]], off: Collection[str]) -> list[tuple[Step, str]]:
    """What the platform may do in every open state of a line; where the line has a way of its own for it, that one."""
    leads = {step.source: lead for step, lead in reversed(line)}
    own = {(state, step.action) for step, _ in line for state in (step.source, step.target)}
    return [(replace(step, source=state, target=step.target or state), leads[state])
            for state in dict.fromkeys(step.source for step, _ in line) for step in kind.anywhere
            if step.action not in off and (state, step.action) not in own]


def _kinds() -> tuple[Kind, ...]:
    office = frozenset({"application", "decision"})
    card = office | {"card"}
    whole = card | {"assessment", "notice"}
    doctor, report = frozenset({"assessment"}), frozenset({"verification"})
    moves = (("city", "市内"), ("province", "省内跨市"), ("nation", "跨省"))
    clock = frozenset({"freeze_months", "cancel_months", "warning_days"})
    return (
        Kind("new", "申领", whole, needs=doctor | {"notice"}),
        Kind("exchange", "换发", whole - {"application"} | {"invitation"}),
        Kind("renewal", "换领", whole, times=frozenset({"opens_years"})),
        Kind("damage", "残损换领", card),
        Kind("loss", "补办", card),
        Kind("change", "类别等级变更", whole, needs=doctor | {"notice"}),
        Kind("correction", "更正", card),
        *(Kind(f"transfer_out_{name}", f"{zh}迁出", frozenset({"departure", "decision", "arrival"}), times=clock,
               anywhere=LEFT_BEHIND)
          for name, zh in moves),
        *(Kind(f"transfer_in_{name}", f"{zh}迁入", whole, anywhere=STRANDED) for name, zh in moves),
        Kind("cancellation", "注销（死亡、本人申请）", office | report, report, frozenset({"bar_years"})),
        Kind("cancellation_unmet", "注销（不再符合标准）", office | doctor, doctor, frozenset({"bar_years"})),
        Kind("restoration", "恢复", office | {"verification"}),
        Kind("freeze", "冻结", report | {"decision"}, report),
        Kind("unfreeze", "解冻", office),
        *(Kind(f"dispute_{name}", f"{zh}级复核", office | doctor, doctor, frozenset({"closes_working_days"}))
          for name, zh in (("city", "市"), ("province", "省"))),
    )


KINDS: Final = {kind.name: kind for kind in _kinds()}
"""Every kind of case, by name."""

DEPARTURES: Final = tuple(name for name in KINDS if name.startswith("transfer_out"))
"""Kinds of departure (迁出): a holder has one that is open, whichever of them it is."""

ARRIVALS: Final = tuple(name for name in KINDS if name.startswith("transfer_in"))
"""Kinds of arrival (迁入)."""


def slot(kind: str) -> str:
    """What a person has open once at most: a case of this kind, or any departure."""
    return "transfer_out" if kind in DEPARTURES else kind


STATES: Final = frozenset(state for kind in KINDS.values() for step, _ in rows(kind)[0]
                          for state in (step.source, step.target))
"""Every state that a case may be in, whatever its kind."""

DECIDED: Final = frozenset({"approved", "rechecked", "arrived", "ordered"})
"""States behind an approval: two persons have decided."""

DUTIES: Final = {step.action: step.permission for leg in LINE for step in (leg.step, *leg.aside)
                 if step.action in {lead.step.action for lead in LINE} | {"resubmit", "dismiss"}
                 if step.action not in {"end_notice", "order", "arrive"}}
"""Steps for which a case waits for an officer, in the order of the line → the permission."""


DISPUTES: Final = ("dispute_city", "dispute_province")
"""Kinds of case in which a higher office looks again at what was decided (办法 art. 25)."""

UNHEARD: Final = ("withdrawn", "declined")
"""States in which a dispute ended before it was heard: within its time limit it may be brought again."""

UNDONE: Final = "case.confirm"
"""Permission to undo a wrong report."""


def undone(state: str) -> Step:
    """A report that two persons believed was wrong (误报撤销): what it stopped or ended holds again at once, by one
    officer. Beside the line, for the case has ended in this state: restoring harms nobody, and may be looked at later.
    """
    return Step(state, "undo", state, UNDONE, zh="误报撤销")


def bereft(state: str) -> Step:
    """The certificate of a departure has ended or has left, or the record of any case has moved to another office: the
    case ends, wherever it stands (终止).
    """
    return Step(state, "close", "closed", "case.clock", zh="终止")


def kept(state: str) -> Step:
    """Both offices have decided, and the platform cannot do it yet: the event of either side says why (暂缓衔接)."""
    return Step(state, "wait", state, "case.clock", zh="暂缓衔接")


def named(state: str) -> Step:
    """The office where the holder arrives opens its own side of a departure that did not know where to (迁入地确定)."""
    return Step(state, "name_office", state, "case.open", zh="迁入地确定")


def by_death(state: str) -> Step:
    """The person has died: their case ends, wherever it stands (因死亡终止). Beside the line of every kind, for no
    office chooses it: it follows from the cancellation that is approved.
    """
    return Step(state, "end_by_death", "closed", "case.approve", zh="因死亡终止")


def resumed(state: str) -> Step:
    """The death was reported wrongly: the case that ended by it goes on where it was (恢复办理). The database allows it
    to this state alone, and to no case that ended otherwise.
    """
    return Step("closed", "resume", state, "case.approve", zh="恢复办理")


STAYS_CLOSED: Final = Step("closed", "stay_closed", "closed", "case.approve", zh="不再恢复")
"""A case that ended by a death which was reported wrongly, and cannot go on: another one of its kind is open."""


def recounted(state: str) -> Workflow:
    """The last day of a case in this state is counted again (期限重算): beside the line, and it stays where it is."""
    return Workflow("case", state, (Step(state, "count_again", state, "case.clock", zh="期限重算"),))


def another_day(state: str) -> Step:
    """The assessment of the case is on another day now (改约): the case stays where it is."""
    return Step(state, "rebook", state, "case.confirm", zh="改约")


def guarded(state: str) -> Step:
    """Who answers for the person is named, or corrected (登记监护人): the case stays where it is."""
    return Step(state, "name_guardian", state, "case.confirm", zh="登记监护人")


def found_again(state: str) -> Step:
    """The card of a loss for which none is made after all was found (解挂): the report is lifted, and the case stays
    where it ended.
    """
    return Step(state, "lift_loss", state, "card.restore", zh="解挂")


def frozen_again(state: str) -> Step:
    """The day of the freeze came while the certificate was frozen for another reason, which has ended (补冻)."""
    return Step(state, "freeze_again", state, "case.clock", (noted_by_two,), zh="补冻")


def as_it_was_seen(case: Any, facts: Mapping[str, Any]) -> None:
    """Nobody takes a case from a colleague without having seen that the colleague has it."""
    if case.assignee_id != facts["seen"]:
        raise Refusal("case-taken")


def no_colleagues(case: Any, facts: Mapping[str, Any]) -> None:
    """Nobody gives away what lies on a colleague's desk."""
    if case.assignee_id not in (None, facts["by"].id):
        raise Refusal("case-taken")


def its_assignee(case: Any, facts: Mapping[str, Any]) -> None:
    """Only who has a case on the desk gives it back."""
    if case.assignee_id != facts["by"].id:
        raise Refusal("case-not-yours")


def desk(state: str) -> Workflow:
    """Who sees to a case that is in this state (经办): acts beside its line, which leave it where it is. They organise
    work and open or close no step of the line.
    """
    return Workflow("case", state, (
        Step(state, "take_on", state, "case.read", (as_it_was_seen,), zh="接办"),
        Step(state, "ask", state, "case.read", (no_colleagues,), zh="请办"),
        Step(state, "give_back", state, "case.read", (its_assignee,), zh="退还"),
        Step(state, "hand_on", state, "account.own", zh="移交")))
