"""What Django says of any field, in plain words: it stands at the field, and the summary names the field before it.

Loaded with the app, before any form is made: a field takes its texts when it is made.
"""

from django import forms
from django.core import validators
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

forms.Field.default_error_messages["required"] = _("Fill this in.")
forms.ChoiceField.default_error_messages["invalid_choice"] = _("Choose one of the list.")
forms.MultipleChoiceField.default_error_messages["invalid_choice"] = _("Choose one of the list.")
forms.ModelChoiceField.default_error_messages["invalid_choice"] = _("Choose one of the list.")
forms.FileField.default_error_messages |= {"invalid": _("Choose a file."), "missing": _("Choose a file."),
                                           "empty": _("The file is empty. Choose another one.")}
validators.MaxValueValidator.message = _("Enter at most %(limit_value)s.")
validators.MinValueValidator.message = _("Enter at least %(limit_value)s.")
validators.MaxLengthValidator.message = ngettext_lazy(
    "Write at most %(limit_value)d character; these are %(show_value)d.",
    "Write at most %(limit_value)d characters; these are %(show_value)d.", "limit_value")
