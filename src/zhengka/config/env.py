"""The only reader of the environment: every setting in one place, everything wrong reported at once."""

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

PROJECT = Path(__file__).resolve().parents[3]
SWITCHES = frozenset({"debug", "demo", "https", "run_once", "webhook_loopback"})
SOCKET_PATH_LIMIT = 90  # sockaddr_un holds 108 bytes; PostgreSQL appends "/.s.PGSQL.5432.lock"


class BadEnvironment(SystemExit):
    """The environment cannot be used; the message lists every fault (exit status 1)."""


def setting(sentence: str, default: str = "", name: str = "") -> str:
    """Declare one setting by one sentence; `name` is its environment variable (ZHENGKA_<FIELD> when left out)."""
    return field(default=default, metadata={"sentence": sentence, "name": name})


@dataclass(frozen=True)
class Environment:
    """Every setting, as text, with its meaning. `docs/reference/settings.md` is made from it."""

    home: str = setting("Folder of everything that the platform keeps: database, files, keys.", str(PROJECT / "var"))
    database_url: str = setting("PostgreSQL server, postgresql://user:password@host/name; empty: a private cluster.",
                                name="DATABASE_URL")
    pg_bin: str = setting("Folder of PostgreSQL's own programs for the private cluster; empty: found by itself.",
                          name="PGBIN")
    data: str = setting("Folder of the dated rules and tables that officials change.", str(PROJECT / "data"))
    public_url: str = setting("Address under which phones reach the scan page, printed into every QR code; empty: the "
                              "one that is kept in the file public-url under the home, from the first `zhengka run`, "
                              "`serve` or `batch open` on: theirs, or that of ZHENGKA_BIND.")
    code_hosts: str = setting("Hosts, separated by commas and with the port where one is printed, that codes of cards "
                              "made elsewhere or earlier carry, beside those of the public address and of each kept "
                              "before it; gates refuse a code with any other.")
    bind: str = setting("Address on which the site listens.", "127.0.0.1:8000")
    allowed_hosts: str = setting("Host names, separated by commas, that the site answers for.", "127.0.0.1,localhost")
    debug: str = setting("1 shows faults in full to developers; never on a server.", "0")
    demo: str = setting("1 shows the demo officers on the login page; never on a server.", "0")
    https: str = setting("1 where a TLS front stands before the site: secure cookies, HSTS.", "0")
    languages: str = setting("Languages of the pages, the first one is the default.", "zh-hans,en")
    key_store: str = setting("Where keys live: a file (empty: under the home), or a token of a hardware module, "
                             "pkcs11:token=LABEL?module-path=/PATH.so&pin-source=file:/PATH (RFC 7512).")
    key_mechanisms: str = setting("Table of data/tokens by which a token is asked for its mechanisms.", "standard")
    key_passphrase: str = setting("Passphrase of the key store's file (empty: a file made once under the home), or PIN "
                                  "of the token where no pin-source is told.")
    outbox: str = setting("Folder into which messages and files to holders are written for another system to take; "
                          "empty: they stay sealed in the file store.")
    sms_url: str = setting("Address of the provider of short messages, https; empty: none are sent.")
    sms_secret: str = setting("Secret by which what goes to the provider is signed, 32 characters at least.")
    portal_secret: str = setting("Secret by which a portal signs the activations that it sends, 32 characters at "
                                 "least; empty: none are taken.")
    webhook_loopback: str = setting("1 lets webhooks go to this machine itself, also without TLS: for a sandbox, never "
                                    "on a server.", "0")
    reader_port: str = setting("Port on an office PC where the desk agent `zhengka-reader` listens, on loopback.",
                               "35970")
    run_once: str = setting("1 ends `zhengka run` after the closing table instead of serving the site.", "0",
                            name="RUN_ONCE")
    workers: str = setting("Worker processes for batches and imports; 0: one for each core.", "0")


def sentences() -> list[tuple[str, str, str]]:
    """Every setting for the reference: (environment variable, default, sentence)."""
    return [(f.metadata["name"] or f"ZHENGKA_{f.name.upper()}",
             str(f.default).replace(str(PROJECT), "."), f.metadata["sentence"]) for f in fields(Environment)]


