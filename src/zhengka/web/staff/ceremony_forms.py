"""Forms of ceremonies over keys. A component that was typed is never written back into a page."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from zhengka.accounts.models import Officer
from zhengka.core.actors import Actor
from zhengka.formats import keyfile
from zhengka.formats.suites import MalformedKey, PublicKey
from zhengka.keys import queries, rules
from zhengka.keys.models import Ceremony, Key
from zhengka.keys.services import MOST_WRAPPED, Wanted
from zhengka.web.staff.words import KEY_PURPOSE_WORDS, KEY_SLOT_WORDS
from zhengka.web.ui.forms import DateField

SHORT = {"class": "govuk-input--width-10", "autocomplete": "off", "spellcheck": "false"}


class Secret(forms.TextInput):
    """One line for digits that are read off a sheet: seen while one types, and never given back by a page."""

    def format_value(self, value: Any) -> None:
        """Nothing, whatever was typed."""


class Digits(forms.CharField):
    """Hexadecimal digits, with or without spaces between their groups."""

    default_error_messages = {"invalid": _("Enter the digits 0 to 9 and A to F.")}

    def to_python(self, value: Any) -> str:
        """The digits alone, in small letters."""
        digits = re.sub(r"\s", "", super().to_python(value) or "").lower()
        if not re.fullmatch(r"[0-9a-f]*", digits):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return digits


class OpenForm(forms.Form):
    """Who the custodians of a ceremony are: what every kind asks for."""

    officers = forms.ModelMultipleChoiceField(
        label=_("Custodians"), queryset=Officer.objects.none(), widget=forms.CheckboxSelectMultiple,
        help_text=_("Different persons, none of them you. Three where components are handed out."))

    def __init__(self, *args: Any, actor: Actor, key: Key | None, **kwargs: Any) -> None:
        """Offer the custodians of the actor's area; for a recovery those who hold a component."""
        super().__init__(*args, **kwargs)
        found = queries.custodians(actor).exclude(person=actor.person)
        if key and isinstance(self, RecoverForm):
            found = found.filter(person__in=key.custodians.values("person"))
        self.fields["officers"].queryset = found  # type: ignore[attr-defined]
        self.fields["officers"].label_from_instance = lambda one: f"{one.name} · {one.person}"  # type: ignore[attr-defined]


class RecoverForm(OpenForm):
    """A recovery: its custodians alone."""


class DestroyForm(OpenForm):
    """A destruction: its custodians alone."""


class RevokeForm(OpenForm):
    """A revocation: its custodians alone."""


class RetireForm(OpenForm):
    """A retirement of a key on which cards depend: why."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}), help_text=_(
        "It stands in the signed transcript."))
    field_order = ("reason", "officers")


class ExportForm(OpenForm):
    """An export: to whom."""

    transport = forms.FileField(label=_("Public key of the receiver"), help_text=_(
        "The receiver's public key file (.json). Compare its key id by telephone before."))

    def clean_transport(self) -> PublicKey:
        """The key in the file."""
        upload = self.cleaned_data["transport"]
        try:
            return keyfile.parse_public(upload.read(keyfile.MOST), upload.name)
        except MalformedKey:
            raise forms.ValidationError(_("This is no public key file.")) from None


class RotateForm(OpenForm):
    """A rotation: how long the version before goes on reading."""

    overlap_until = DateField(label=_("The version before reads until"), required=False)
    exportable = forms.BooleanField(label=_("The key may leave later, under a transport key"), required=False)


class GenerateForm(OpenForm):
    """A new key: what it is for."""

    what = forms.ChoiceField(label=_("What the key is for"))
    suite = forms.ChoiceField(label=_("Suite"), choices=[("SM", "SM2, SM3, SM4"), ("INTL", "P-256, SHA-256, AES")])
    exportable = forms.BooleanField(label=_("The key may leave later, under a transport key"), required=False)
    waits = forms.BooleanField(label=_("It waits; I put it to work later"), required=False)
    field_order = ("what", "suite", "check_value", "wrapped", "all_needed", "overlap_until", "exportable", "waits",
                   "officers")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the keys of cards first, then every other purpose."""
        super().__init__(*args, **kwargs)
        others = [(purpose, KEY_PURPOSE_WORDS[purpose]) for purpose in rules.LIVES if purpose != rules.CARD_MASTER]
        self.fields["what"].choices = [  # type: ignore[attr-defined]
            (KEY_PURPOSE_WORDS[rules.CARD_MASTER], [(f"{rules.CARD_MASTER}/{slot}", word)
                                                    for slot, word in KEY_SLOT_WORDS.items()]),
            (_("Other keys"), others)]


