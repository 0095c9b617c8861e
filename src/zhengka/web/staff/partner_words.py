"""Words of scopes, events and faults of operators' programs; complete against `partners.rules`."""

from django.utils.translation import gettext_lazy as _

from zhengka.web.ui.parts import Text

SCOPE_WORDS: dict[str, Text] = {
    "verify": _("Verify a presented card"), "voucher.issue": _("Issue vouchers"),
    "voucher.redeem": _("Redeem and cancel vouchers"), "status.read": _("Read the feed of status lists"),
    "statement.read": _("Read its own statements"), "statement.dispute": _("Dispute events of its own statements"),
}
EVENT_WORDS: dict[str, Text] = {
    "voucher.redeemed": _("A voucher was redeemed"), "list.published": _("A status list was published"),
    "statement.sent": _("A statement was sent"),
}
FAULT_WORDS: dict[str, Text] = {
    "address-loopback": _("An address of this machine itself"), "address-private": _("An address of a private network"),
    "address-link-local": _("An address of the own cable"),
    "address-unique-local": _("An IPv6 address of a private network"),
    "address-metadata": _("The address where a cloud tells its secrets"),
    "address-translated": _("An IPv6 address that hides an IPv4 address"),
    "address-shared": _("An address behind a provider's translation"),
    "address-not-public": _("An address that is not of the public network"),
    "name-unknown": _("The host's name was not found"), "no-connection": _("No connection"),
    "certificate-wrong": _("Its certificate was not accepted"), "no-answer": _("No answer in time"),
    "redirected": _("It redirects, which is never followed"), "not-taken": _("It answered, but did not take it"),
    "sender-fault": _("A fault of our own"),
}
URL_WORDS: dict[str, Text] = {
    "form": _("This is no address."), "login": _("An address with a user name or password is not entered."),
    "https": _("The address begins with https://."),
    "host": _("The host has a full name on the public network, such as hooks.example.com."),
}
