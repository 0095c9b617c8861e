"""The demo's officers: one for each role, and who acts when a command is given no officer."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from zhengka.accounts.models import Officer
from zhengka.accounts.roles import ROLES
from zhengka.accounts.services import actor_of, enrol
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal

HUNAN = 430000_000000
NAMES = {"clerk": "周敏", "reviewer": "李强", "approver": "王芳", "producer": "陈刚", "leader": "刘洋",
         "system": "赵磊", "security": "孙丽", "audit": "吴静"}


@dataclass(frozen=True)
class DemoOfficer:
    """A demo login as it is printed: user name, role in both languages, password."""

    username: str
    role: str
    role_zh: str
    password: str


def demo_password() -> str:
    """The demo officers' one password: made at random once per installation, kept in a file only its owner reads."""
    path = Path(settings.HOME) / "secrets" / "demo-password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"zhengka-{secrets.randbelow(10**6):06d}")
    return path.read_text()


def enrol_demo() -> list[DemoOfficer]:
    """One officer per role for the whole pilot, each a person of its own; asking twice changes nothing."""
    area, password = Area.objects.get(code=HUNAN), demo_password()
    shown = []
    for role, (zh, _) in ROLES.items():
        enrol(role, name=NAMES[role], person=f"demo-{role}", role=role, area=area, password=password)
        shown.append(DemoOfficer(role, role, zh, password))
    return shown


def actor(username: str) -> Actor:
    """The officer `username` as an actor; `Refusal("not-found")` where there is none."""
    officer = Officer.objects.select_related("area").filter(username=username, is_active=True).first()
    if officer is None:
        raise Refusal("not-found", officer=username)
    return actor_of(officer)