def read(source: Mapping[str, str]) -> Environment:
    """Read the settings from `source`; raise `BadEnvironment` with all faults in one message."""
    known = {f.metadata["name"] or f"ZHENGKA_{f.name.upper()}": f.name for f in fields(Environment)}
    faults = [f"{name} is not a setting of this program" for name in sorted(source)
              if name.startswith("ZHENGKA_") and name not in known]
    env = Environment(**{attribute: source[name] for name, attribute in known.items() if name in source})
    faults += [f"{name} must be 0 or 1, not {getattr(env, attribute)!r}" for name, attribute in known.items()
               if attribute in SWITCHES and getattr(env, attribute) not in ("0", "1")]
    if not (env.reader_port.isdigit() and 1024 <= int(env.reader_port) <= 65535):
        faults.append("ZHENGKA_READER_PORT must be a port from 1024 to 65535")
    if not env.workers.isdigit():
        faults.append(f"ZHENGKA_WORKERS must be a whole number, not {env.workers!r}")
    if env.database_url and urlsplit(env.database_url).scheme not in ("postgres", "postgresql"):
        faults.append("DATABASE_URL must begin with postgresql://")
    if env.public_url and not env.public_url.startswith(("http://", "https://")):
        faults.append("ZHENGKA_PUBLIC_URL must begin with http:// or https://")
    faults += [f"ZHENGKA_CODE_HOSTS: {host!r} is no host with or without a port, such as card.example"
               for host in _listed(env.code_hosts) if not re.fullmatch(r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?", host)]
    faults += _store_faults(env)
    if env.sms_url and len(env.sms_secret) < 32:
        faults.append("ZHENGKA_SMS_SECRET must have 32 characters at least where ZHENGKA_SMS_URL is set")
    if 0 < len(env.portal_secret) < 32:
        faults.append("ZHENGKA_PORTAL_SECRET must have 32 characters at least")
    if env.sms_url and not _guarded(env.sms_url):
        faults.append("ZHENGKA_SMS_URL must begin with https:// (http:// on this machine alone): it gets phone numbers")
    if faults:
        raise BadEnvironment("The environment cannot be used:\n  " + "\n  ".join(faults))
    return env


@dataclass(frozen=True)
class TokenPlace:
    """A PKCS #11 token: file of the module, label of the token, file that holds its PIN (empty: the passphrase)."""

    module: str
    label: str
    pin_file: str


def token_place(key_store: str) -> TokenPlace | None:
    """The token that ZHENGKA_KEY_STORE names (RFC 7512), None for a file; ValueError for what is neither."""
    if not key_store.startswith("pkcs11:"):
        return None
    path, _, query = key_store.removeprefix("pkcs11:").partition("?")
    told = _attributes(path, ";") | _attributes(query, "&")
    pin_file = told.pop("pin-source", "").removeprefix("file:")
    place = TokenPlace(told.pop("module-path", ""), told.pop("token", ""), pin_file)
    if told or not place.module or not place.label:
        raise ValueError("token and module-path must be told, pin-source may be, and nothing else")
    return place


def _attributes(text: str, between: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(between) if part)
    return {name: unquote(value) for name, _, value in pairs}


def _store_faults(env: Environment) -> list[str]:
    """What is wrong with the place of the keys; a PIN is not repeated."""
    try:
        place = token_place(env.key_store)
    except ValueError as fault:
        return [f"ZHENGKA_KEY_STORE: {fault}"]
    if not place:
        return []
    faults = []
    if not place.pin_file and not env.key_passphrase:
        faults.append("ZHENGKA_KEY_STORE names a token without pin-source, and ZHENGKA_KEY_PASSPHRASE holds no PIN")
    if place.pin_file and not Path(place.pin_file).is_file():
        faults.append(f"ZHENGKA_KEY_STORE: there is no pin-source {place.pin_file}")
    if not (Path(env.data) / "tokens" / f"{env.key_mechanisms}.toml").is_file():
        faults.append(f"ZHENGKA_KEY_MECHANISMS: there is no table {env.key_mechanisms} in tokens/")
    return faults


def _guarded(url: str) -> bool:
    """True for an address at which nobody between can read along."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")))


def socket_folder(home: Path) -> Path:
    """Folder of the private cluster's socket: under the home, or under /tmp where that path is too long."""
    folder = home / "run"
    if len(str(folder)) <= SOCKET_PATH_LIMIT:
        return folder
    mark = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return Path("/tmp") / f"zhengka-{os.getuid()}-{mark}"  # noqa: S108 - owner-only folder, made with mode 0700


def database(env: Environment) -> dict[str, object]:
    """Django's description of the database: the named server, or the private cluster's socket."""
    if not env.database_url:
        return {"HOST": str(socket_folder(Path(env.home))), "PORT": "5432", "NAME": "zhengka", "USER": "zhengka"}
    url = urlsplit(env.database_url)
    return {"HOST": unquote(url.hostname or ""), "PORT": str(url.port or ""), "NAME": url.path.lstrip("/"),
            "USER": unquote(url.username or ""), "PASSWORD": unquote(url.password or "")}


ADDRESS = "public-url"
"""File under the home that keeps the public address: what is printed on cards does not change with one command."""


def public_url(env: Environment) -> str:
    """The public address without a slash at its end: as set, else as kept, else that at which the site listens."""
    kept = Path(env.home) / ADDRESS
    found = env.public_url or (kept.read_text("utf-8").strip() if kept.exists() else "") or f"http://{env.bind}"
    return found.rstrip("/")


EARLIER_HOSTS = "code-hosts"
"""File under the home that keeps the hosts of public addresses before the present one, one a line."""


def code_hosts(env: Environment) -> frozenset[str]:
    """The hosts that codes of cards may carry: of the public address, of each that was kept before it, and those set.

    A card is good for ten years: it must outlive a change of the address.
    """
    address, before = Path(env.home) / ADDRESS, Path(env.home) / EARLIER_HOSTS
    urls = [public_url(env), *(address.read_text("utf-8").split() if address.exists() else ())]
    kept = before.read_text("utf-8").split() if before.exists() else []
    return frozenset({*map(host_of, urls), *kept, *_listed(env.code_hosts)})


def host_of(url: str) -> str:
    """The host of an address, with the port where one is told, in lower case."""
    return url.partition("://")[2].partition("/")[0].lower()


def _listed(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",") if part.strip()]


def secret(home: Path, name: str, size: int = 32) -> bytes:
    """A secret of `size` bytes kept in a file that only its owner reads, made at first use."""
    path = home / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(value := secrets.token_bytes(size))
        file.flush()
        os.fsync(file.fileno())
    return value


ENV = read(os.environ)
