"""Form rendering in govuk-frontend's markup, and the fields that need more than Django's own.

`FORM_RENDERER = "zhengka.web.ui.forms.Renderer"` is enough: `{{ form }}` and `{{ field.as_field_group }}` then come
with error summary, hints, ties between them, and controls of at least 44 px. Fields that are optional say so in words,
and `SometimesField` says for whom it is not.
"""

import re
import unicodedata
from datetime import date
from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.translation import gettext_lazy as _

OURS = "ui/forms/widgets/"
THEIRS = "django/forms/widgets/"
TEXT_LIKE = ("text", "number", "email", "url", "password", "date", "datetime", "time", "tel", "search", "color")
WIDGETS = {f"{THEIRS}{name}.html": f"{OURS}input.html" for name in TEXT_LIKE} | {
    f"{THEIRS}{name}.html": f"{OURS}{name}.html"
    for name in ("textarea", "select", "checkbox", "radio", "checkbox_select", "file", "clearable_file_input")}


class Renderer(DjangoTemplates):
    """Django's renderer with our templates in place of its own."""

    form_template_name = "ui/forms/form.html"
    field_template_name = "ui/forms/field.html"

    def get_template(self, template_name: str) -> Any:
        """Our widget template where there is one, Django's otherwise."""
        return super().get_template(WIDGETS.get(template_name, template_name))


class DateField(forms.DateField):
    """A date typed as people write it: 2026-03-15, 20260315, 2026年3月15日, 2026/3/15, full-width digits too."""

    default_error_messages = {"invalid": _("Enter a date such as 2026-03-15.")}

    def __init__(self, **options: Any) -> None:
        """One text input with a hint: a calendar widget is slow by keyboard and worse for birth dates."""
        options.setdefault("help_text", _("For example 2026-03-15 or 20260315."))
        options.setdefault("widget", forms.DateInput(
            format="%Y-%m-%d", attrs={"class": "govuk-input--width-10", "inputmode": "numeric", "autocomplete": "off"}))
        super().__init__(**options)

    def to_python(self, value: Any) -> date | None:
        """The date, None for nothing; `ValidationError` for anything that is not one day."""
        if value in self.empty_values or isinstance(value, date):
            return super().to_python(value)
        text = unicodedata.normalize("NFKC", str(value)).strip()
        parts = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text) or re.fullmatch(
            r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", text)
        try:
            return date(*map(int, parts.groups())) if parts else super().to_python("-")
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class LinesField(forms.CharField):
    """A few words, typed in one line or several and read as one line: what a letter says must fit one."""

    def __init__(self, **options: Any) -> None:
        """A text area of two lines."""
        options.setdefault("widget", forms.Textarea(attrs={"rows": 2}))
        super().__init__(**options)

    def to_python(self, value: Any) -> str:
        """The lines behind each other, without what is not seen (pasted from a text program)."""
        seen = "".join(" " if each == "\t" else each for each in str(value or "")
                       if each in "\t\r\n" or unicodedata.category(each) not in ("Cc", "Cf", "Co", "Cs"))
        return str(super().to_python("；".join(filter(None, map(str.strip, seen.splitlines())))))


class SearchField(forms.CharField):
    """One line to search by; the browser keeps nothing of it."""

    def __init__(self, **options: Any) -> None:
        """A search input without autocompletion: other people's names and numbers must not be offered again."""
        options.setdefault("required", False)
        options.setdefault("widget", forms.TextInput(
            attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}))
        super().__init__(**options)


class SometimesField(forms.CharField):
    """One line that is required for some and not for others: the form knows only later for whom."""

    def __init__(self, *, needed_when: Any, **options: Any) -> None:
        """`needed_when`: for whom it is required, in words that stand beside the label instead of "(optional)"."""
        super().__init__(required=False, **options)
        self.needed_when = needed_when
