"""The demo's officers: one for each role, and who acts when a command is given no officer."""

from zhengka.accounts import demo
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of, enrol
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal

HUNAN = 430000_000000


def enrol_demo() -> list[demo.DemoOfficer]:
    """One officer per role for the whole pilot, each a person of its own; asking twice changes nothing."""
    area, shown = Area.objects.get(code=HUNAN), demo.officers()
    for officer in shown:
        enrol(officer.username, name=demo.NAMES[officer.role], person=f"demo-{officer.role}", role=officer.role,
              area=area, password=officer.password)
    return shown


def actor(username: str) -> Actor:
    """The officer `username` as an actor; `Refusal("not-found")` where there is none."""
    officer = Officer.objects.select_related("area").filter(username=username, state="active").first()
    if officer is None:
        raise Refusal("not-found", officer=username)
    return actor_of(officer)
