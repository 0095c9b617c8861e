"""The boxes of a delivery, typed or pasted a line each; what is wrong is named by its line."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from zhengka.core.errors import Refusal
from zhengka.stock.services import Delivered

DIGITS = 18
"""A serial has at most so many."""
MOST = 5_000
"""Boxes of one delivery: two and a half million cards."""


class BoxesField(forms.CharField):
    """A box in each line: label, first and last serial, number of the seal if there is one; the supplier is told apart.

    Its value: lines as (number of the line, label, first, last, seal).
    """

    def __init__(self, **options: Any) -> None:
        """A text area with a hint."""
        options.setdefault("help_text", _("A line for each box: label, first serial, last serial, number of the seal. "
                                          "Such as Z00017, 43000001, 43000500, F00017."))
        options.setdefault("max_length", 400_000)
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}))
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        """The lines; `ValidationError` with one sentence for each line that is wrong, at most twenty."""
        text, found, wrong = super().clean(value), list[tuple[int, str, int, int, str]](), list[str]()
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    found.append((number, *_box(line)))
                except ValidationError as fault:
                    wrong.append(_in_line(number, fault.message))
        wrong += _twice(found)
        if len(found) > MOST:
            wrong.append(_("More than %(most)s boxes: receive them in several deliveries.") % {"most": f"{MOST:,}"})
        if wrong:
            raise ValidationError(wrong[:20])
        return found


def boxes(told: Mapping[str, Any]) -> list[Delivered]:
    """The boxes of a form that is valid."""
    return [Delivered(told["supplier"], label, first, last, seal) for _line, label, first, last, seal in told["boxes"]]


def named(refusal: Refusal, lines: list[tuple[int, str, int, int, str]], said: str) -> str:
    """What a refusal says, with the line of the box that it names."""
    serial, label = refusal.facts.get("serial"), refusal.facts.get("part")
    for number, name, first, last, _seal in lines:
        if (refusal.code == "blank-known" and serial is not None and first <= serial <= last) or (
                refusal.code == "box-known" and name == label):
            return _in_line(number, said)
    return said


def _box(line: str) -> tuple[str, int, int, str]:
    parts = [part.strip() for part in re.split(r"[,，;；\t]", line)]
    if len(parts) not in (3, 4) or not parts[0] or len(parts[0]) > 60 or len(parts[-1]) > 60:
        raise ValidationError(_("Write label, first serial, last serial and, if there is one, the number of the seal, "
                                "with commas between."))
    if not all(part.isdecimal() for part in parts[1:3]):
        raise ValidationError(_("A serial is a whole number."))
    first, last = (int(part) if len(part) <= DIGITS else 0 for part in parts[1:3])
    if not 0 < first <= last:
        raise ValidationError(_("The last serial is not below the first, and both have at most 18 digits."))
    return parts[0], first, last, parts[3] if len(parts) == 4 else ""


def _twice(found: list[tuple[int, str, int, int, str]]) -> list[str]:
    """Lines that bear the label or a serial of another one."""
    wrong, labels = list[str](), dict[str, int]()
    for number, label, *_rest in found:
        if label in labels:
            wrong.append(_in_line(number, _("Line %(other)s has this label, too.") % {"other": labels[label]}))
        labels.setdefault(label, number)
    by_serial = sorted(found, key=lambda box: box[2])
    for one, other in pairwise(by_serial):
        if other[2] <= one[3]:
            wrong.append(_in_line(other[0], _("Line %(other)s has serials of this box, too.") % {"other": one[0]}))
    return wrong


def _in_line(number: int, said: Any) -> str:
    return str(_("Line %(line)s: %(said)s") % {"line": number, "said": said})
