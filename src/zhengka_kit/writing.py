"""What a reader must answer in the sandbox: each case written by hand, not computed by the core that it is to try."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from zhengka.formats import qr
from zhengka_kit import cases, making, vouchering
from zhengka_kit.cases import Case, Step
from zhengka_kit.making import DAY, NOON, OPERATOR, Card, Keys

FIRST, LATER = "bundles/first", "bundles/later"
SOON: Final = NOON + timedelta(minutes=5)
PASSING: Final = ("valid",)
BAD_BUNDLES: Final = {
    "older": "bundle-rollback", "cut-short": "bundle-mixed", "mixed": "bundle-mixed",
    "without-list": "bundle-incomplete", "of-another": "bundle-other", "forged": "key-unknown",
    "manifest-cut": "bundle-truncated"}
BUNDLE_WORDS: Final = {
    "older": ("An older bundle after a newer one (roll-back)", "旧包回滚"),
    "cut-short": ("A list that is cut short", "状态表被截断"), "mixed": ("A list of another bundle", "新旧文件混用"),
    "without-list": ("A list that is missing", "缺少状态表"),
    "of-another": ("Another operator's bundle", "别家的离线包"),
    "forged": ("A bundle that a stranger signed", "陌生密钥签名的包"),
    "manifest-cut": ("A manifest that is cut short", "清单被截断")}


def make(folder: Path) -> list[Case]:
    """Write a whole sandbox into a folder that is empty or not there; its cases. ValueError for another."""
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty")
    keys = making.make_keys()
    made = making.cards(keys)
    making.bundles(keys, folder / "bundles")
    making.write_cards(folder / "cards", made)
    (folder / "keys.json").write_text(keys.trusted.to_json() + "\n", "utf-8")
    found = [*of_cards(made), *of_bits(keys), *of_clocks(made), *of_bundles(made), *of_rules(made),
             *vouchering.cases(keys)]
    cases.write(folder, found)
    (folder / "README.txt").write_text(README, "utf-8")
    return found


README: Final = """Sandbox of the disability certificate card. Nothing here is of a person.
残疾人证沙箱：其中没有任何真实人员信息，密钥均为测试密钥，生产系统一律拒绝。

keys.json     test keys (format "test"): a production reader must refuse this file
bundles/      offline bundles, good and bad
cards/        test cards: the text and the picture of each code
cases.json    what a reader is told and shown, and what it must answer

