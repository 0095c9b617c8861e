"""What letters say of a case in words of ours (告知用语), in each language of letters."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from zhengka.cases.workflow import KINDS
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.letters.rules import InWords, day_words
from zhengka.papers.rules import PAPERS, Need

MATTERS: Mapping[str, InWords] = {kind: InWords(KINDS[kind].zh.partition("（")[0], en) for kind, en in {
    "new": "a first application", "exchange": "the exchange for a card", "renewal": "the renewal after ten years",
    "damage": "a new card for a damaged one", "loss": "a new card for a lost one",
    "change": "a change of category or grade", "correction": "a correction of name or number",
    "transfer_out_city": "a move within the city", "transfer_out_province": "a move within the province",
    "transfer_out_nation": "a move to another province", "transfer_in_city": "an arrival from the same city",
    "transfer_in_province": "an arrival from the same province",
    "transfer_in_nation": "an arrival from another province", "cancellation": "the cancellation",
    "cancellation_unmet": "the cancellation", "restoration": "the restoration", "freeze": "the freeze",
    "unfreeze": "the end of the freeze", "dispute_city": "the dispute before the city",
    "dispute_province": "the dispute before the province"}.items()}
"""Kind of case → what a letter calls it."""
UNMET = InWords("没有达到残疾标准", "No disability of the standard was found")
SOMEWHERE = InWords("迁入地", "your new home")
"""Where somebody moves who did not say where to."""
STILL_LOST: Mapping[str, InWords] = {
    "heading": InWords("卡仍在挂失", "Card still blocked"),
    "body": InWords("您的卡还在挂失，不能使用。卡找到了，请带卡到残联解挂。没有找到，可以再申请补办。",
                    "Your card is still reported lost and cannot be used. Have you found it? Bring it to the "
                    "federation, which lifts the report. If not, you may apply for another one again.")}
"""What is said where nobody makes a card for one that was reported lost."""


NOTHING_MORE = InWords("您现在不用做别的事。", "You need not do anything now.")
"""What somebody is told whose papers are all there."""


def papers(needs: Sequence[Need]) -> InWords:
    """The names of papers, in a row."""
    return InWords("、".join(PAPERS[need.paper][0] for need in needs),
                   ", ".join(PAPERS[need.paper][1] for need in needs))


def still_missing(needs: Sequence[Need], said: str) -> InWords:
    """All papers that are missing (一次性告知), then what the officer said beside their names."""
    names = papers(needs)
    filled_in = next((each for each in names if each and said.startswith(each)), "")  # the form comes with the names
    if filled_in and not said[len(filled_in):len(filled_in) + 1].isalnum():
        said = said[len(filled_in):].lstrip("，、；。,;. \n")
    return InWords("；".join(filter(None, (names.zh, said))), "; ".join(filter(None, (names.en, said))))


def to_follow(needs: Sequence[Need], until: date) -> InWords:
    """Which papers somebody is still to bring whose case was accepted without them, and by when."""
    names = papers(needs)
    return InWords(f"还要补交：{names.zh}。请在{day_words(until, 'zh')}以前交来。",
                   f"Please still bring by {day_words(until, 'en')}: {names.en}.")


MOVED = InWords("事项随迁移终止", "Case ended by your move")


def ended_by_a_move(kind: str, number: str) -> InWords:
    """That what the old office had open of somebody who moved has ended there, and where it is asked for now."""
    matter = MATTERS[kind]
    return InWords(
        f"您已迁到新的残联。原残联办理的{matter.zh}（办理编号 {number}）已经终止；如有预约，也已取消。"
        "还需要办理，请到新的残联申请。",
        f"You have moved to another federation. Your case at the old one has ended: {matter.en}, number {number}. Any "
        "appointment there is cancelled. If you still need it, please apply at your new federation.")


def disability(category: int, grade: int) -> InWords:
    """Category and grade as people say them: 肢体二级."""
    kind, severity = CATEGORIES[category], GRADES[grade]
    return InWords(f"{kind.short}{severity.zh}", f"{kind.en} disability, {severity.en.lower()}")


def found(finding: Mapping[str, Any]) -> InWords:
    """What an assessment found, as a case keeps it."""
    return disability(finding["category"], finding["grade"]) if finding.get("category") else UNMET


def stays(reason: str) -> InWords:
    """That a dispute changed nothing, and why, in the officer's words."""
    return InWords(f"维持原来的结果。原因：{reason}", f"The result stays as it was. The reason: {reason}")
