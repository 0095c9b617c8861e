"""The files of the bundle: deltas beside the lists, manifests over them, parts of them by HTTP, from any web server."""

import datetime as dt
import functools
import http.server
import os
import threading

import pytest
from django.http import Http404
from django.test import RequestFactory
from django.utils.http import http_date

import builders
from blocking import many_active, report, shown
from builders import NOON
from visits import Visitor
from zhengka.cards import rules, services, tasks
from zhengka.cards.models import BundlePublication, Card
from zhengka.cards.services import bundles
from zhengka.cli.fetching import Server, mirror
from zhengka.core.errors import Refusal
from zhengka.core.sending import send
from zhengka.formats import bundle, statusdelta
from zhengka.formats.bundle import MANIFEST, BadBundle
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import Status

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path / "home", tmp_path / "files"


@pytest.fixture
def card(db):
    [card, *_] = many_active(3)
    return card


@pytest.fixture
def plain_server():
    """The public folder behind a web server that knows neither ranges nor tags."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    bundles.folder().mkdir(parents=True, exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(
        Quiet, directory=str(bundles.folder())))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def trusted():
    return KeySet.from_json((bundles.folder() / "keys.json").read_text())


def here(name):
    path = bundles.folder() / name
    return path.read_bytes() if path.exists() else None


def taken(held=None, at=NOON, whose="public", fetch=here):
    return bundle.take(fetch, trusted=trusted(), at=at, bundle=whose, held=held)


def test_a_gate_goes_from_version_to_version_by_what_changed(card):
    held, fetched = taken(), []
    for step, verb in enumerate((services.report_lost, services.report_found, services.report_lost)):
        report(verb, card)
        services.publish_status_lists(at=NOON + step * MINUTE, number=card.status_list)

    def fetch(name):
        fetched.append(name)
        return here(name)

    newer = taken(held, fetch=fetch)
    assert newer.lists[card.status_list] == shown(card.status_list)
    assert newer.lists[card.status_list].status(card.status_index) is Status.SUSPENDED
    assert f"status-{card.status_list}.bin" not in fetched and len([n for n in fetched if ".from-" in n]) == 3


def test_a_delta_of_one_loss_is_small_however_many_cards_there_are(card):
    held = shown(card.status_list)
    report(services.report_lost, card)
    services.publish_status_lists(at=NOON + MINUTE)
    delta = here(bundle.delta_name(f"status-{card.status_list}.bin", held.version))
    assert len(delta) < 250
    assert statusdelta.apply(delta, held, keys=trusted(), at=NOON) == shown(card.status_list)


def test_deltas_are_kept_for_the_last_versions_only(card):
    for step in range(rules.DELTAS + 3):
        report(services.report_lost if step % 2 == 0 else services.report_found, card)
        services.status._publish(card.status_list, NOON + step * MINUTE, lambda: NOON)
    found = sorted(int(path.stem.rsplit("-", 1)[1]) for path in bundles.folder().glob("*.from-*"))
    assert len(found) == rules.DELTAS and found[-1] < shown(card.status_list).version
    assert not list(bundles.folder().glob(".*")), "and nothing half written"


def test_a_manifest_is_published_anew_when_a_file_changed_and_every_hour(card):
    first = taken().manifest
    assert services.publish_bundles(at=NOON + 49 * MINUTE) == []
    services.publish_bundles(at=NOON + 50 * MINUTE)
    second = taken(at=NOON).manifest
    assert second.version == first.version + 50 * 60 and second.files == first.files
    report(services.report_lost, card)
    services.publish_status_lists(at=NOON + 51 * MINUTE)
    assert taken().manifest.version == second.version + 60
    assert BundlePublication.objects.exclude(digest="").count() == BundlePublication.objects.count() == 3


def test_a_slow_publisher_does_not_put_an_older_manifest_over_a_newer_one(card):
    slow = bundles._intend("public", bundles._files("public"), NOON + 2 * HOUR)
    services.publish_bundles(at=NOON + 3 * HOUR)
    assert bundles._store(slow, b"late") is None and taken().manifest.issued_at == NOON + 3 * HOUR


def test_an_operator_has_a_part_of_its_own_beside_the_public_one(card):
    services.write_part("changsha-metro", "rulebook.json", b'{"rules": []}')
    services.ask_for_bundle("changsha-metro")
    tasks.publish_bundle("changsha-metro")
    held = taken(whose="changsha-metro", fetch=lambda name: services.place_of("changsha-metro", name).read_bytes())
    assert held.files["rulebook.json"] == b'{"rules": []}' and card.status_list in held.lists
    assert [each.name for each in held.manifest.files] == [
        "hosts.json", "keys.json", "rulebook.json", f"status-{card.status_list}.bin"]
    assert "rulebook.json" not in taken().files
    with pytest.raises(BadBundle, match="bundle-other"):
        taken(whose="changsha-bus", fetch=lambda name: services.place_of("changsha-metro", name).read_bytes())
    before = held.manifest.version
    report(services.report_lost, card)
    services.publish_status_lists(at=NOON + MINUTE)
    held = taken(held, whose="changsha-metro",
                 fetch=lambda name: services.place_of("changsha-metro", name).read_bytes())
    assert held.manifest.version > before and held.lists[card.status_list] == shown(card.status_list)


def test_what_is_no_operator_and_no_file_of_a_bundle_has_no_place(card):
    for operator in ("../public", "public", "", "A"):
        with pytest.raises(BadBundle):
            services.operator_folder(operator)
    for name in ("../x", MANIFEST, ".hidden", "Rule.json"):
        with pytest.raises(BadBundle):
            services.write_part("metro", name, b"")
    services.write_part("metro", "rulebook.json", b"{}")
    (services.operator_folder("metro") / "claim-x-1.bin").write_bytes(b"no list")
    assert services.publish_bundles(at=NOON + 2 * HOUR) != [], "one operator's broken file keeps no other's bundle"


def test_parts_of_a_file_are_given_by_http(card):
    visitor, data = Visitor(), here(f"status-{card.status_list}.bin")
    url, size = f"/bundle/status-{card.status_list}.bin", len(data)
    whole = visitor.get(url)
    assert (whole.status_code, whole["Accept-Ranges"], whole.content) == (200, "bytes", data)
    for asked, first, end in (("0-9", 0, 10), ("10-", 10, size), ("-5", size - 5, size), (f"0-{size * 2}", 0, size),
                              (f"-{size * 2}", 0, size), (f"{size - 1}-", size - 1, size)):
        part = visitor.get(url, headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, data[first:end]), asked
        assert part["Content-Range"] == f"bytes {first}-{end - 1}/{size}" and part["ETag"] == whole["ETag"]
        assert int(part["Content-Length"]) == end - first
    for asked in (f"bytes={size}-", "bytes=-0"):
        part = visitor.get(url, headers={"Range": asked})
        assert (part.status_code, part["Content-Range"], part.content) == (416, f"bytes */{size}", b"")
    for asked in ("bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2"):
        assert visitor.get(url, headers={"Range": asked}).content == data, asked
    assert visitor.head(url, headers={"Range": "bytes=0-1"}).status_code == 200


def test_the_rest_of_a_file_is_given_only_while_it_is_the_same(card):
    visitor, url = Visitor(), f"/bundle/status-{card.status_list}.bin"
    whole = visitor.get(url)
    for condition, status in ((whole["ETag"], 206), ('"other"', 200), (f"W/{whole['ETag']}", 200),
                              (whole["Last-Modified"], 200), ("nonsense", 200)):
        part = visitor.get(url, headers={"Range": "bytes=4-", "If-Range": condition})
        assert part.status_code == status, condition
    assert visitor.get(url, headers={"Range": "bytes=4-", "If-None-Match": whole["ETag"]}).status_code == 304
    assert visitor.get(url, headers={"If-Match": '"other"'}).status_code == 412
    report(services.report_lost, card)
    services.publish_status_lists(at=NOON + MINUTE)
    again = visitor.get(url, headers={"Range": "bytes=4-", "If-Range": whole["ETag"]})
    assert (again.status_code, again.content) == (200, here(f"status-{card.status_list}.bin"))


def test_a_file_that_has_been_the_same_for_a_while_is_known_by_its_time_as_well(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    ask = RequestFactory(headers={"Range": "bytes=8-", "If-Range": http_date(1_700_000_000)}).get("/")
    assert send(ask, path, "text/plain", cache="no-store").content == b"89"
    with pytest.raises(Http404):
        send(ask, tmp_path, "text/plain", cache="no-store")


def test_what_changed_and_the_manifest_are_there_for_everybody_and_say_how_long_they_keep(card):
    version = shown(card.status_list).version
    report(services.report_lost, card)
    services.publish_status_lists(at=NOON + MINUTE)
    name = bundle.delta_name(f"status-{card.status_list}.bin", version)
    delta = Visitor().get(f"/bundle/{name}")
    assert delta.content == here(name) and "immutable" in delta["Cache-Control"]
    manifest = Visitor().get("/bundle/manifest.bin")
    assert manifest.content == here(MANIFEST) and "max-age=60" in manifest["Cache-Control"]
    assert manifest["Access-Control-Allow-Origin"] == "*"
    for name in ("status-1.from-2.bin", "rulebook.json"):
        assert Visitor().get(f"/bundle/{name}").status_code == 404


def test_a_plain_web_server_serves_the_same_bundle_and_a_folder_follows_it(card, plain_server, tmp_path):
    to, server = tmp_path / "gate", Server(plain_server)
    with pytest.raises(Refusal) as no:
        mirror(server, to, at=NOON)
    assert no.value.code == "bundle-missing", "trust begins with keys from elsewhere"
    held = mirror(server, to, at=NOON, keys=bundles.folder() / "keys.json")
    assert held.lists[card.status_list] == shown(card.status_list)
    assert sorted(path.name for path in to.iterdir()) == [
        "hosts.json", "keys.json", "manifest.bin", f"status-{card.status_list}.bin"]
    assert held.hosts == {"127.0.0.1:8000"}, "a gate knows which hosts our codes carry"
    report(services.report_lost, card)
    services.publish_status_lists(at=NOON + MINUTE)
    assert mirror(server, to, at=NOON).lists[card.status_list].status(card.status_index) is Status.SUSPENDED
    assert shown(card.status_list, folder=to).status(card.status_index) is Status.SUSPENDED
    assert taken(fetch=server.fetch).manifest == taken().manifest


def test_a_folder_that_follows_a_server_takes_no_older_bundle_and_nothing_half(card, plain_server, tmp_path):
    server, to, keys = Server(plain_server), tmp_path / "gate", bundles.folder() / "keys.json"
    older = {path.name: path.read_bytes() for path in bundles.folder().iterdir()}
    report(services.report_lost, card)
    services.publish_status_lists(at=NOON + MINUTE)
    mirror(server, to, at=NOON, keys=keys)
    whole = {path.name: path.read_bytes() for path in to.iterdir()}
    name = f"status-{card.status_list}.bin"
    newer = {path.name: path.read_bytes() for path in bundles.folder().iterdir()}
    for change, code in ((older, "bundle-rollback"), ({MANIFEST: newer[MANIFEST][:-1]}, "bundle-truncated"),
                         ({name: older[name]}, "bundle-mixed"), ({name: newer[name][:-1]}, "bundle-mixed")):
        for each, data in (newer | change).items():
            (bundles.folder() / each).write_bytes(data)
        (to / name).unlink(missing_ok=True)
        with pytest.raises(BadBundle) as bad:
            mirror(server, to, at=NOON)
        assert bad.value.code == code
        (to / name).write_bytes(whole[name])
        assert {path.name: path.read_bytes() for path in to.iterdir()} == whole


def test_after_a_broken_connection_only_the_rest_is_fetched_if_it_is_still_the_same():
    data, asked = bytes(range(256)) * 40, []

    class Breaking(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked.append((self.headers.get("Range"), self.headers.get("If-Range")))
            first = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            self.send_response(206 if first else 200)
            self.send_header("ETag", '"a"')
            self.send_header("Content-Length", str(len(data) - first))
            self.end_headers()
            self.wfile.write(data[first:first + 3000])
            self.close_connection = True

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert Server(f"http://127.0.0.1:{server.server_port}").fetch("x.bin") == data
        assert asked == [(None, None), *((f"bytes={place}-", '"a"') for place in (3000, 6000, 9000))]
        data *= 2
        with pytest.raises(ConnectionError):
            Server(f"http://127.0.0.1:{server.server_port}").fetch("x.bin")
    finally:
        server.shutdown()
        server.server_close()


def test_a_bundle_is_fetched_from_the_web_only():
    with pytest.raises(Refusal) as no:
        Server("file:///etc")
    assert no.value.code == "bundle-address"


def test_an_unchanged_manifest_is_not_sent_again(card, live_server):
    server = Server(f"{live_server.url}/bundle")
    assert server.fetch(MANIFEST) == server.fetch(MANIFEST) == here(MANIFEST)
    assert server.fetch("status-999.bin") is None
    assert Card.objects.exists() and builders.make_area()
