"""Plain functions for operators' programs: a client with its secret, a token, a receiver of webhooks."""

import base64
import http.server
import json
import threading
from contextlib import contextmanager
from urllib.parse import quote_plus

from django.utils import timezone

from builders import NOON, make_actor, make_area, request_id
from visits import Visitor
from zhengka.accounts.services import actor_of
from zhengka.partners import services
from zhengka.partners.models import Delivery, Partner
from zhengka.partners.rules import SCOPES

OPERATOR = "changsha-metro"


def asked(area=None, *, operator=OPERATOR, scopes=tuple(SCOPES), by=None) -> Partner:
    """A client that waits for its second person."""
    area = area or make_area()
    about = services.About(operator, "闸机后台", tuple(scopes))
    return services.ask(area, about, by=by or make_actor("system", area=area), request_id=request_id(), at=NOON)


def make_partner(area=None, *, operator=OPERATOR, scopes=tuple(SCOPES), at=NOON) -> tuple[Partner, str]:
    """A client at work, and its secret."""
    row = asked(area, operator=operator, scopes=scopes)
    row = services.change(row, "permit", by=make_actor("security", area=row.area), request_id=request_id(), at=at)
    return services.new_secret(row, by=make_actor("system", area=row.area), request_id=request_id(), at=at)


def populate(area, system, security) -> dict[str, list[int]]:
    """Programs that wait, work, were stopped; webhooks in use and ended; deliveries in every state."""
    by, other = actor_of(system), actor_of(security)

    def told(**more):
        return {"by": by, "request_id": request_id(), "at": NOON, **more}
    rows = [asked(area, by=by) for _ in range(3)]
    for row, action in ((rows[1], "permit"), (rows[2], "decline")):
        services.change(row, action, **told(by=other))
    partner = Partner.objects.get(pk=rows[1].pk)
    for _ in range(2):
        services.new_secret(partner, **told(at=timezone.now()))
    hooks = [services.subscribe(partner, f"https://hooks{each}.example.org/", ("list.published",), **told())[0]
             for each in range(2)]
    for _ in range(3):
        services.tell("list.published", {"list": 0, "version": 1, "digest": "", "size": 1, "url": ""}, at=NOON)
    services.answer_once(partner, "0123456789abcdef", {"n": 1}, lambda: {"n": 1}, at=NOON)
    waiting, taken, gone = Delivery.objects.filter(webhook=hooks[0]).order_by("pk")
    Delivery.objects.filter(pk=taken.pk).update(next_at=None, delivered_at=NOON, tries=1)
    Delivery.objects.filter(pk=gone.pk).update(next_at=None, given_up_at=NOON, tries=10, problem="no-answer")
    services.unsubscribe(hooks[1], **told())
    return {"partners": [row.pk for row in rows], "webhooks": [hook.pk for hook in hooks],
            "deliveries": [waiting.pk, taken.pk, gone.pk]}


def basic(client_id: str, secret: str) -> str:
    """The header of HTTP Basic, each half form-encoded first (RFC 6749, 2.3.1)."""
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def ask_token(client_id: str, secret: str, body: str = "grant_type=client_credentials", **extra):
    """What the token's address answers."""
    return Visitor(**extra).post("/api/v1/oauth/token", body, content_type="application/x-www-form-urlencoded",
                                 HTTP_AUTHORIZATION=basic(client_id, secret))


def token_of(shown, scope: str = "") -> str:
    """A token of a client that was just made."""
    body = "grant_type=client_credentials" + (f"&scope={quote_plus(scope)}" if scope else "")
    return ask_token(shown.partner.client_id, shown.secret, body).json()["access_token"]


class Bearer(Visitor):
    """A program that shows a token."""

    def __init__(self, token: str, **extra) -> None:
        super().__init__(HTTP_AUTHORIZATION=f"Bearer {token}", **extra)

    def send(self, path: str, body: dict, **extra):
        """POST JSON."""
        return self.post(path, json.dumps(body), content_type="application/json", **extra)


@contextmanager
def receiver(*answers, tls=None, body=b""):
    """An HTTP server on this machine that answers with these statuses in turn, the last one for ever; what it got."""
    got, left = [], list(answers or (204,))

    class Taking(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_args):  # who does not believe our certificate hangs up
            pass
    server = Quiet(("127.0.0.1", 0), Taking)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
