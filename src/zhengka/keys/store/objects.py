"""Objects of a token: found, made, put there, and a key that works there."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pkcs11 import KDF, Attribute, KeyType, MechanismFlag, ObjectClass

from zhengka.formats.suites import SUITES, PublicKey, factor_blocks, open_transport, sixteens
from zhengka.keys.store.interface import (
    PAIRS,
    KeyInfo,
    NoSuchKey,
    NotExportable,
    Usage,
    WorkingKey,
    WrongKey,
)
from zhengka.keys.store.mechanisms import Family
from zhengka.keys.store.token import Desk, Token

_STAYS: Final = {
    Attribute.TOKEN: True, Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_WORK: Final = {
    Usage.SIGN: MechanismFlag.SIGN | MechanismFlag.VERIFY,
    Usage.UNWRAP: MechanismFlag.DERIVE,
    Usage.DIVERSIFY: MechanismFlag.ENCRYPT | MechanismFlag.DERIVE,
    Usage.MAC: MechanismFlag.ENCRYPT | MechanismFlag.SIGN,
    Usage.CIPHER: MechanismFlag.ENCRYPT,
}
"""What the token lets a key do; a symmetric key enciphers zeros for its check value."""
_AT_ONCE: Final = 1 << 16
"""Bytes for one call of the token's cipher: a batch of cards is some calls, and a silent token is found out between."""


class TokenKey(WorkingKey):
    """A key that lives in the token. Each method is one piece of work there, the key found anew for it."""

    def __init__(self, token: Token, family: Family, info: KeyInfo, ident: bytes) -> None:
        """`ident`: the id of its object in the token. That the object is the key described is proved in every call."""
        self._token, self._family, self.info, self._id = token, family, info, ident

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """See `WorkingKey.sign`. The first and the last signature are checked: WrongKey, and none is returned."""
        public = self._public()
        digests = [public.message_digest(message) for message in messages]
        made = self._token.call(lambda desk: self._sign(desk, digests))
        right = all(len(signature) == 64 for signature in made) and all(
            public.verify(messages[place], made[place]) for place in sorted({0, len(made) - 1}) if made)
        if not right:
            raise WrongKey(f"the token signed for {self.info.label} with another key")
        return made

    def decrypt(self, blob: bytes) -> bytes:
        """See `WorkingKey.decrypt`."""
        return open_transport(blob, self._public(), lambda point: self._token.call(
            lambda desk: self._agree(desk, point)))

    def diversify(self, factors: Sequence[bytes], through: Sequence[bytes]) -> list[bytes]:
        """See `WorkingKey.diversify`."""
        blocks, levels = factor_blocks(factors), [factor_blocks([factor]) for factor in through]
        return sixteens(self._token.call(lambda desk: self._draw(desk, levels, blocks)))

    def mac(self, messages: Sequence[bytes]) -> list[bytes]:
        """See `WorkingKey.mac`."""
        def work(desk: Desk) -> list[bytes]:
            key, made = self._secret(desk), []
            for message in messages:
                made.append(key.sign(message, mechanism=self._family.mechanisms["mac"]))
                desk.beat()
            return made
        return self._token.call(work)

    def ecb(self, blocks: bytes) -> bytes:
        """See `WorkingKey.ecb`."""
        if len(blocks) % 16:
            raise ValueError("a block is 16 bytes")
        return self._token.call(lambda desk: encrypt(desk, self._family, self._secret(desk), blocks))

    def secret(self) -> bytes:
        """See `WorkingKey.secret`: it never leaves."""
        raise NotExportable(f"{self.info.label} lives in the token")

    def _public(self) -> PublicKey:
        return SUITES[self.info.suite].public_key(bytes.fromhex(self.info.public))

    def _object(self, desk: Desk, kind: ObjectClass) -> Any:
        for found in find(desk, CLASS=kind, ID=self._id):
            return found
        raise NoSuchKey(f"the key {self.info.label} is not in the token")

    def _sign(self, desk: Desk, digests: Sequence[bytes]) -> list[bytes]:
        key, made = self._object(desk, ObjectClass.PRIVATE_KEY), []
        desk.begun = True
        for digest in digests:
            made.append(key.sign(digest, mechanism=self._family.mechanisms["sign"]))
            desk.beat()
        return made

    def _agree(self, desk: Desk, point: bytes) -> bytes:
        key = self._object(desk, ObjectClass.PRIVATE_KEY)
        shared = key.derive_key(
            KeyType.GENERIC_SECRET, 256, mechanism=self._family.mechanisms["agree"],
            mechanism_param=(KDF.NULL, None, point), capabilities=MechanismFlag(0), store=False,
            template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True})
        secret = bytes(shared[Attribute.VALUE])
        shared.destroy()
        return secret

    def _draw(self, desk: Desk, levels: Sequence[bytes], blocks: bytes) -> bytes:
        """The levels between stay in the token where it can derive; else they are in memory during the call."""
        key, passing = self._secret(desk), []
        try:
            for level in levels:
                if "derive" not in self._family.mechanisms:
                    between = encrypt(desk, self._family, key, level)
                    key = desk.session.create_object(_secret(self._family, Usage.DIVERSIFY) | {
                        Attribute.TOKEN: False, Attribute.VALUE: between})
                else:
                    key = key.derive_key(
                        KeyType.AES, 128, mechanism=self._family.mechanisms["derive"], mechanism_param=level,
                        capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DERIVE, store=False,
                        template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False})
                passing.append(key)
            return encrypt(desk, self._family, key, blocks)
        finally:
            for one in passing:
                one.destroy()

    def _secret(self, desk: Desk) -> Any:
        """The symmetric key, its check value compared: one block more in each call, for another hand may have changed
        the token since the last; WrongKey.
        """
        key = self._object(desk, ObjectClass.SECRET_KEY)
        if encrypt(desk, self._family, key, bytes(16))[:3].hex() != self.info.check_value:
            raise WrongKey(f"the token has another key for {self.info.label}")
        return key


