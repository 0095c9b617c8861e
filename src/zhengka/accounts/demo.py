"""The demonstration's officers, one for each role and a second clerk, and the one password that they share."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from zhengka.accounts.roles import ROLES

NAMES = {"clerk": "周敏", "clerk2": "何静", "reviewer": "李强", "approver": "王芳", "assessor": "郑军",
         "producer": "陈刚", "leader": "刘洋", "system": "赵磊", "security": "孙丽", "audit": "吴静"}
"""User name → name. Who verifies a report is another clerk than who brought it in."""


@dataclass(frozen=True)
class DemoOfficer:
    """A demo login as it is shown: user name, role in both languages, password."""

    username: str
    role: str
    role_zh: str
    password: str


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
    return [DemoOfficer(name, role, ROLES[role][0], password()) for name in NAMES if (role := name.rstrip("2"))]