class ImportForm(GenerateForm):
    """A key from elsewhere: its check value, and how its parts belong together."""

    check_value = Digits(label=_("Check value of the key"), widget=forms.TextInput(attrs=SHORT), help_text=_(
        "As it came on another way than the components: 6 digits, or 16 of a signing key."))
    wrapped = forms.FileField(label=_("The key, wrapped under our transport key"), required=False, help_text=_(
        "Where it comes in a file in place of components. Custodians then agree, and type nothing in."))
    all_needed = forms.BooleanField(label=_("Its parts are XORed: every custodian is needed"), required=False)
    overlap_until = DateField(label=_("A version that works now reads until"), required=False)

    def clean_wrapped(self) -> bytes:
        """The bytes of the file; none where there is no file."""
        upload = self.cleaned_data["wrapped"]
        return bytes(upload.read(MOST_WRAPPED + 1)) if upload else b""


class CancelForm(forms.Form):
    """Why a ceremony ends before its time."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class PartForm(forms.Form):
    """A custodian's part: the component from the sheet with its check value, or a tick that agrees."""

    number = forms.IntegerField(label=_("Number of the component"), min_value=0, max_value=255, required=False,
                                widget=forms.TextInput(attrs={**SHORT, "inputmode": "numeric"}),
                                help_text=_("As on the sheet; empty or 0 for parts that are XORed."))
    component = Digits(label=_("Component"), max_length=120, widget=Secret(attrs={
        "autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
        help_text=_("Every group of digits of your sheet."))
    check_value = Digits(label=_("Check value of the component"), max_length=12, widget=forms.TextInput(attrs=SHORT))
    agrees = forms.BooleanField(label=_("I have looked at the key above and agree"))

    def __init__(self, *args: Any, row: Ceremony, number: int, **kwargs: Any) -> None:
        """Only what the kind of ceremony asks for."""
        super().__init__(*args, **kwargs)
        gone = ["agrees"] if row.draws or row.collects else ["number", "component", "check_value"]
        if row.draws:
            gone.append("number")
        for name in gone:
            del self.fields[name]
        if row.aim == "recover":
            self.fields["number"].initial = number


FORMS: dict[str, type[OpenForm]] = {
    "generate": GenerateForm, "import": ImportForm, "rotate": RotateForm, "export": ExportForm,
    "destroy": DestroyForm, "recover": RecoverForm, "revoke": RevokeForm, "retire": RetireForm}
"""Kind of ceremony → its form; complete against `keys.models.KINDS`."""


def wanted_of(kind: str, form: OpenForm, key: Key | None, actor: Actor) -> Wanted:
    """What a form asks for."""
    given = form.cleaned_data
    purpose, _slash, slot = given.get("what", "").partition("/")
    return Wanted(
        kind, list(given["officers"]), key, purpose=purpose, suite=given.get("suite", ""), slot=slot, place=actor.lo,
        check_value=given.get("check_value", ""), all_needed=given.get("all_needed", False),
        exportable=given.get("exportable", False), activates=not given.get("waits", False),
        overlap_until=given.get("overlap_until"), transport=given.get("transport"), wrapped=given.get("wrapped", b""),
        reason=given.get("reason", ""))
