"""Assessment forms on a page: made field by field from the category's dated file, to be filled in by keyboard."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zhengka.areas.calendars import age_on
from zhengka.assessment.forms import Field, Form
from zhengka.assessment.rules import Forms
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.words import bilingual
from zhengka.web.ui.forms import DateField


class AssessmentForm(forms.Form):
    """The form of one category for a person of an age."""

    def __init__(self, form: Form, age: int, *args: Any, **kwargs: Any) -> None:
        """One control for each field that is asked at this age, and what the doctor says of another assessment."""
        super().__init__(*args, **kwargs)
        self.sheet = form
        for field in form.asked_at(age):
            self.fields[field.name] = control(field)
        self.fields["again"] = forms.ChoiceField(label=_("Another assessment"), required=False, choices=[
            ("", gettext("Nothing is said")), ("never", gettext("Never again")),
            *((str(n), ngettext("In %(n)d year", "In %(n)d years", n) % {"n": n}) for n in form.years)])
        reasons = [*form.never.items(), *form.later.items()]
        self.fields["again_reason"] = forms.ChoiceField(label=_("Why never, or why then"), required=False, choices=[
            ("", "—"), *((code, bilingual(pair)) for code, pair in reasons)])

    def take_up(self, draft: Mapping[str, Sequence[str]]) -> None:
        """Show what was kept of this form."""
        for name, field in self.fields.items():
            if values := draft.get(self.add_prefix(name)):
                self.initial[name] = list(values) if isinstance(field, forms.MultipleChoiceField) else values[0]

    def clean(self) -> dict[str, Any]:
        """Never, and again, each with a reason of its own."""
        given = super().clean() or self.cleaned_data
        again, reason = given.get("again", ""), given.get("again_reason", "")
        fitting = self.sheet.never if again == "never" else self.sheet.later if again else {}
        if (again or reason) and reason not in fitting:
            self.add_error("again_reason", gettext("Choose a reason that fits what you say of another assessment."))
        return given

    @property
    def answers(self) -> dict[str, Any]:
        """What was filled in, as `assessment.rules` takes it."""
        return {name: plain(value) for name, value in self.cleaned_data.items() if value not in (None, "", [])}


def plain(value: Any) -> Any:
    """A value in JSON's own types."""
    return str(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value


def control(field: Field) -> forms.Field:
    """The control of one field of a form."""
    label, hint = bilingual(field.words), bilingual(field.hint)
    unit = bilingual(field.unit)
    told: dict[str, Any] = {"label": label, "help_text": hint, "required": not field.optional}
    if field.kind == "number":
        asked = gettext("%(least)s to %(most)s") % {"least": field.least, "most": f"{field.most} {unit}".strip()}
        return forms.DecimalField(**told | {"help_text": f"{hint} ({asked})" if hint else asked}, min_value=field.least,
                                  max_value=field.most, decimal_places=field.places, widget=forms.TextInput(attrs={
            "class": "govuk-input--width-5", "inputmode": "decimal", "autocomplete": "off"}))
    if field.kind == "day":
        return DateField(**{name: value for name, value in told.items() if value != ""})
    options = [(one.code, bilingual(one.words)) for one in field.options]
    if field.kind == "choice":
        return forms.ChoiceField(**told, choices=options, widget=forms.RadioSelect)
    return forms.MultipleChoiceField(**told, widget=forms.CheckboxSelectMultiple, choices=[
        (code, f"{code}) {word}") for code, word in options])


class PartsForm(forms.Form):
    """Which categories a multiple disability may be made of."""

    parts = forms.TypedMultipleChoiceField(label=_("Parts of the multiple disability"), coerce=int,
                                           widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The six that have a form."""
        super().__init__(*args, **kwargs)
        self.fields["parts"].choices = [choice for choice in terms.category_choices()  # type: ignore[attr-defined]
                                        if choice[0] != "7"]

    def clean_parts(self) -> list[int]:
        """Two at least."""
        parts: list[int] = self.cleaned_data["parts"]
        if len(parts) < 2:
            raise forms.ValidationError(gettext("Choose two parts or more."))
        return parts


class Sheets:
    """The forms that one appointment needs: one, or one for each part of a multiple disability."""

    def __init__(self, categories: Sequence[int], source: Forms, *, born: date, on: date,
                 data: Mapping[str, Any] | None, draft: Mapping[str, Sequence[str]] | None = None) -> None:
        """Empty, filled with what was sent, or with what was kept of it (`draft`: name of a control → its values)."""
        self.multiple = len(categories) > 1
        self.forms = [(terms.category(one), str(one), AssessmentForm(
            source.of(one, on), age_on(born, on), data, prefix=f"c{one}")) for one in categories]
        for _word, _category, form in self.forms:
            form.take_up(draft or {})

    @property
    def names(self) -> set[str]:
        """The names of all controls."""
        return {form.add_prefix(name) for _word, _category, form in self.forms for name in form.fields}

    def is_valid(self) -> bool:
        """True where every form was filled in rightly; each is looked at, so that all faults show at once."""
        return all([form.is_valid() for _word, _category, form in self.forms])

    @property
    def answers(self) -> dict[str, Any]:
        """The answers, by part where there are several."""
        if self.multiple:
            return {category: form.answers for _word, category, form in self.forms}
        return self.forms[0][2].answers

    def blame(self, field: str, words: str) -> None:
        """Put a fault that the rules found beside its field, or above the form."""
        for _word, _category, form in self.forms:
            if field in form.fields:
                form.add_error(field, words)
                return
        self.forms[0][2].add_error(None, words)
