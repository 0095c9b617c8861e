"""The interface of a sandbox site is tried: tokens, verifying, vouchers once, receipts, statements, webhooks."""

import json
import queue
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from zhengka_kit.calling import Answer, Client, Listener, is_signed
from zhengka_kit.checking import Found

FORMAT: Final = 1
HOOK_PATIENCE: Final = 90.0


@dataclass(frozen=True)
class Site:
    """What the sandbox site says of itself: client, a gate at a place, test cards, and the secret of its webhook."""

    client: Client = field(repr=False)
    gate: str
    venue: str
    service: str
    cards: Sequence[dict[str, Any]]
    hook_secret: str = field(default="", repr=False)


def read(path: Path) -> Site:
    """The site's own description. ValueError for another file."""
    try:
        told = json.loads(path.read_text("utf-8"))
        if told["format"] != FORMAT:
            raise ValueError(f"{path} is of another format")
        return Site(Client(told["url"], told["client_id"], told["secret"]), told["gate"], told["venue"],
                    told["service"], told["cards"], told.get("hook_secret", ""))
    except (KeyError, TypeError) as bad:
        raise ValueError(f"{path} is no description of a sandbox site") from bad


@dataclass
class _Trial:
    """One case at the site, while it goes on."""

    found: Found

    def holds(self, what: str, good: bool, answer: Answer | None = None) -> bool:
        """Count a step; keep what did not hold, with what came instead."""
        self.found.steps += 1
        if not good:
            came = f": {answer.status} {answer.told.get('code', '')}".rstrip() if answer else ""
            self.found.faults.append(f"{what}{came}")
        return good


def run(site: Site, *, hook: int = 0) -> list[Found]:
    """All cases in turn; `hook`: the port on which a webhook is waited for, after a voucher was redeemed."""
    listener = Listener(hook) if hook else None
    state: dict[str, Any] = {}
    try:
        found = [_try(site, state, *each) for each in CASES]
        if listener:
            state["listener"] = listener
            found.append(_try(site, state, "site-webhook", "A signed webhook", "推送签名", _webhook))
        return found
    finally:
        if listener:
            listener.close()


Case = Callable[[Site, dict[str, Any], _Trial], None]


def _try(site: Site, state: dict[str, Any], name: str, title: str, title_zh: str, case: Case) -> Found:
    trial = _Trial(Found(name, title, title_zh, 0))
    try:
        case(site, state, trial)
    except (LookupError, TypeError, ValueError) as bad:
        trial.found.faults.append(f"the answer has another form, or none came: {bad}")
    return trial.found


