"""A park with two gates: its rules, its cards, and the bundle that its gates fetch, as of now."""

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from PIL import Image

import portraits
from builders import make_area, make_card, make_certificate, make_holder, request_id
from gate_phone import enter_gate, new_code
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.actors import SYSTEM
from zhengka.devices.models import Device
from zhengka.formats import credential, qr
from zhengka.formats.credential import Credential
from zhengka.gates import services
from zhengka.gates.models import Post
from zhengka.keys import services as keys
from zhengka.production import faces
from zhengka.production.faces import checking

OPERATOR, NORTH, SOUTH = "test-park", "north", "south"
FRAME = (1280, 720)


RULES = """
format = 1
code = "test-park"
zh = "试验公园"
en = "Test Park"
area = [{ code = "430100", zh = "长沙市", en = "Changsha" }]
sees = "benefit"
source = "test"

service = [{ id = "entry", zh = "入园", en = "Entry" }, { id = "bus", zh = "园内巴士", en = "Park bus" }]
venue = [{ id = "north", zh = "北门", en = "North gate" }, { id = "south", zh = "南门", en = "South gate" }]

[[rule]]
id = "entry-free"
service = "entry"
from = 2020-01-01
who = {}
activated = true
gives = { price = "free", companions = 1 }
proofs = ["show", "qr", "tap", "number"]
voucher = ["qr", "slip", "count"]
minutes = 120
zh = "免费入园，可带一名陪同人员"
en = "Holders enter free with a companion"
source = "test"

[[rule]]
id = "bus-free"
service = "bus"
from = 2020-01-01
who = {}
activated = true
gives = { price = "free" }
quota = { day = 1 }
proofs = ["qr", "tap"]
voucher = ["count"]
zh = "园内巴士每日免费一次"
en = "The park bus is free once a day"
source = "test"

[[example]]
say = "入园免票"
who = { category = 5, grade = 3, area = "430102" }
at = 2026-03-07T10:00:00
service = "entry"
venue = "north"
proof = "qr"
gives = "free"
companions = 1

[[example]]
say = "巴士免费一次"
who = { category = 5, grade = 3, area = "430102" }
at = 2026-03-07T10:00:00
service = "bus"
venue = "north"
proof = "qr"
gives = "free"
"""
"""The park's rules as an operator's file has them: everybody with a card enters free; the bus is free once a day."""


def only_the_park(settings: Any, folder: Path) -> None:
    """From now on the one operator is the park, whose files are in this folder."""
    shipped, data = Path(settings.DATA), folder / "data"
    data.mkdir()
    for each in shipped.iterdir():
        if each.name != "places":
            (data / each.name).symlink_to(each)
    (data / "places").mkdir()
    (data / "places" / "test-park.toml").write_text(RULES, "utf-8")
    settings.DATA, settings.HOME, settings.FILES = data, folder / "home", folder / "files"


class Park:
    """Two gates of a park, and what is needed that they can work without a network."""

    def __init__(self, area: Area | None = None) -> None:
        """Make its keys, and enter its gates."""
        self.area, self.now = area or make_area(), timezone.now()
        keys.ensure(self.area.code, "SM", at=self.now - timedelta(days=1))
        self.gates = [self._gate(name, venue) for name, venue in (("一号闸机", NORTH), ("二号闸机", NORTH))]

    def _gate(self, name: str, venue: str) -> Device:
        row = enter_gate(self.area, name)
        services.stand(row, services.Place(OPERATOR, venue), by=SYSTEM, request_id=request_id(), at=self.now)
        return row

    def code(self, number: int = 0) -> str:
        """A code that pairs one of the gates."""
        return new_code(self.gates[number])

    def card(self, state: str = "active", name: str = "田野") -> Card:
        """A card that was issued a month ago and is good for years, with its credential."""
        today = timezone.localdate(self.now)
        holder = make_holder(name=name, area=self.area)
        certificate = make_certificate(holder, generation=3)
        certificate.issued_on, certificate.valid_until = today - timedelta(days=30), today + timedelta(days=3000)
        certificate.save()
        card = make_card(holder, state=state, certificate=certificate, active_until=today + timedelta(days=300))
        cards.allot([card.pk], at=self.now)
        card.refresh_from_db()
        signer = keys.signer("credential", self.area.code, "SM", at=self.now)
        said = Credential(bytes(card.token or b""), card.issued_on, card.valid_until, card.status_list,
                          card.status_index)
        [card.credential] = credential.encode_many([said], suite="SM", key_id=signer.key_id,
                                                   sign_many=signer.sign_many)
        card.save(update_fields=["credential"])
        return card

    def publish(self, at: datetime | None = None) -> None:
        """Lists, keys, rules and the manifest, as gates fetch them."""
        at = at or timezone.now()
        cards.publish_keys()
        cards.publish_status_lists(at=at)
        services.publish_claims(at=at)
        services.publish_gate_keys()
        cards.publish_bundles(at=at)

    @property
    def posts(self) -> list[Post]:
        """Where they stand."""
        return list(Post.objects.filter(state="standing").order_by("pk"))


def text_of(card: Card) -> str:
    """The text of its code."""
    return qr.to_text(bytes(card.credential or b""), "http://127.0.0.1:8000")


def printed(card: Card) -> Image.Image:
    """The side of the printed card with the code on it, at 300 dpi."""
    layout = checking.load(Path(settings.DATA) / "faces" / "disability-2018.toml")
    texts = {"name": card.holder.name, "number": "43990119600101001X42B1", "category": "视力残疾 二级",
             "valid_until": "2036年11月20日", "issuer": layout.issuer("岳麓区", "长沙市"),
             "serial": "4301 0400 0000 0017"}
    face = faces.Face("blue", texts, faces.ready(portraits.make_photo()), text_of(card))
    [found] = faces.print_pictures([face], frozenset({"red"}), layout=layout, plate=faces.plate("png-300"))
    for side in found[:2]:
        if qr.read_image(side):
            return Image.open(io.BytesIO(side)).convert("RGB")
    raise AssertionError("no side of the face has a code that can be read")


def film(face: Image.Image, path: Path) -> Path:
    """What a camera sees before which the card is held, for Chromium's fake camera."""
    frame = Image.new("RGB", FRAME, (94, 90, 84))
    frame.paste(face, ((FRAME[0] - face.width) // 2, (FRAME[1] - face.height) // 2))
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=85)
    path.write_bytes(out.getvalue() * 20)
    return path
