"""Papers and portraits of people: taken in, read for a purpose, withdrawn; kept, refused, kept against the checks."""

import io
import resource
import sys
import threading
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from PIL import Image

import papers_brought as brought
from builders import NOON, make_actor, make_area, make_case, make_certificate, make_holder, make_officer, request_id
from papers_brought import jpeg, make_paper, make_portrait, photograph, put_portrait, subject_of
from visits import Visitor
from zhengka.cases.models import Case
from zhengka.core import files
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.core.scope import enter
from zhengka.papers import queries, reading, services
from zhengka.papers.bounds import MEMORY
from zhengka.papers.models import Paper, Portrait
from zhengka.papers.rules import CaseOf
from zhengka.papers.services import Upload
from zhengka.papers.services.handling import MOST_PAPERS
from zhengka.registry import photos
from zhengka.registry.models import Holder

pytestmark = pytest.mark.django_db


def asked(role: str = "clerk", **more) -> dict:
    return {"by": make_actor(role, **more), "request_id": request_id(), "at": NOON}


def add(holder: Holder, kind: str = "id-card", data: bytes = b"", name: str = "a.jpg", **more) -> Paper:
    return services.add_paper(subject_of(holder), Upload(kind, name, data or jpeg(photograph())), **(asked() | more))


# -- papers ----------------------------------------------------------------------------------------------------------


def test_a_paper_is_kept_sealed_under_a_clean_name_and_told_in_an_event():
    holder = make_holder()
    paper = add(holder, "household-register", name="../户口簿 张三.php")
    assert (paper.state, paper.media, paper.pages, paper.size > 1000) == ("received", "image/jpeg", 1, True)
    assert queries.name_of(paper) == "户口簿 张三.jpg" and "张三".encode() not in bytes(paper.name)
    assert b"\xff\xd8\xff" not in files.get(paper.file)
    event = Event.objects.get(subject="paper")
    assert (event.action, event.facts["paper"], event.facts["removed"]) == ("receive_paper", "household-register", [])
    assert "张三" not in str(event.facts)


def test_a_paper_is_read_for_a_purpose_only_and_the_event_keeps_it():
    paper = make_paper()
    with pytest.raises(Refusal, match="purpose-missing"):
        services.open_paper(paper, purpose="  ", **asked())
    opened = services.open_paper(paper, purpose="case", **asked("reviewer"))
    with Image.open(io.BytesIO(opened.data)) as picture:
        assert picture.size == photograph().size
    assert (opened.media, opened.name) == ("image/jpeg", "a.jpg") and "a.jpg" not in repr(opened)
    assert Event.objects.get(action="read_paper").facts == {"purpose": "case"}


def test_a_withdrawn_paper_is_gone_and_its_row_stays(django_capture_on_commit_callbacks):
    paper = make_paper()
    with django_capture_on_commit_callbacks(execute=True):
        gone = services.withdraw_paper(paper, reason="拿错了", **asked())
    assert (gone.state, gone.file, gone.withdrawn_at) == ("withdrawn", "", NOON)
    assert not files.place(paper.file).exists()
    with pytest.raises(Refusal, match="step-not-open"):
        services.open_paper(gone, purpose="case", **asked())


def test_the_same_form_sent_twice_keeps_one_paper():
    holder, once = make_holder(), asked()
    first = services.add_paper(subject_of(holder), Upload("id-card", "a.jpg", jpeg(photograph())), **once)
    with pytest.raises(Replayed) as again:
        services.add_paper(subject_of(holder), Upload("id-card", "a.jpg", jpeg(photograph())), **once)
    assert (again.value.event.subject_id, Paper.objects.count()) == (first.pk, 1)


@pytest.mark.parametrize(("kind", "data", "code"), [
    ("id-card", b"\x7fELF", "paper-kind-refused"), ("id-card", b"%PDF-1.7 cut", "paper-damaged"),
    ("passport", b"", "paper-kind-unknown"), ("photo", b"", "paper-kind-unknown"),
    ("id-card", b"\xff\xd8\xff" + bytes(reading.MOST_BYTES), "paper-too-large")])