def _tokens(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    answer = site.client.token()
    trial.holds("a right secret gets a token", answer.status == 200, answer)
    state["token"] = answer.told["access_token"]
    kind, seconds = answer.told["token_type"], answer.told["expires_in"]
    trial.holds("it is a bearer token with an end", (kind, seconds > 0) == ("Bearer", True))
    trial.holds("the answer is stored by nobody", answer.head.get("cache-control") == "no-store")
    wrong = site.client.token(secret="x" * 43)
    trial.holds("a wrong secret gets none", wrong.status == 401 and wrong.told.get("error") == "invalid_client", wrong)
    trial.holds("and is asked for a secret", wrong.head.get("www-authenticate", "").startswith("Basic"))
    other = site.client.token("everything")
    trial.holds("a scope that is none gets none", (other.status, other.told.get("error")) == (400, "invalid_scope"),
                other)
    state["narrow"] = site.client.token("status.read").told["access_token"]


def _bearers(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    body = _shown(site, site.cards[0])
    for what, token, status, word in (("no token", "", 401, "Bearer"), ("a made-up token", "x.y", 401, "invalid_token"),
                                      ("a token without the scope", state["narrow"], 403, "insufficient_scope")):
        answer = site.client.ask("verify", token, body)
        trial.holds(f"{what} is refused", answer.status == status, answer)
        trial.holds(f"{what} is told why", word in answer.head.get("www-authenticate", ""), answer)


def _verify(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    for card in site.cards:
        answer = site.client.ask("verify", state["token"], _shown(site, card))
        good = answer.status == 200 and (answer.told.get("accepted"), answer.told.get("verdict")) == (
            card["passes"], card["code"])
        trial.holds(f"{card['name']} must be {card['code']}", good, answer)
        trial.holds(f"{card['name']}: nothing is told of the person",
                    not {"name", "number", "category", "grade", "serial"} & answer.told.keys())


def _voucher(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    card = [card for card in site.cards if card["passes"]][0]  # noqa: RUF015 - none at all is a named fault here
    body, key = {"code": card["text"], "gate": site.gate, "service": site.service}, secrets.token_hex(16)
    first = site.client.ask("vouchers", state["token"], body, key)
    if not trial.holds("a voucher is issued", first.status == 200, first):
        return
    again = site.client.ask("vouchers", state["token"], body, key)
    trial.holds("the same request gets the same voucher", again.told == first.told, again)
    other = site.client.ask("vouchers", state["token"], body | {"service": "another"}, key)
    trial.holds("the same key for another request is refused", other.told.get("code") == "idempotency-key-reused",
                other)
    none = site.client.ask("vouchers", state["token"], body)
    trial.holds("a request without a key is refused", none.told.get("code") == "idempotency-key-missing", none)
    state["voucher"] = first.told["voucher"]


def _redeem(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    body, key = {"voucher": state["voucher"], "gate": site.gate}, secrets.token_hex(16)
    first = site.client.ask("vouchers/redeem", state["token"], body, key)
    trial.holds("the voucher is redeemed", first.status == 200, first)
    again = site.client.ask("vouchers/redeem", state["token"], body, key)
    trial.holds("the same request gets the same answer", again.status == 200 and again.told == first.told, again)
    twice = site.client.ask("vouchers/redeem", state["token"], body, secrets.token_hex(16))
    trial.holds("a second use is refused", (twice.status, twice.told.get("code")) == (409, "voucher-used"), twice)
    late = site.client.ask("vouchers/cancel", state["token"], {"voucher": state["voucher"], "why": "mistake"},
                           secrets.token_hex(16))
    trial.holds("a used voucher is not cancelled", late.status == 409, late)
    guess = site.client.ask("vouchers/redeem", state["token"], body | {"voucher": "A" * 16}, secrets.token_hex(16))
    trial.holds("a made-up voucher is unknown", guess.status == 404, guess)


def _feed(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    feed = site.client.ask("feed", state["token"])
    if not trial.holds("the feed names lists", feed.status == 200 and bool(feed.told.get("lists")), feed):
        return
    one = feed.told["lists"][0]
    for what in ("seen", "in-force"):
        body = {"list": one["list"], "version": one["version"], "what": what}
        answer = site.client.ask("receipts", state["token"], body)
        trial.holds(f"a receipt ({what}) is taken, with the delay that it shows",
                    answer.status == 200 and answer.told["delay_seconds"] >= 0, answer)
        again = site.client.ask("receipts", state["token"], body)
        trial.holds("a repeat changes nothing", again.status == 200, again)
    unknown = site.client.ask("receipts", state["token"], {"list": one["list"], "version": one["version"] + 10**6,
                                                           "what": "seen"})
    trial.holds("a version that was never published is refused", unknown.status in (404, 409, 422), unknown)


def _statements(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    answer = site.client.ask("statements", state["token"])
    trial.holds("one's own statements are listed", answer.status == 200 and isinstance(
        answer.told.get("statements"), list), answer)


def _webhook(site: Site, state: dict[str, Any], trial: _Trial) -> None:
    while True:
        try:
            head, body = state["listener"].got.get(timeout=HOOK_PATIENCE)
        except queue.Empty:
            trial.holds("a webhook came", good=False)
            return
        if (told := json.loads(body)).get("event") == "voucher.redeemed":
            break
    stamp, mark = head.get("x-zhengka-time", ""), head.get("x-zhengka-signature", "")
    now = datetime.now(UTC)
    trial.holds("its signature is right", is_signed(site.hook_secret, stamp, body, mark, at=now))
    trial.holds("a changed body is not taken for it", not is_signed(site.hook_secret, stamp, body + b" ", mark, at=now))
    trial.holds("its id is in head and body", told["id"] == head.get("x-zhengka-delivery"))
    trial.holds("it tells of our voucher", told["voucher"] == state["voucher"])


def _shown(site: Site, card: dict[str, Any]) -> dict[str, Any]:
    return {"code": card["text"], "venue": site.venue, "service": site.service}


CASES: Final[tuple[tuple[str, str, str, Case], ...]] = (
    ("site-token", "Tokens for a secret", "访问令牌", _tokens),
    ("site-bearer", "Requests with and without a token", "令牌与授权范围", _bearers),
    ("site-verify", "Test cards are verified", "核验测试卡", _verify),
    ("site-issue", "A voucher is issued once", "发放凭证（幂等）", _voucher),
    ("site-redeem", "A voucher is redeemed once", "核销凭证（一次）", _redeem),
    ("site-feed", "The feed and its receipts", "状态表与回执", _feed),
    ("site-statements", "Statements", "结算单", _statements),
)
