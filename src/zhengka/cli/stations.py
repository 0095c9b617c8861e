"""Read-back stations of the demo (核对机): a paired reader beside the counter that looks at a box of finished cards."""

from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.cli import line, officers
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.production import services as production
from zhengka.production.models import Batch
from zhengka_reader import home as homes
from zhengka_reader import station
from zhengka_reader.desk import Desk

NAME: Final = "成品核对机"
PLACE: Final = "验收室"


def look(batch: Batch, box: Path, who: line.Officers, *, request_id: UUID, at: datetime | None = None) -> Batch:
    """Let the station of the officers' place look at a box, and take what it saw."""
    at = at or timezone.now()
    home, seen = _ready(who, at), box.with_suffix(".looks")
    station.look(box, home, seen)
    return production.take_station(batch, seen, by=who.producer, request_id=request_id, at=at)


def pair(row: Device, home: Path, *, by: Actor, request_id: UUID, at: datetime) -> Device:
    """Pair a reader that waits with a reader's home on this machine, as the page and the person at the PC do it."""
    row = devices.new_code(row, by=by, at=at)
    homes.expect(home, row.code)
    told = Desk(home, settings.PUBLIC_URL).answer(
        {"do": "pair", "code": row.code, "nonce": bytes(row.nonce or b"").hex()})
    if "no" in told:
        raise Refusal("reading-ended", outcome=told["no"])
    paired = devices.Paired(told["suite"], bytes.fromhex(told["point"]), row.code, bytes.fromhex(told["signature"]))
    return devices.pair(row, paired, settings.PUBLIC_URL, by=by, request_id=request_id, at=at)


def _ready(who: line.Officers, at: datetime) -> Path:
    """The home of the station of the officers' place, entered and paired once."""
    area = Area.objects.get(code=who.producer.lo)
    home = Path(settings.HOME) / "stations" / str(area.code)
    row = Device.objects.filter(area=area, name=NAME).first()
    if row is None:
        keeper = officers.actor("system" if area.code % 10**10 == 0 else "county-system")
        row = devices.register(area, devices.About("reader", NAME, PLACE, who.clerk.name), by=keeper,
                               request_id=line.act("station", area.code), at=at)
    if row.state == "registered":
        homes.init(home, cards.profile(cards.policy(area.code, at.date()).profile).suite)
        pair(row, home, by=who.clerk, request_id=line.act("station paired", area.code), at=at)
    return home
