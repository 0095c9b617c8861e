"""What administrators find when the demo is done: devices to pair, an account and a lent right to permit, a ceremony of
keys; and the table of what waits for whom.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from rich.table import Table

from zhengka.accounts import demo
from zhengka.accounts import queries as accounts
from zhengka.accounts import services as rights
from zhengka.accounts.models import Officer
from zhengka.accounts.services import Account, Days
from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.cards.workflow import CARD
from zhengka.cases import late
from zhengka.cases import queries as cases
from zhengka.cases.workflow import LINE
from zhengka.cli import officers
from zhengka.cli.line import act
from zhengka.core.actors import Actor
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.devices import queries as devices
from zhengka.devices import services as device_services
from zhengka.devices.services import About
from zhengka.keys import queries as keys
from zhengka.keys import services as key_services
from zhengka.keys.rules import AMONG
from zhengka.production import queries as batches
from zhengka.production.workflow import BATCH

DEVICES: Final = (
    ("system", demo.CAPITAL, About("reader", "窗口读卡器一", "长沙市政务大厅 1 号窗口", "周敏")),
    ("system", demo.CAPITAL, About("gate", "地铁闸机演示", "长沙市五一广场站", "刘洋", "G-4301-01")),
    ("county-system", demo.COUNTY, About("reader", "硚口窗口读卡器", "硚口区政务服务中心 3 号窗口", "谢安")),
    ("county-system", demo.COUNTY, About("gate", "硚口公园闸机", "硚口公园南门", "邓波", "G-4201-01")))
"""Who registers what, where: a reader at a desk, which its clerk pairs, and a gate."""
NEWCOMERS: Final = (("system", "trainee", "童瑶", demo.PROVINCE),
                    ("county-system", "county-trainee", "方晓", demo.COUNTY))
"""Accounts that were opened and wait to be permitted: who opened them, login, name, office."""
SUITE, SLOT = "INTL", "control"
"""The key whose ceremony waits for its custodians: that of the international algorithms, beside the one in use."""


def furnish(units: list[Area], *, at: datetime) -> None:
    """Devices, accounts, a lent right and a ceremony that wait; a repeat makes nothing twice."""
    for keeper, office, about in DEVICES:
        _once(device_services.register, "device", about.name, area=_area(office, units), about=about,
              by=officers.actor(keeper), at=at)
    for opener, login, name, office in NEWCOMERS:
        if not Officer.objects.filter(username=login).exists():
            _once(rights.open_account, "account", login, by=officers.actor(opener), account=Account(
                login, name, f"demo-{login}", "clerk", Area.objects.get(code=office), demo.password()))
    today = timezone.localdate(at)
    _once(rights.lend, "lend", "reviewer", deputy=Officer.objects.get(username="clerk2"), at=at,
          days=Days(today, today + timedelta(days=7)), by=officers.actor("reviewer"))
    _ceremony(units[0], at)


def _area(office: int, units: list[Area]) -> Area:
    return Area.objects.filter(code=office).first() or units[0]


def _once(do: Callable[..., Any], *what: str, **told: Any) -> None:
    key = _request(*what)
    if not Event.objects.filter(request_id=key).exists():
        with suppress(Replayed):
            do(**told, request_id=key)


def _request(*what: str) -> UUID:
    return act("furnish", *what)


def _ceremony(unit: Area, at: datetime) -> None:
    """A key of another slot is to be born: the custodians are asked, and none has come yet."""
    custodians = list(Officer.objects.filter(role="custodian", state="active", person__startswith="demo-").order_by(
        "username"))[:AMONG]
    province = Area.objects.get(code=unit.code // 10**10 * 10**10)
    if len(custodians) == AMONG:
        wanted = key_services.Wanted("generate", custodians, suite=SUITE, slot=SLOT, place=province.code)
        _once(key_services.open_ceremony, "ceremony", SUITE, wanted=wanted, area=province,
              by=officers.actor("security"), at=at)
        key_services.carry_on(Event.objects.get(request_id=_request("ceremony", SUITE)).subject_id, at=at)


# -- the table -------------------------------------------------------------------------------------------------------

OF_CARDS: Final = (("ordered", "batch"), ("held", "release"), ("ready", "hand_over"), ("issued", "activate"),
                   ("suspect", "destroy"), ("missing", "declare_lost"))
OF_BATCHES: Final = (("open", "prepare"), ("prepared", "send"), ("sent", "receive"))
"""State of a card or batch → the step for which it waits there."""


def waits(actor: Actor, today: date) -> list[tuple[str, int]]:
    """What waits for an officer: in words of both languages, and how much; as the officer's worklist has it."""
    own = {leg.step.action: leg.step.zh for leg in LINE} | {step.action: step.zh for leg in LINE for step in leg.aside}
    found = [(f"{own.get(action, '')} {action.replace('_', ' ')}", number)
             for action, number in cases.duties(actor).items()]
    if actor.may("card.read"):
        states = cards.counts(actor)
        found += [(_words(CARD.step(state, action)), states.get(state, 0)) for state, action in OF_CARDS
                  if actor.may(CARD.step(state, action).permission)]
    if actor.may("card.activate"):
        ending = cards.ending_by_area(actor, today)
        found.append(("年度激活 yearly activation", sum(sum(office.cards.values()) for office in ending)))
    if actor.may("batch.make"):
        has = batches.by_state(actor)
        found += [(_words(BATCH.step(state, action)), has.get(state, 0)) for state, action in OF_BATCHES]
    return [(what, number) for what, number in (*found, *_offices(actor, today)) if number]


def _offices(actor: Actor, today: date) -> list[tuple[str, int]]:
    """What waits for administrators, custodians and leaders."""
    found = []
    if actor.may("officer.permit"):
        found += [("授权 permit a role", accounts.waiting(actor=actor).count()),
                  ("准予委托 permit a lent right",
                   accounts.lendings(today, actor=actor).filter(state="asked").count())]
    if actor.may("key.custody"):
        found.append(("密钥仪式 take part in a ceremony", keys.waiting(actor)))
    if actor.may("device.manage"):
        found.append(("机具 devices to put to work", devices.devices(actor=actor).filter(state="registered").count()))
    if actor.may("plan.read") and not actor.may("case.read"):
        found.append(("逾期 late cases to look into", sum(one.late for one in late.by_office(actor, today))))
    return found


def _words(step: Any) -> str:
    return f"{step.zh} {step.action.replace('_', ' ')}"


def table() -> Table:
    """For each demo officer what waits."""
    shown = Table("账号 Login", "岗位 Role", "单位 Office", "待办 What waits", title="待办一览 what waits for whom",
                  title_justify="left")
    today = timezone.localdate()
    for one in demo.officers():
        officer = Officer.objects.filter(username=one.username, state="active").first()
        if officer is not None:
            found = waits(rights.actor_of(officer), today)
            shown.add_row(one.username, f"{one.role_zh} {one.role}", one.office_zh,
                          "; ".join(f"{what} {number:,}" for what, number in found) or "— 查阅 reads only")
    return shown
