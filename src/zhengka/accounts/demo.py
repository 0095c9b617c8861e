"""The demonstration's officers and the one password that they share: one for each role in the pilot's province, a
second clerk and producer, three custodians of keys, doctors, and in a second region a street, a county and a city.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from zhengka.accounts.roles import ROLES

PROVINCE, CAPITAL = 430000_000000, 430100_000000
CITY, COUNTY, STREET = 420100_000000, 420104_000000, 420104_001000
OFFICES: dict[int, tuple[str, str]] = {
    PROVINCE: ("湖南省", "Hunan Province"), CAPITAL: ("长沙市", "Changsha City"), CITY: ("武汉市", "Wuhan City"),
    COUNTY: ("武汉市硚口区", "Qiaokou District, Wuhan"),
    STREET: ("武汉市硚口区示例街道", "Example Street, Qiaokou District, Wuhan")}
"""12-digit code → the office in Chinese and English. The street is invented; its county's policy lets streets check
first, lets the county decide, and the city look again."""

PEOPLE: dict[str, tuple[str, str, int]] = {
    "clerk": ("周敏", "clerk", PROVINCE), "clerk2": ("何静", "clerk", PROVINCE),
    "reviewer": ("李强", "reviewer", PROVINCE), "approver": ("王芳", "approver", PROVINCE),
    "assessor": ("郑军", "assessor", PROVINCE), "producer": ("陈刚", "producer", PROVINCE),
    "leader": ("刘洋", "leader", PROVINCE), "system": ("赵磊", "system", PROVINCE),
    "security": ("孙丽", "security", PROVINCE), "audit": ("吴静", "audit", PROVINCE),
    "custodian": ("黄薇", "custodian", PROVINCE), "custodian2": ("徐峰", "custodian", PROVINCE),
    "custodian3": ("马兰", "custodian", PROVINCE), "producer2": ("丁洁", "producer", PROVINCE),
    "street": ("林小雨", "clerk", STREET), "county": ("谢安", "clerk", COUNTY), "county2": ("彭丽", "clerk", COUNTY),
    "county-reviewer": ("唐宁", "reviewer", COUNTY), "county-approver": ("许明", "approver", COUNTY),
    "county-producer": ("高远", "producer", COUNTY), "county-producer2": ("罗兰", "producer", COUNTY),
    "county-system": ("邓波", "system", COUNTY),
    "city": ("曾辉", "approver", CITY), "city-reviewer": ("秦川", "reviewer", CITY),
    "city-clerk": ("卢静", "clerk", CITY)}
"""User name → name, role, office. Who verifies a report is another clerk than who brought it in; who sends a batch or
destroys a card another producer than who prepared or proposed it; a key has three custodians."""

DOCTORS: dict[str, int] = {
    f"assessor-{office // 10**8}-{number}": office for office in (CAPITAL, COUNTY) for number in (1, 2)}
"""User name → office of the doctors for whom assessments wait in the demo; each other city of the pilot has two more,
named alike. Their institution brings them (`assessment.demo`)."""


@dataclass(frozen=True)
class DemoOfficer:
    """A demo login as it is shown: user name, role in both languages, password, the 12-digit code of its office."""

    username: str
    role: str
    role_zh: str
    password: str
    area: int

    @property
    def office(self) -> str:
        """The office in English."""
        return OFFICES[self.area][1]

    @property
    def office_zh(self) -> str:
        """The office in Chinese."""
        return OFFICES[self.area][0]


def password() -> str:
    """The demo officers' password: made at random once per installation, kept in a file only its owner reads."""
    path = Path(settings.HOME) / "secrets" / "demo-password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"zhengka-{secrets.randbelow(10**6):06d}")
    return path.read_text()


def officers() -> list[DemoOfficer]:
    """The demo logins; whether such accounts exist is up to who shows them."""
    people = [(name, role, area) for name, (_, role, area) in PEOPLE.items()]
    doctors = [(name, "assessor", area) for name, area in DOCTORS.items()]
    return [DemoOfficer(name, role, ROLES[role][0], password(), area) for name, role, area in (*people, *doctors)]
