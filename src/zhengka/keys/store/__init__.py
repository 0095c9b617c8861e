"""Key stores (密钥库): where private and master keys live and work. Keys go in and are used; they do not come out.

`KeyStore` is the one interface; `SoftwareStore` keeps it in one encrypted file that several processes may share,
`Pkcs11Store` in a token of a hardware module. A label names one version of one key; who may use it, until when, and how
often it signed are rows of the room.
"""

from zhengka.keys.store import mechanisms
from zhengka.keys.store.interface import (
    Kept,
    KeyInfo,
    KeyStore,
    KeyStoreError,
    LabelTaken,
    NoSuchKey,
    NotExportable,
    StoreBroken,
    TokenLost,
    TokenSilent,
    Usage,
    WrongComponents,
    WrongKey,
    WrongPassphrase,
    WrongUsage,
    WrongWrapped,
)
from zhengka.keys.store.pkcs11 import Pkcs11Store
from zhengka.keys.store.software import SoftwareStore
from zhengka.keys.store.token import Token

__all__ = [
    "Kept",
    "KeyInfo",
    "KeyStore",
    "KeyStoreError",
    "LabelTaken",
    "NoSuchKey",
    "NotExportable",
    "Pkcs11Store",
    "SoftwareStore",
    "StoreBroken",
    "Token",
    "TokenLost",
    "TokenSilent",
    "Usage",
    "WrongComponents",
    "WrongKey",
    "WrongPassphrase",
    "WrongUsage",
    "WrongWrapped",
    "mechanisms",
]
