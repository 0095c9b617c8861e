"""Tokens of SoftHSM in a folder of the test's own, in this process or behind a server that is stopped and killed."""

import os
import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

from zhengka.config.env import PROJECT
from zhengka.keys.store import Pkcs11Store
from zhengka.keys.store.mechanisms import load
from zhengka.keys.store.token import PATIENCE, Token

SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
CLIENT = next(iter(Path("/usr/lib").glob("*/pkcs11/p11-kit-client.so")), Path("p11-kit-client.so"))
PIN = "一号口令 2468"
TABLE = PROJECT / "data" / "tokens" / "standard.toml"


def begin(folder: Path) -> None:
    """Keep this process's tokens in the folder; once in a process, before the first token."""
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")


def make_token(label: str = "") -> str:
    """A new empty token; its label."""
    label = label or uuid4().hex
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", PIN],
                   check=True, capture_output=True)
    return label


def open_token(label: str, folder: Path, *, module: object = SOFTHSM, pin: str = PIN, table: Path = TABLE,
               patience: float = PATIENCE) -> Pkcs11Store:
    """The key store in this token."""
    return Pkcs11Store(Token(str(module), label, pin, patience=patience), load(table), folder / "token.lock")


class Server:
    """A token behind a socket, as a module in the network is: a process that can be stopped, go on, and be killed."""

    def __init__(self, label: str, folder: Path) -> None:
        """Start it. The client's module finds it by an environment variable, so there is one in a process."""
        self._label, self._socket = label, folder / "p11"
        os.environ["P11_KIT_SERVER_ADDRESS"] = f"unix:path={self._socket}"
        self.start()

    def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["p11-kit", "server", "-f", "-n", str(self._socket), "--provider", SOFTHSM, f"pkcs11:token={self._label}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(200):
            if self._socket.exists():
                return
            time.sleep(0.02)
        raise RuntimeError("p11-kit server did not start")

    def stop(self) -> None:
        """It no longer answers, and its connections stay."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
