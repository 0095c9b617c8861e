"""The site and its workers, kept alive together: where they listen, and that nothing is left when they end."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zhengka.cli import serve
from zhengka.core.errors import Refusal

KEEPER = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "zhengka.config.settings"
import django
django.setup()
from zhengka.cli.serve import keep_alive
child = ("import subprocess, sys, time; "
         "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
         "open(sys.argv[1], 'w').write(f'{one.pid} '); time.sleep(600)")
keep_alive([[sys.executable, "-c", child, sys.argv[1]]])
"""


def test_an_address_at_which_somebody_listens_is_refused_by_name(settings):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as another installation's site does
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings.BIND = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(Refusal, match="address-in-use"):
            serve.check_free()
    assert serve.check_free()[0] == "127.0.0.1"


def test_who_ends_the_site_ends_what_its_programs_started(tmp_path):
    told = tmp_path / "pid"
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER, str(told)])
    grandchild = int(_read(told))
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(60) == 0
    assert not _alive(grandchild)


def _read(path: Path) -> str:
    for _ in range(600):
        if path.exists() and path.read_text().endswith(" "):
            return path.read_text()
        time.sleep(0.1)
    raise AssertionError("the program never started")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
