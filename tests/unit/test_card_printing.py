"""The face of a card through a print system of our own (CUPS): what goes into the queue is what comes out of it."""

import io
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from readers import until
from zhengka_reader.printing import Printer, PrintFault, face, put

CUPS_FILES = """ServerRoot {root}
StateDir {root}
RequestRoot {root}/spool
TempDir {root}/tmp
CacheDir {root}/cache
DataDir /usr/share/cups
ServerBin /usr/lib/cups
AccessLog {root}/access
ErrorLog {root}/error
PageLog {root}/page
"""
CUPS_CONF = """Listen {root}/sock
Browsing Off
DefaultAuthType None
WebInterface No
<Location />
  Order allow,deny
  Allow all
</Location>
<Policy default>
  <Limit All>
    Order allow,deny
    Allow all
  </Limit>
</Policy>
"""


class NetworkPrinter:
    """A printer as it stands in a network: it takes what comes over its port (AppSocket, port 9100 elsewhere)."""

    def __init__(self) -> None:
        self.printed: list[bytes] = []
        self._port = socket.create_server(("127.0.0.1", 0))
        self.port = self._port.getsockname()[1]
        threading.Thread(target=self._print, daemon=True).start()

    def _print(self) -> None:
        while True:
            try:
                job, _ = self._port.accept()
            except OSError:
                return
            with job, job.makefile("rb") as sent:
                self.printed.append(sent.read())

    def close(self) -> None:
        self._port.close()


@pytest.fixture
def cups(monkeypatch):
    """A print system of our own with a queue of a card printer in the network; the printer."""
    root = Path(tempfile.mkdtemp(prefix="cups-"))  # printing programs run as another user, who must get there
    root.chmod(0o755)
    for name in ("spool", "tmp", "cache", "ppd", "ssl"):
        (root / name).mkdir()
    (root / "cups-files.conf").write_text(CUPS_FILES.format(root=root))
    (root / "cupsd.conf").write_text(CUPS_CONF.format(root=root))
    monkeypatch.setenv("CUPS_SERVER", str(root / "sock"))
    daemon = subprocess.Popen(["/usr/sbin/cupsd", "-f", "-c", str(root / "cupsd.conf"), "-s",
                               str(root / "cups-files.conf")])
    until((root / "sock").exists, "the print system listens")
    printer = NetworkPrinter()
    subprocess.run(["/usr/sbin/lpadmin", "-p", "cards", "-E", "-v", f"socket://127.0.0.1:{printer.port}", "-m", "raw"],
                   check=True)
    yield printer
    printer.close()
    daemon.terminate()
    daemon.wait(10)
    shutil.rmtree(root)


def faces(pages: int = 6) -> bytes:
    """The faces of some cards: front and back in turn, each page with its number."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(242.6, 153.1))
    for page in range(1, pages + 1):
        canvas.drawString(20, 80, f"page {page}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def words(pdf: bytes) -> list[str]:
    return [page.extract_text().strip() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_the_two_pages_of_a_card_are_cut_out_and_none_that_are_not_there():
    assert words(face(faces(), 3)) == ["page 3", "page 4"]
    for page in (0, 6, 7, -1):
        with pytest.raises(ValueError, match="no such pages"):
            face(faces(), page)
    with pytest.raises(ValueError, match="no PDF"):
        face(b"PDF", 1)


def test_a_job_goes_through_cups_to_the_cards_queue(cups):
    assert put(Printer("cards"), face(faces(), 5), title="4301040000000017").startswith("request id is cards-1")
    until(lambda: len(cups.printed) == 1, "it is printed", seconds=20)
    assert words(cups.printed[0]) == ["page 5", "page 6"]


def test_a_queue_that_is_not_there_and_a_program_that_is_not_there_are_named(cups):
    with pytest.raises(PrintFault, match="does not exist"):
        put(Printer("nowhere"), faces(2), title="x")
    with pytest.raises(PrintFault, match="FileNotFoundError"):
        put(Printer("cards", "no-such-program"), faces(2), title="x")
