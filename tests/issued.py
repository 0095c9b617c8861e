"""Plain functions that make issuers, credentials and status lists for tests. Pure: no database."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache

from zhengka.formats import credential, issuers, qr, statuslist, verdict
from zhengka.formats.credential import Credential, IssuerKey, KeySet
from zhengka.formats.statuslist import StatusList
from zhengka.formats.suites import SUITES, SigningKey
from zhengka.formats.verdict import Verdict

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""Noon in China."""
A_MOMENT = timedelta(microseconds=1)
BASE_URL = "https://zk.example.cn"
CARD = Credential(bytes(range(12)), date(2026, 11, 20), date(2036, 11, 19), 0, 5, 1)


@cache
def signing_key(suite: str = "SM", number: int = 1) -> SigningKey:
    """The test key of a suite with this small number as its secret."""
    return SUITES[suite].private_key((number + 0x1234567890).to_bytes(32))


@dataclass
class Issuer:
    """An issuer with one key, trusted from a year before `NOON` to ten years after."""

    suite: str = "SM"
    number: int = 1
    purposes: Iterable[str] = field(default_factory=lambda: issuers.PURPOSES)
    not_before: datetime = NOON - timedelta(days=365)
    not_after: datetime = NOON + timedelta(days=3650)
    revoked_at: datetime | None = None

    @property
    def key(self) -> SigningKey:
        """Its signing key."""
        return signing_key(self.suite, self.number)

    @property
    def trusted(self) -> IssuerKey:
        """Its public key as verifiers hold it."""
        return credential.issuer_key(
            self.suite,
            self.key.public.point,
            not_before=self.not_before,
            not_after=self.not_after,
            revoked_at=self.revoked_at,
            purposes=self.purposes,
        )

    @property
    def keys(self) -> KeySet:
        """A set of this key alone."""
        return KeySet([self.trusted])

    def payload(self, card: Credential = CARD) -> bytes:
        """A signed credential."""
        key_id = self.key.public.key_id
        return credential.encode_many([card], suite=self.suite, key_id=key_id, sign_many=self.key.sign_many)[0]

    def list_bytes(
        self,
        changed: Iterable[tuple[int, int]] = (),
        *,
        number: int = 0,
        version: int = 1,
        issued_at: datetime = NOON,
        capacity: int = 64,
    ) -> bytes:
        """A signed status list."""
        header = statuslist.Header(number, version, issued_at, issued_at + timedelta(hours=1), capacity)
        key_id = self.key.public.key_id
        return statuslist.build(header, list(changed), suite=self.suite, key_id=key_id, sign=self.key.sign)

    def status_list(self, changed: Iterable[tuple[int, int]] = (), *, issued_at: datetime = NOON) -> StatusList:
        """A status list as a gate holds it."""
        return statuslist.parse(self.list_bytes(changed, issued_at=issued_at), keys=self.keys, at=NOON)

    def decide(
        self,
        payload: bytes,
        *,
        at: datetime = NOON,
        keys: KeySet | None = None,
        status_list: StatusList | None = None,
    ) -> Verdict:
        """The verdict on a payload; without a list, one on which every card is valid."""
        known = status_list or fresh_list(self.suite, self.number)
        return verdict.decide(
            qr.to_text(payload, BASE_URL),
            keys=self.keys if keys is None else keys,
            lists={known.number: known},
            at=at,
            max_age=timedelta(hours=72),
        )


@cache
def fresh_list(suite: str, number: int) -> StatusList:
    """A list of `NOON` on which every card is valid."""
    return Issuer(suite, number).status_list()
