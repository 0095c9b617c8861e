"""What must lie on the disk in clear for a moment goes with the process that needs it, whatever ends that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from zhengka.core import files, queue

HOLDER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
os.environ["DJANGO_SETTINGS_MODULE"] = "zhengka.config.settings"
from pathlib import Path
from django.conf import settings
settings.FILE_UPLOAD_TEMP_DIR = Path(sys.argv[2])
from zhengka.core import files
with files.scratch() as folder:
    (folder / "rows.xml").write_text("in clear")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def uploads(settings, tmp_path) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    return tmp_path


@pytest.mark.parametrize("size", [100, 3 << 20])
def test_an_upload_has_no_name_on_the_disk(uploads, size):
    data = os.urandom(size)
    request = RequestFactory().post("/", {"file": SimpleUploadedFile("rows.csv", data), "area": "430104"})
    came = request.FILES["file"]
    assert list(uploads.iterdir()) == []
    assert (came.name, came.size, came.read()) == ("rows.csv", size, data)
    came.file.seek(0)
    assert came.file.read() == data and request.POST["area"] == "430104"


def test_a_scratch_folder_goes_at_its_end_also_after_a_fault(uploads):
    with pytest.raises(ZeroDivisionError), files.scratch() as folder:
        (folder / "rows.xml").write_text("in clear")
        assert folder.stat().st_mode & 0o077 == 0
        1 / 0  # noqa: B018 - the fault
    assert list(uploads.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_the_next_worker_removes_what_a_killed_process_left_and_nothing_of_a_living_one(uploads, empty_queue):
    source = str(Path(files.__file__).parents[2])
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, source, str(uploads)], stdout=subprocess.PIPE, text=True)
    with holder, files.scratch() as mine:
        folder = Path(holder.stdout.readline().strip())
        files.sweep()
        assert (folder / "rows.xml").exists(), "its process lives"
        holder.kill()
        holder.wait()
        queue.work(until_empty=True)
        assert not folder.exists() and mine.exists()