def test_a_paper_that_cannot_be_taken_is_refused_by_a_name_and_nothing_is_kept(kind, data, code, settings, tmp_path):
    settings.FILES = tmp_path / "files"  # other tests keep files at the same time
    with pytest.raises(Refusal) as refused:
        add(make_holder(), kind, data)
    assert refused.value.code == code and not Paper.objects.exists() and not Event.objects.exists()
    assert not any(path.is_file() for path in settings.FILES.rglob("*"))


def test_an_empty_file_is_refused():
    with pytest.raises(Refusal, match="paper-empty"):
        reading.clean(b"")


def test_who_may_not_take_papers_in_or_sits_elsewhere_takes_none():
    holder = make_holder()
    with pytest.raises(Refusal, match="not-permitted"):
        add(holder, by=make_actor("reviewer"))
    with pytest.raises(Refusal, match="not-found"):
        add(holder, by=make_actor(area=make_area(430102)))
    paper = make_paper(holder)
    with pytest.raises(Refusal, match="not-found"):
        services.open_paper(paper, purpose="case", **asked(area=make_area(430102)))
    with pytest.raises(Refusal, match="not-permitted"):
        services.withdraw_paper(paper, reason="", **asked("reviewer"))
    with pytest.raises(Refusal, match="not-found"):
        queries.paper(paper.pk, actor=make_actor(area=make_area(430102)))


def test_papers_and_portraits_are_seen_in_their_own_area_only():
    here, there = make_holder(), make_holder(area=make_area(430102))
    for holder in (here, there):
        brought.put_paper(holder), put_portrait(holder)
    with transaction.atomic():
        enter(connection, here.area.code, here.area.last)
        assert [row.subject_id for model in (Paper, Portrait) for row in model.objects.all()] == [here.pk] * 2
        connection.cursor().execute("RESET ROLE")


def test_a_row_has_only_so_many_papers():
    holder = make_holder()
    for _ in range(MOST_PAPERS):
        brought.put_paper(holder)
    with pytest.raises(Refusal, match="paper-too-many"):
        add(holder)


@pytest.mark.parametrize("change", [{"file": ""}, {"state": "withdrawn"}, {"kind_of_paper": "photo"},
                                    {"kind_of_paper": "passport"}, {"pages": 0}])
def test_the_database_keeps_a_paper_whole(change):
    paper = brought.put_paper(make_holder())
    with pytest.raises(IntegrityError), transaction.atomic():
        Paper.objects.filter(pk=paper.pk).update(**change)


def test_what_is_missing_is_told_by_paper_and_clause():
    holder = make_holder()
    needs = queries.required(CaseOf("new", holder.area_id, NOON.date(), minor=True))
    assert [need.paper for need in queries.missing(needs, subject_of(holder))] == [
        "id-card", "household-register", "application-form", "photo", "guardian-proof"]
    brought.put_paper(holder), put_portrait(holder, state="kept")
    assert {need.paper for need in queries.missing(needs, subject_of(holder))} == {
        "id-card", "application-form", "guardian-proof"}
    brought.put_paper(make_holder(), state="withdrawn")
    assert "photo" not in {need.paper for need in queries.missing(needs, subject_of(make_holder()), photo=True)}
    with pytest.raises(Refusal, match="requirements-missing"):
        queries.required(CaseOf("no such case", holder.area_id, NOON.date()))


# -- the process apart -----------------------------------------------------------------------------------------------