zhengka-kit reader THIS-FOLDER -- YOUR-PROGRAM
"""


def case(name: str, words: tuple[str, str], steps: Iterable[Step], service: str = "bus") -> Case:
    """A case at the north gate."""
    return Case(name, *words, {"operator": OPERATOR, "venue": "north", "service": service}, tuple(steps))


def take(folder: str, at: datetime = NOON, *, code: str = "taken") -> Step:
    """The reader gets a bundle."""
    return Step({"do": "take", "folder": folder, "at": _stamp(at)}, code == "taken", code)


def show(text: str, code: str, at: datetime = NOON) -> Step:
    """A code is shown to it."""
    return Step({"do": "show", "text": text, "at": _stamp(at)}, code in PASSING, code)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _texts(made: list[Card]) -> dict[str, str]:
    return {card.name: card.text for card in made}


def of_cards(made: list[Card]) -> list[Case]:
    """Every test card, alone."""
    return [case(f"card-{card.name}", (f"Card: {card.name}", f"证卡：{card.title_zh}"),
                 (take(FIRST), show(card.text, card.verdict))) for card in made]


def of_bits(keys: Keys) -> list[Case]:
    """Every bit of a code flipped: what is said of it differs, that nobody passes does not."""
    data = making.payload(keys, making.PLACES["valid"])
    steps = [Step({"do": "show", "text": text, "at": _stamp(NOON)}, passes=False, code="")
             for text in making.flipped(data)]
    return [case("every-bit-flipped", ("Every bit of a code flipped", "逐位改动二维码"), (take(FIRST), *steps)),
            case("another-host", ("A genuine code under another host", "换了域名的真码"),
                 (take(FIRST), show(qr.to_text(data, "https://evil.example"), "not-our-code"),
                  show(qr.to_text(data, "https://sandbox.invalid.evil.example"), "not-our-code"),
                  show(qr.to_text(data, f"https://{making.OLD_HOST}"), "valid"))),
            case("digits-alone", ("The digits of a code alone", "只有数字部分"),
                 (take(FIRST), show(making.text(data).rsplit("/", 1)[1], "valid")))]


def of_clocks(made: list[Card]) -> list[Case]:
    """The clock is wrong, or the bundle old: an old list still refuses whom it names."""
    texts = _texts(made)
    return [
        case("clock-behind", ("A clock that is three days behind", "时钟慢三天"), (
            take(FIRST), show(texts["valid"], "clock-behind", NOON - 3 * DAY))),
        case("list-too-old", ("A list that is four days old", "状态表已过期四天"), (
            take(FIRST), show(texts["valid"], "list-too-old", NOON + 4 * DAY),
            show(texts["lost"], "suspended", NOON + 4 * DAY))),
        case("list-three-days", ("A list of not quite three days", "接近三天的状态表"), (
            take(FIRST), show(texts["valid"], "valid", NOON + 2.9 * DAY))),
        case("midnight", ("The last day ends at midnight in China", "有效期按北京时间零点截止"), (
            take(FIRST), show(texts["last-day"], "valid", NOON + timedelta(hours=11, minutes=59)),
            show(texts["last-day"], "expired", NOON + timedelta(hours=12)))),
    ]


def of_bundles(made: list[Card]) -> list[Case]:
    """Bundles: a newer one is taken, a bad one leaves what is held."""
    texts = _texts(made)
    found = [case("nothing-taken", ("No bundle was taken yet", "尚未取得离线包"), (
        show(texts["valid"], "list-missing"),)),
        case("newer-list", ("A card is refused after the next bundle", "取得新包后拒绝新挂失的卡"), (
            take(FIRST), show(texts["lost-later"], "valid"), take(LATER, SOON),
            show(texts["lost-later"], "suspended", SOON), show(texts["valid"], "valid", SOON))),
        case("same-again", ("The same bundle twice", "重复取同一包"), (
            take(FIRST), take(FIRST), show(texts["valid"], "valid"))),
    ]
    for name, code in BAD_BUNDLES.items():
        before, still = (LATER, SOON) if name == "older" else (FIRST, NOON)
        found.append(case(f"bundle-{name}", BUNDLE_WORDS[name], (
            take(before, still), take(f"bundles/{name}", SOON, code=code), show(texts["lost"], "suspended", SOON),
            show(texts["valid"], "valid", SOON))))
    return found


def of_rules(made: list[Card]) -> list[Case]:
    """What the place gives, and to whom: a good card that gets nothing here is not let through free."""
    texts = _texts(made)

    def told(name: str, words: tuple[str, str], service: str, *steps: Step) -> Case:
        return case(name, words, (take(FIRST), *steps), service)
    return [
        told("rule-severe", ("A rule for some grades", "按等级的优惠"), "metro", show(texts["valid"], "valid"),
             show(texts["mild"], "valid")),
        told("rule-from-here", ("A rule for people from here", "仅限本地户籍的优惠"), "ferry",
             show(texts["valid"], "valid"), show(texts["from-afar"], "not-entitled")),
        told("rule-once-a-day", ("A benefit once a day: the code is shown again", "每日一次的优惠，重复出示"), "park",
             show(texts["valid"], "valid"), show(texts["valid"], "quota-used", NOON + timedelta(minutes=1)),
             show(texts["mild"], "valid"), show(texts["valid"], "valid", NOON + DAY)),
        told("rule-time", ("A benefit in the morning only", "限时优惠"), "pool",
             show(texts["valid"], "wrong-time"), show(texts["valid"], "valid", NOON - timedelta(minutes=61))),
        told("rule-none", ("A service that is not in the rules", "规则中没有的服务"), "rocket",
             show(texts["valid"], "not-our-place")),
        told("rule-not-activated", ("Not activated: no ride, elsewhere it counts", "未激活：他处仍有效"), "park",
             show(texts["not-activated"], "valid")),
    ]
