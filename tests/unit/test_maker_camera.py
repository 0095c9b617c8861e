"""The maker's camera sees of every printed card its texts, its photo and its code, and each swap of one of them."""

import io
import subprocess
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

import portraits
from zhengka.formats import qr
from zhengka.formats.results import CardResult, ResultReader, ResultsBroken, ResultsInfo, ResultWriter
from zhengka.formats.shown import Shown, from_word, salt_of, shown
from zhengka.formats.suites import SM, SUITES
from zhengka.production import faces
from zhengka_maker import camera

LAYOUT = faces.layout_for("disability-placeholder")
SALT = salt_of(SM, bytes(range(32)))
PAYLOAD, OTHER = bytes([0x11]) + bytes(range(1, 103)), bytes([0x11]) + bytes(range(2, 104))
SITE = "https://card.example"


def a_face(name: str = "田野", kind: str = "blue", payload: bytes = PAYLOAD, photo: int = 1) -> faces.Face:
    given = {"name": name, "number": "43990119600101001X42B1", "category": "肢体残疾 二级",
             "valid_until": "2036年11月20日", "issuer": LAYOUT.issuer("岳麓区", "长沙市"),
             "serial": "4301 0400 0000 0017"}
    return faces.Face(kind, given, faces.ready(portraits.make_photo(photo)), qr.to_text(payload, SITE))


def printed(*several: faces.Face) -> bytes:
    out = io.BytesIO()
    faces.print_faces(several, frozenset({"red"}), layout=LAYOUT, out=out)
    return out.getvalue()


def meant(face: faces.Face, payload: bytes = PAYLOAD) -> Shown:
    texts = [face.texts[slot.name] for slot in (*LAYOUT.front.slots, *LAYOUT.back.slots)]
    return shown(SM, SALT, texts, face.photo.jpeg, payload)


@pytest.mark.parametrize("name", ["田野", "𠮷㛃䶮", "阿卜杜热合曼·麦麦提依明·买买提吐尔逊", "A B", "卓玛·措"])
@pytest.mark.parametrize("kind", ["blue", "red"])
def test_the_camera_sees_what_was_to_be_printed_whatever_its_characters_lines_and_colours(name, kind):
    face = a_face(name, kind)
    assert camera.look(printed(face), SM, SALT) == [meant(face)]


def test_many_cards_of_a_member_are_seen_in_their_order():
    several = [a_face(f"田{number}", payload=bytes([number]) + PAYLOAD, photo=number % 3) for number in range(1, 30)]
    assert camera.look(printed(*several), SM, SALT) == [
        meant(face, bytes([number]) + PAYLOAD) for number, face in enumerate(several, 1)]


def test_the_code_is_the_one_that_a_picture_of_the_card_shows():
    picture = subprocess.run(["pdftoppm", "-r", "300", "-f", "1", "-l", "1", "-gray", "-"], input=printed(a_face()),
                             capture_output=True, check=True).stdout
    out = io.BytesIO()
    Image.fromarray(np.asarray(Image.open(io.BytesIO(picture)))).save(out, "PNG")
    [text] = qr.read_image(out.getvalue())
    assert camera.look(printed(a_face()), SM, SALT)[0].code == meant(a_face(), qr.from_text(text)).code


@pytest.mark.parametrize(("swapped", "part"), [
    (a_face("李明"), "texts"), (a_face(photo=2), "photo"), (a_face(payload=OTHER), "code")])
def test_another_cards_print_photo_or_code_on_a_card_is_seen_as_that_and_nothing_else(swapped, part):
    [seen] = camera.look(printed(swapped), SM, SALT)
    assert [name for name in Shown._fields if getattr(seen, name) != getattr(meant(a_face()), name)] == [part]


def test_a_code_that_cannot_be_read_is_no_code():
    smeared = printed(replace(a_face(), qr=qr.to_text(OTHER, SITE)))
    assert camera.look(smeared, SM, SALT)[0].code != meant(a_face()).code
    assert camera._payload(b" 0  0 53 1 re  0  1 53 1 re ") == b""


def test_what_is_seen_tells_nobody_anything_who_does_not_have_the_batchs_key():
    face = a_face()
    assert meant(face) != shown(SM, salt_of(SM, bytes(32)), face.texts.values(), face.photo.jpeg, PAYLOAD)
    assert from_word(meant(face).word()) == meant(face)


@pytest.mark.parametrize("pdf", [b"", b"GIF89a", b"%PDF-1.4\n%%EOF"])
def test_what_is_no_document_of_cards_is_named(pdf):
    with pytest.raises(camera.NotPrinted):
        camera.look(pdf, SM, SALT)


@pytest.mark.parametrize("word", ["", "00", ".".join(["zz" * 16] * 3), ".".join(["00" * 16] * 4)])
def test_results_with_a_look_that_is_none_are_not_taken(tmp_path, word):
    key, path = SUITES["SM"].generate(), tmp_path / "r"
    info = ResultsInfo(UUID(int=7), "430104-0001", bytes(32))

    class Odd(Shown):
        """Says what is no look."""

        def word(self) -> str:
            return word
    card = CardResult("4301040000000019", bytes(7), b"\x3b\x80\x01", bytes(32), "good", "", Odd(b"", b"", b""))
    with ResultWriter(path, info, key) as writer:
        writer.add(card)
    with pytest.raises(ResultsBroken) as refused:
        ResultReader(path, key.public)
    assert refused.value.code == "bad-line"