def find(desk: Desk, **attributes: Any) -> Iterator[Any]:
    """The objects with these attributes, named as in the standard without their prefix."""
    return iter(list(desk.session.get_objects({Attribute[name]: value for name, value in attributes.items()})))


def encrypt(desk: Desk, family: Family, key: Any, blocks: bytes) -> bytes:
    """Whole blocks under a secret key of the token, in pieces."""
    made = []
    for start in range(0, len(blocks), _AT_ONCE):
        made.append(key.encrypt(blocks[start:start + _AT_ONCE], mechanism=family.mechanisms["encrypt"]))
        desk.beat()
    return b"".join(made)


def make_secret(desk: Desk, family: Family, usage: Usage, ident: bytes, label: str) -> Any:
    """A symmetric key born in the token, that stays there."""
    return desk.session.generate_key(
        KeyType.AES, 128, id=ident, label=label, store=True, mechanism=family.mechanisms["make_secret"],
        capabilities=_WORK[usage], template=_STAYS | {Attribute.KEY_TYPE: family.kinds["secret"]})


def make_pair(desk: Desk, family: Family, usage: Usage, ident: bytes, label: str) -> Any:
    """A key pair born in the token; its public object. The private one stays there."""
    kind = {Attribute.KEY_TYPE: family.kinds["pair"]}
    parameters = desk.session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: family.curve}, local=True)
    public, _ = parameters.generate_keypair(
        id=ident, label=label, store=True, mechanism=family.mechanisms["make_pair"], capabilities=_WORK[usage],
        public_template=kind, private_template=_STAYS | kind)
    return public


def put_secret(desk: Desk, family: Family, info: KeyInfo, ident: bytes, secret: bytes) -> None:
    """A key from outside goes into the token, and stays there."""
    common = _STAYS | {Attribute.ID: ident, Attribute.LABEL: info.label, Attribute.VALUE: secret}
    if info.usage not in PAIRS:
        desk.session.create_object(_secret(family, info.usage) | common)
        return
    desk.session.create_object(common | {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.KEY_TYPE: family.kinds["pair"],
        Attribute.EC_PARAMS: family.curve, Attribute.SIGN: info.usage is Usage.SIGN,
        Attribute.DERIVE: info.usage is Usage.UNWRAP})


def point_of(public: Any) -> bytes:
    """The 65 bytes of a public object; the standard wraps them in an OCTET STRING, some tokens do not."""
    point = bytes(public[Attribute.EC_POINT])
    return point[2:] if len(point) == 67 and point[:2] == b"\x04\x41" else point


def _secret(family: Family, usage: Usage) -> dict[Attribute, Any]:
    return {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: family.kinds["secret"],
            Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.ENCRYPT: True,
            Attribute.SIGN: usage is Usage.MAC, Attribute.DERIVE: usage is Usage.DIVERSIFY}
