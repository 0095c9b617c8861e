"""What a process left in the file store that died before its row was written goes by itself; what a row names stays."""

import datetime as dt
import io
import os

import pytest
from django.utils import timezone

import batches
import builders
from papers_brought import put_paper, put_portrait
from portraits import make_photo
from worker import tried
from zhengka.bulk.models import Act
from zhengka.core import files, sweeping
from zhengka.core.events import begin
from zhengka.production.models import Batch
from zhengka.registry import photos
from zhengka.registry.models import Import

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def a_store_of_its_own(settings, tmp_path):
    settings.FILES = tmp_path / "files"


def aged(path, days: float) -> None:
    then = (timezone.now() - days * DAY).timestamp()
    os.utime(path, (then, then))


def orphan(days: float = 2) -> str:
    """A stream that no row names: its process died."""
    name = files.put_sealed_stream(io.BytesIO(b"rows"), "import.upload")
    aged(files.place(name), days)
    return name


def test_a_stream_that_no_row_names_is_removed_a_day_after_it_was_written(settings):
    old, young, half = orphan(), orphan(0.9), settings.FILES / "tmpabc"
    half.write_bytes(b"ZKS1 half")
    aged(half, 2)
    tried("core.sweep_files", timestamp=int(timezone.now().timestamp()))
    assert (files.place(old).exists(), files.place(young).exists(), half.exists()) == (False, True, False)
    assert sweeping.sweep(at=timezone.now() + DAY) == 1 and not files.place(young).exists()


def test_what_a_row_names_stays_whatever_its_age_and_so_does_what_is_no_stream(tmp_path):
    area, kept = builders.make_area(), []
    paper, portrait = put_paper(builders.make_holder()), put_portrait(builders.make_holder())
    kept += [paper.file, portrait.file]
    act = begin(Act(province=43, area=area, task="cases.approve_all", permissions=[], asked_at=timezone.now(),
                    upload=orphan()), "ask", by=builders.make_actor(), request_id=builders.request_id())
    kept.append(act.upload)
    record = Import(province=43, area=area, filename="x.csv", digest="0", upload=orphan(), refused_file=orphan(),
                    form="csv", encoding="utf-8", received_at=timezone.now())
    begin(record, "receive", by=builders.make_actor(), request_id=builders.request_id())
    kept += [record.upload, record.refused_file]
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, batches.make_maker(tmp_path / "maker", area))
    Batch.objects.filter(pk=batch.pk).update(proof=orphan())
    kept += [Batch.get(batch.pk).proof, photos.keep(make_photo(3)), files.put(b"a status list")]
    for name in kept:
        aged(files.place(name), 3)
    assert sweeping.sweep(at=timezone.now()) == 0
    assert all(files.place(name).exists() for name in kept)


def test_every_column_that_names_a_stream_is_asked():
    assert {(model._meta.label, column) for model, column in sweeping.columns()} == {
        ("bulk.Act", "upload"), ("registry.Import", "upload"), ("registry.Import", "refused_file"),
        ("papers.Paper", "file"), ("papers.Portrait", "file"), ("production.Batch", "proof"),
        ("custody.Receipt", "signature")}


def test_who_sees_one_area_alone_sweeps_nothing_of_another(as_web):
    paper = put_paper(builders.make_holder())
    aged(files.place(paper.file), 3)
    as_web(430102_000000, 430102_999999)
    assert sweeping.sweep(at=timezone.now()) == 0
    assert files.place(paper.file).exists()
