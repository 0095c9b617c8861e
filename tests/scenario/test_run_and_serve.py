"""`make run` in small: the main job, the logins, and the site that answers."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from django.urls import reverse

pytestmark = [pytest.mark.xdist_group("restart"), pytest.mark.own_home]


def settings(home, port):
    """The environment of an installation of its own."""
    mine = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return mine | {"ZHENGKA_HOME": str(home), "ZHENGKA_BIND": f"127.0.0.1:{port}",
                   "ZHENGKA_PUBLIC_URL": f"http://127.0.0.1:{port}", "ZHENGKA_DEMO": "1"}


def free_port():
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(url):
    """The page's text, or nothing while the site does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return page.read().decode()
    except OSError:
        return ""


def wait_for(url, seconds=90):
    """The page's text as soon as the site answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := answer(url):
            return found
        time.sleep(0.3)
    raise AssertionError(f"nothing answers at {url}")


def test_run_does_the_main_job_and_then_serves_the_site(tmp_path):
    port = free_port()
    words = [sys.executable, "-m", "zhengka.cli", "run", "--scale", "0.0002"]
    once = subprocess.run(words, env=settings(tmp_path, port) | {"RUN_ONCE": "1"}, capture_output=True, text=True,
                          timeout=400, check=False)
    assert once.returncode == 0, once.stdout + once.stderr
    assert "298,485" in once.stdout, "the closing table is printed"
    for role in ("clerk", "reviewer", "approver", "producer", "leader", "system", "security", "audit"):
        assert role in once.stdout, "one login per role is printed"
    serving = subprocess.Popen(words, env=settings(tmp_path, port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    try:
        assert any(f"http://127.0.0.1:{port}/staff/" in line for line in serving.stdout), "the address is printed"
        assert "csrfmiddlewaretoken" in answer(f"http://127.0.0.1:{port}{reverse('staff:login')}")
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.communicate(timeout=60)
        subprocess.run([sys.executable, "-m", "zhengka.cli", "db", "stop"], env=settings(tmp_path, port), check=False)
