"""Words of the officers' pages for values that are codes in the rows."""

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from zhengka.formats.certnumber import CATEGORIES, GRADES

Word = str | Promise

ROLE_WORDS: dict[str, Word] = {
    "clerk": _("Clerk"), "reviewer": _("Reviewer"), "approver": _("Approver"), "producer": _("Card production"),
    "leader": _("Leader"), "system": _("System administrator"), "security": _("Security administrator"),
    "audit": _("Audit administrator"),
}
"""Role → its words; a test holds it complete against `accounts.roles`."""

SUBJECT_WORDS: dict[str, Word] = {
    "holder": _("Holder"), "certificate": _("Certificate"), "import": _("Import"), "case": _("Case"),
    "card": _("Card"), "batch": _("Batch"), "officer": _("Officer"),
}
"""Kind of an event's subject → its word."""

SEX_WORDS: dict[int, Word] = {1: _("Male"), 2: _("Female")}


def role_word(role: str) -> Word:
    """The words for a role."""
    return ROLE_WORDS.get(role, role)


def disability(category: int, grade: int) -> str:
    """Category and grade as people say them: 肢体二级; Physical, grade 2."""
    kind, level = CATEGORIES[category], GRADES[grade]
    if (get_language() or "").startswith("zh"):
        return f"{kind.short}{level.zh}"
    return f"{kind.en}, {level.en.lower()}"


def masked(number: str) -> str:
    """A personal number with its middle hidden: enough to tell two people apart at a desk, not enough to use."""
    return number[:3] + "•" * max(len(number) - 7, 0) + number[-4:] if len(number) > 8 else "•" * len(number)
