"""Use cases of the registry (持证人)."""

from zhengka.registry.services.certificates import (
    open_certificate,
    open_certificates_many,
    return_certificate,
    return_certificates_many,
)
from zhengka.registry.services.importing import fetch_refused, give_up_import, receive_import, take_import
from zhengka.registry.services.people import InFull, read_in_full
from zhengka.registry.services.photographs import Photos, receive_photos, set_photo, set_photos, take_photos

__all__ = [
    "InFull",
    "Photos",
    "fetch_refused",
    "give_up_import",
    "open_certificate",
    "open_certificates_many",
    "read_in_full",
    "receive_import",
    "receive_photos",
    "return_certificate",
    "return_certificates_many",
    "set_photo",
    "set_photos",
    "take_import",
    "take_photos",
]
