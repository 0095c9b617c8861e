"""Use cases of letters (文书与通知): written once, carried by workers or printed by an office, told of to the end."""

from zhengka.letters.printing import document as print_document
from zhengka.letters.services.many import leave, settle, write_many
from zhengka.letters.services.outcome import cancel, come_back, mark_delivered, send_again
from zhengka.letters.services.paper import print_again, print_many, read
from zhengka.letters.services.reports import PROVIDER, Report, check_signature, take_report
from zhengka.letters.services.sending import retry, send
from zhengka.letters.services.writing import Message, preview, write

__all__ = [
    "PROVIDER",
    "Message",
    "Report",
    "cancel",
    "check_signature",
    "come_back",
    "leave",
    "mark_delivered",
    "preview",
    "print_again",
    "print_document",
    "print_many",
    "read",
    "retry",
    "send",
    "send_again",
    "settle",
    "take_report",
    "write",
    "write_many",
]