def most_memory() -> int:
    """Bytes that the largest process apart so far held."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


@pytest.mark.parametrize(("data", "code"), [
    (brought.png_of(30_000, 30_000), "paper-too-many-pixels"), (brought.pdf_bomb(), "paper-too-heavy")],
    ids=["900 million pixels in 110 KB", "200 MB in a PDF of 200 KB"])
def test_a_bomb_is_refused_within_bounds(data, code):
    assert len(data) < 400_000
    with pytest.raises(Refusal, match=code):
        reading.clean(data)
    assert most_memory() < MEMORY


def test_the_largest_picture_that_is_taken_stays_within_bounds():
    paper = reading.clean(brought.png_of(5_000, 5_000))
    assert paper.media == "image/jpeg" and most_memory() < MEMORY


def test_a_process_that_takes_more_than_it_may_falls_alone(monkeypatch, tmp_path):
    """A greedy stand-in for a library with a fault."""
    (tmp_path / "greedy.py").write_text("from zhengka.papers.bounds import serve\n"
                                        "serve(lambda data, told: ({'size': len(bytearray(4 << 30))}, b''))\n")
    monkeypatch.setattr("zhengka.papers.bounds.sys.executable", launcher(tmp_path))
    with pytest.raises(Refusal, match="paper-too-heavy"):
        reading.apart("greedy", b"x")


def test_a_process_that_never_answers_is_ended(monkeypatch, tmp_path):
    (tmp_path / "endless.py").write_text("while True: pass\n")
    monkeypatch.setattr("zhengka.papers.bounds.sys.executable", launcher(tmp_path))
    monkeypatch.setattr("zhengka.papers.bounds.WAITED", 2)
    with pytest.raises(Refusal, match="paper-too-heavy"):
        reading.apart("endless", b"x")


def launcher(folder) -> str:
    """An interpreter that also finds the modules of `folder`."""
    script = folder / "python"
    script.write_text(f"#!/bin/sh\nshift\nPYTHONPATH={folder} exec {sys.executable} \"$@\"\n")
    script.chmod(0o755)
    return str(script)


def test_the_process_apart_knows_nothing_of_our_settings(monkeypatch, tmp_path):
    (tmp_path / "telling.py").write_text("import os\nfrom zhengka.papers.bounds import serve\n"
                                         "serve(lambda data, told: ({'names': list(os.environ)}, data))\n")
    monkeypatch.setenv("ZHENGKA_KEY_PASSPHRASE", "secret")
    monkeypatch.setattr("zhengka.papers.bounds.sys.executable", launcher(tmp_path))
    answer = reading.apart("telling", b"x")
    assert answer.data == b"x" and not any("ZHENGKA" in name or "DATABASE" in name for name in answer.head["names"])


# -- portraits -------------------------------------------------------------------------------------------------------


def test_a_photo_that_fits_is_kept_and_on_the_holder_s_record():
    holder = make_holder()
    portrait = make_portrait(holder)
    holder.refresh_from_db()
    assert (portrait.state, portrait.fits, holder.photo_fault) == ("kept", True, "")
    assert photos.read(holder.photo) == queries.picture(portrait)
    events = [(event.subject, event.action) for event in Event.objects.order_by("id")]
    assert events == [("portrait", "examine"), ("portrait", "keep"), ("holder", "photograph")]
    examined = Event.objects.get(action="examine").facts
    assert examined["standard"] == "two-inch-white" and examined["measured"]["faces"] == 1 and examined["failed"] == []


def test_a_photo_that_does_not_fit_leaves_the_one_there_is():
    holder = make_holder()
    first = make_portrait(holder)
    before = Holder.get(holder.pk).photo
    refused = make_portrait(holder, picture=brought.two_faces())
    assert (refused.state, refused.fits) == ("examined", False)
    assert Holder.get(holder.pk).photo == before and Portrait.get(first.pk).state == "kept"
    assert "faces" in Event.objects.get(action="examine", subject_id=refused.pk).facts["failed"]


def test_an_officer_keeps_a_photo_against_its_checks_for_a_reason_that_stands_beside_the_figures():
    holder = make_holder()
    refused = make_portrait(holder, picture=brought.VARIANTS["tilt"]())
    with pytest.raises(Refusal, match="overrule-without-reason"):
        services.overrule_portrait(refused, reason=" ", **asked())
    kept = services.overrule_portrait(refused, reason="颈部僵直，无法端正", **asked())
    assert (kept.state, kept.fits) == ("kept", False)
    facts = Event.objects.get(action="overrule").facts
    assert facts["reason"] == "颈部僵直，无法端正" and list(facts["failed"]) == ["tilt"] and facts["failed"]["tilt"] > 8
    assert photos.read(Holder.get(holder.pk).photo) == queries.picture(kept)


def test_overruling_twice_by_one_form_is_done_once_and_a_fitting_photo_needs_none():
    refused, once = make_portrait(picture=brought.VARIANTS["colour"]()), asked()
    services.overrule_portrait(refused, reason="历史照片", **once)
    with pytest.raises(Replayed):
        services.overrule_portrait(refused, reason="历史照片", **once)
    assert Portrait.get(refused.pk).state == "kept"
    fitting = put_portrait(make_holder(), {"faces": 1.0})
    Portrait.objects.filter(pk=fitting.pk).update(fits=True)
    with pytest.raises(Refusal, match="photo-fits"):
        services.overrule_portrait(fitting, reason="x", **asked())


@pytest.mark.parametrize(("data", "code"), [
    (b"", "paper-empty"), (b"no picture", "paper-kind-refused"), (jpeg(photograph())[:900], "paper-damaged"),
    (brought.png_of(6_000, 6_000), "paper-too-many-pixels"), (jpeg(Image.new("RGB", (100, 140))), "photo-too-small")])
def test_what_is_no_photo_at_all_is_refused_and_nobody_overrules_that(data, code):
    with pytest.raises(Refusal, match=code):
        services.take_portrait(subject_of(make_holder()), data, dark_glasses=False, **asked())
    assert not Portrait.objects.exists()


def test_a_portrait_is_taken_by_who_may_and_where_one_may():
    holder = make_holder()
    for code, who in (("not-permitted", asked("approver")), ("not-found", asked(area=make_area(430102)))):
        with pytest.raises(Refusal, match=code):
            services.take_portrait(subject_of(holder), jpeg(photograph()), dark_glasses=False, **who)
    refused = put_portrait(holder)
    with pytest.raises(Refusal, match="not-found"):
        services.overrule_portrait(refused, reason="x", **asked(area=make_area(430102)))


def test_the_next_portrait_replaces_the_one_before_it_and_removes_its_file(django_capture_on_commit_callbacks):
    holder = make_holder()
    first = make_portrait(holder)
    with django_capture_on_commit_callbacks(execute=True):
        second = make_portrait(holder)
    assert [Portrait.get(row.pk).state for row in (first, second)] == ["replaced", "kept"]
    assert not files.place(first.file).exists() and queries.picture(second)
    with pytest.raises(Refusal, match="not-found"):
        queries.picture(Portrait.get(first.pk))


@pytest.mark.django_db(transaction=True)
def test_of_two_portraits_at_once_one_is_kept_and_the_other_told_so():
    holder, written = make_holder(), threading.Event()

    def colleague():
        with transaction.atomic():
            put_portrait(holder)
            written.set()
            time.sleep(3)
        connection.close()

    other = threading.Thread(target=colleague)
    other.start()
    written.wait(10)
    with pytest.raises(Refusal, match="step-not-open"):
        make_portrait(holder, picture=brought.two_faces())
    other.join()
    assert Portrait.objects.count() == 1


@pytest.mark.parametrize(("category", "components", "may"), [
    (1, [], True), (4, [], False), (7, [[1, 2], [4, 3]], True), (7, [[2, 2], [4, 3]], False)])
def test_dark_glasses_go_with_a_visual_disability_alone_or_as_a_part(category, components, may):
    holder = make_holder()
    certificate = make_certificate(holder, category=category)
    certificate.components = components
    certificate.save()
    assert queries.may_wear_dark_glasses(holder) is may
    assert make_portrait(holder, picture=brought.with_dark_glasses(), dark_glasses=may).fits is may


def test_the_photo_of_an_application_goes_onto_the_record_that_its_approval_makes():
    case, applicant = make_case(), make_holder()
    taken = services.take_portrait(queries.Subject("case", case.pk, case.area_id), jpeg(photograph()),
                                   dark_glasses=False, **asked())
    assert taken.state == "kept" and Holder.get(case.holder_id).photo is None
    given = services.give_portrait(taken, applicant, **asked())
    assert photos.read(given.photo) == queries.picture(taken)
    with pytest.raises(Refusal, match="step-not-open"):
        services.give_portrait(put_portrait(applicant), applicant, **asked())


# -- pages -----------------------------------------------------------------------------------------------------------


def upload(data: bytes, name: str = "a.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def test_a_photo_is_taken_on_its_page_and_the_next_page_shows_every_figure_beside_its_limit():
    holder, visitor = make_holder(), Visitor(make_officer("clerk"))
    url = reverse("staff:holder-portrait", args=[holder.pk])
    assert 'data-camera' in visitor.get(url).content.decode()
    answer = visitor.act(url, photo=upload(jpeg(photograph())))
    page = visitor.get(answer.url).content.decode()
    assert "The photo passed every check and is kept" in page and "What was measured" in page
    assert "0.50 – 0.82" in page and "at least 40" in page and "<rect" in page
    assert visitor.get(reverse("staff:holder-photo", args=[holder.pk])).status_code == 200
    shown = visitor.get(reverse("staff:portrait-picture", args=[Portrait.objects.get().pk]))
    assert shown.headers["Content-Type"] == "image/jpeg" and "sandbox" in shown.headers["Content-Security-Policy"]


def test_a_photo_that_does_not_fit_says_what_to_do_and_is_kept_with_a_reason_only():
    holder, visitor = make_holder(), Visitor(make_officer("clerk"))
    answer = visitor.act(reverse("staff:holder-portrait", args=[holder.pk]), photo=upload(jpeg(brought.two_faces())))
    page = visitor.get(answer.url).content.decode()
    assert "The photo does not fit yet" in page and "Take it again with one face in it" in page
    url = reverse("staff:portrait-overrule", args=[Portrait.objects.get().pk])
    assert "Fill this in" in visitor.act(url, reason="").content.decode()
    visitor.act(url, reason="twins who cannot be parted")
    assert Holder.get(holder.pk).photo and "twins who cannot be parted" in visitor.get(answer.url).content.decode()


def test_a_file_that_is_no_photo_is_a_fault_of_its_field():
    visitor = Visitor(make_officer("clerk"))
    page = visitor.act(reverse("staff:holder-portrait", args=[make_holder().pk]), photo=upload(b"<html>"))
    said = page.content.decode()
    assert page.status_code == 200 and "govuk-error-message" in said and "neither a picture nor a PDF" in said


def test_a_form_with_a_photo_sent_twice_takes_one_portrait():
    visitor, key = Visitor(make_officer("clerk")), str(request_id())
    url = reverse("staff:holder-portrait", args=[make_holder().pk])
    answers = {visitor.act(url, photo=upload(jpeg(photograph())), request_id=key).url for _ in range(2)}
    assert len(answers) == 1 and Portrait.objects.count() == 1


def test_for_a_case_the_officer_says_whether_dark_glasses_are_allowed_unless_the_record_does():
    case, visitor = make_case(), Visitor(make_officer("clerk"))
    assert 'name="visual"' not in visitor.get(reverse("staff:case-portrait", args=[case.pk])).content.decode()
    assert visitor.act(reverse("staff:case-portrait", args=[case.pk]),
                       photo=upload(jpeg(photograph()))).status_code == 302
    assert Portrait.objects.get().subject == "case"


def test_a_paper_is_taken_in_read_and_withdrawn_on_its_pages():
    holder, visitor = make_holder(), Visitor(make_officer("clerk"))
    answer = visitor.act(reverse("staff:holder-paper", args=[holder.pk]), kind="id-card",
                         file=upload(brought.acting_pdf(), "身份证.pdf"))
    paper = Paper.objects.get()
    assert answer.url == reverse("staff:holder", args=[holder.pk])
    page = visitor.get(answer.url).content.decode()
    assert "ID card" in page and reverse("staff:paper", args=[paper.pk]) in page
    url = reverse("staff:paper-read", args=[paper.pk])
    assert "Fill this in" in visitor.act(url, purpose="").content.decode()
    file = visitor.act(url, purpose="case")
    assert file.content.startswith(b"%PDF-") and file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Disposition"].startswith("attachment; filename")
    assert file.headers["X-Content-Type-Options"] == "nosniff" and file.headers["Cache-Control"] == "no-store"
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert "Deciding a case" in visitor.get(reverse("staff:paper", args=[paper.pk])).content.decode()
    gone = visitor.act(reverse("staff:paper-withdraw", args=[paper.pk]), reason="wrong person")
    assert "its file is no longer kept" in visitor.get(gone.url).content.decode()


def test_a_script_called_a_picture_is_a_fault_of_its_field():
    visitor = Visitor(make_officer("clerk"))
    page = visitor.act(reverse("staff:holder-paper", args=[make_holder().pk]), kind="id-card",
                       file=upload(b"#!/bin/sh\n", "id-card.jpg"))
    assert page.status_code == 200 and "govuk-error-message" in page.content.decode() and not Paper.objects.exists()


def test_what_a_case_was_decided_on_stays_as_it_was():
    case, visitor = make_case(), Visitor(make_officer("clerk"))
    add = reverse("staff:case-paper", args=[case.pk])
    assert visitor.act(add, kind="id-card", file=upload(jpeg(photograph()))).status_code == 302
    Case.objects.filter(pk=case.pk).update(ended_at=NOON)
    paper = Paper.objects.get()
    assert "Withdraw the paper" not in visitor.get(reverse("staff:paper", args=[paper.pk])).content.decode()
    visitor.raise_request_exception = False
    for answer in (visitor.get(add), visitor.get(reverse("staff:case-portrait", args=[case.pk])),
                   visitor.act(reverse("staff:paper-withdraw", args=[paper.pk]), reason="x")):
        assert answer.status_code == 409
    assert Paper.get(paper.pk).state == "received"


def test_papers_of_another_office_are_nowhere():
    stranger = Visitor(make_officer("clerk", area=make_area(430102)))
    stranger.raise_request_exception = False
    holder = make_holder()
    paper, portrait = brought.put_paper(holder), put_portrait(holder)
    for name, pk in (("paper", paper.pk), ("portrait", portrait.pk), ("portrait-picture", portrait.pk),
                     ("holder-paper", holder.pk), ("holder-portrait", holder.pk)):
        assert stranger.get(reverse(f"staff:{name}", args=[pk])).status_code == 404, name
    for name, pk in (("paper-read", paper.pk), ("paper-withdraw", paper.pk), ("portrait-overrule", portrait.pk)):
        assert stranger.act(reverse(f"staff:{name}", args=[pk]), purpose="case", reason="x").status_code == 404, name


def test_who_may_not_see_cases_sees_no_papers():
    holder = make_holder()
    paper = brought.put_paper(holder)
    leader = Visitor(make_officer("leader"))
    leader.raise_request_exception = False
    assert leader.get(reverse("staff:paper", args=[paper.pk])).status_code == 403


def test_every_refusal_of_papers_has_words_in_both_languages():
    for code in [code for code in PROBLEMS if code.startswith(("paper-", "photo-"))]:
        problem = PROBLEMS[code]
        assert all((problem.title, problem.title_zh, problem.next, problem.next_zh)), code


