"""Sealed values and streams: what was sealed opens, whatever was changed is refused."""

import io
import os
import zipfile

import pytest

from zhengka.formats import seal, sm3, sm4
from zhengka.formats.seal import KeyRing, SealBroken, UnknownKeyVersion

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
RING = KeyRing({1: FIRST, 2: SECOND}, current=2)
VALUES = [b"", b"430104190001010000", "岳阳市岳阳楼区".encode() * 5, *(bytes([n]) * n for n in range(70))]


def test_what_is_sealed_in_bulk_opens_in_bulk_and_one_by_one() -> None:
    sealed = seal.seal_many(RING, VALUES, context=b"holder.phone")
    assert seal.open_many(RING, sealed, context=b"holder.phone") == VALUES
    assert [seal.open_one(RING, each, context=b"holder.phone") for each in sealed] == VALUES
    assert [len(each) for each in sealed] == [len(value) + seal.OVERHEAD for value in VALUES]


def test_what_is_sealed_one_by_one_opens_in_bulk() -> None:
    sealed = [seal.seal_one(RING, value, context=b"c") for value in VALUES]
    assert seal.open_many(RING, sealed, context=b"c") == VALUES


def test_what_is_sealed_in_the_rows_of_a_matrix_opens_one_by_one_and_what_is_absent_stays_so() -> None:
    rows, lengths = sm4.matrix([*VALUES, b""], 112), sm4.lengths_of([*VALUES, b""])
    lengths[-1] = -1
    sealed = seal.seal_rows(RING, rows, lengths, context=b"c")
    for row, value in zip(sealed, VALUES, strict=False):
        assert seal.open_one(RING, row[: len(value) + seal.OVERHEAD].tobytes(), context=b"c") == value
        assert not row[len(value) + seal.OVERHEAD :].any()
    assert not sealed[-1].any()


def test_the_same_value_is_never_sealed_to_the_same_bytes() -> None:
    sealed = seal.seal_many(RING, [b"430104190001010000"] * 1000, context=b"c")
    assert len({each[1:13] for each in sealed}) == 1000
    assert len({each[13:] for each in sealed}) == 1000


def test_every_flipped_bit_is_refused_alone_and_in_a_column() -> None:
    column = seal.seal_many(RING, [b"430104190001010000"] * 20, context=b"c")
    for bit in range(len(column[7]) * 8):
        broken = bytearray(column[7])
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            seal.open_one(RING, bytes(broken), context=b"c")
        with pytest.raises(SealBroken):
            seal.open_many(RING, [*column[:7], bytes(broken), *column[8:]], context=b"c")


def test_every_shortened_or_lengthened_value_is_refused() -> None:
    column = seal.seal_many(RING, [b"430104190001010000"] * 20, context=b"c")
    whole = column[3]
    for broken in (*(whole[:size] for size in range(len(whole))), whole + b"\0", whole + bytes(16)):
        with pytest.raises(SealBroken):
            seal.open_one(RING, broken, context=b"c")
        with pytest.raises(SealBroken):
            seal.open_many(RING, [*column, broken], context=b"c")


def test_a_value_moved_to_another_column_is_refused() -> None:
    column = seal.seal_many(RING, VALUES, context=b"holder.phone")
    with pytest.raises(SealBroken):
        seal.open_one(RING, column[1], context=b"holder.id_number")
    with pytest.raises(SealBroken):
        seal.open_many(RING, column, context=b"holder.id_number")


def test_values_of_rotated_keys_still_open_beside_new_ones() -> None:
    old = seal.seal_many(KeyRing({1: FIRST}, current=1), VALUES, context=b"c")
    new = seal.seal_many(RING, VALUES, context=b"c")
    mixed = [each for pair in zip(old, new, strict=True) for each in pair]
    assert {each[0] for each in mixed} == {1, 2}
    assert seal.open_many(RING, mixed, context=b"c") == [value for value in VALUES for _ in range(2)]


def test_a_version_that_is_not_held_is_named() -> None:
    sealed = seal.seal_many(RING, VALUES, context=b"c")
    with pytest.raises(UnknownKeyVersion, match="version 2"):
        seal.open_many(KeyRing({1: FIRST}, current=1), sealed, context=b"c")


def test_another_key_of_the_same_version_opens_nothing() -> None:
    sealed = seal.seal_many(RING, VALUES, context=b"c")
    with pytest.raises(SealBroken):
        seal.open_many(KeyRing({2: FIRST}, current=2), sealed, context=b"c")


@pytest.mark.parametrize(
    ("versions", "current"), [({1: FIRST}, 2), ({0: FIRST}, 0), ({256: FIRST}, 256), ({1: b""}, 1)]
)
def test_a_ring_that_cannot_work_is_refused(versions: dict[int, bytes], current: int) -> None:
    with pytest.raises(ValueError):
        KeyRing(versions, current)


def test_a_ring_shows_its_versions_and_no_key() -> None:
    assert repr(RING) == "<KeyRing [1, 2] current 2>"


def test_a_blind_index_is_the_beginning_of_hmac_and_equal_only_for_equal_texts() -> None:
    first, second, third = seal.blind_index_many(FIRST, ["𠮷野", "430104", "𠮷野"])
    assert first == third == sm3.hmac(FIRST, "𠮷野".encode())[:16]
    assert first != second
    assert seal.blind_index_many(SECOND, ["𠮷野"]) != [first]


def test_an_empty_column_is_an_empty_column() -> None:
    assert seal.seal_many(RING, [], context=b"c") == seal.open_many(RING, [], context=b"c") == []


def test_a_sealed_file_comes_back_and_every_flipped_bit_and_other_place_or_key_is_refused() -> None:
    sealed = seal.seal_file(RING, b"portrait", context=b"photo")
    assert seal.open_file(RING, sealed, context=b"photo") == b"portrait"
    assert len(sealed) == 8 + seal.OVERHEAD
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            seal.open_file(RING, bytes(changed), context=b"photo")
    with pytest.raises(SealBroken):
        seal.open_file(RING, sealed, context=b"proof")
    with pytest.raises(SealBroken):
        seal.open_file(RING, sealed[:28], context=b"photo")
    with pytest.raises(SealBroken):
        seal.open_one(RING, sealed, context=b"photo")


def test_files_that_were_sealed_as_single_values_still_open() -> None:
    assert seal.open_file(RING, seal.seal_one(RING, b"portrait", context=b"photo"), context=b"photo") == b"portrait"


class Trickle(io.BytesIO):
    """A pipe that gives at most 65,521 bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(65521 if size is None or size < 0 else min(size, 65521))


def sealed_stream(data: bytes) -> bytes:
    out = io.BytesIO()
    assert seal.seal_stream(RING, Trickle(data), out, context=b"backup") == len(data)
    return out.getvalue()


def opened_stream(data: bytes, context: bytes = b"backup") -> bytes:
    out = io.BytesIO()
    seal.open_stream(RING, Trickle(data), out, context=context)
    return out.getvalue()


@pytest.mark.parametrize("size", [0, 1, seal.FRAME - 1, seal.FRAME, seal.FRAME + 1, 2 * seal.FRAME, 2 * seal.FRAME + 5])
def test_a_stream_of_any_length_comes_back(size: int) -> None:
    data = os.urandom(size)
    assert opened_stream(sealed_stream(data)) == data


def frames_of(stream: bytes) -> tuple[bytes, list[bytes]]:
    size = seal.FRAME + seal.OVERHEAD
    return stream[:20], [stream[start : start + size] for start in range(20, len(stream), size)]


def test_a_stream_that_was_cut_exchanged_or_prolonged_is_refused() -> None:
    whole = sealed_stream(os.urandom(2 * seal.FRAME + 100))
    other = sealed_stream(os.urandom(2 * seal.FRAME + 100))
    head, (first, second, last) = frames_of(whole)
    _, (foreign, _, _) = frames_of(other)
    for frames in (
        [],
        [first],
        [first, second],
        [second, first, last],
        [first, last],
        [first, second, second, last],
        [first, second, last, last],
        [foreign, second, last],
        [first, second, last[:-1]],
        [first, second, last + b"\0"],
    ):
        with pytest.raises(SealBroken):
            opened_stream(head + b"".join(frames))
    for broken in (b"", whole[:19], b"XXXX" + whole[4:], other[:20] + whole[20:]):
        with pytest.raises(SealBroken):
            opened_stream(broken)
    with pytest.raises(SealBroken):
        opened_stream(whole, context=b"other")


# ---- a sealed stream as a file ---------------------------------------------------------------------------------------


def as_file(sealed: bytes) -> io.BufferedReader:
    return io.BufferedReader(seal.SealedFile(RING, io.BytesIO(sealed), context=b"backup"))


@pytest.mark.parametrize("size", [0, 1, seal.FRAME - 1, seal.FRAME, seal.FRAME + 1, 2 * seal.FRAME, 2 * seal.FRAME + 7])
def test_a_sealed_stream_is_read_from_any_place(size: int) -> None:
    data = os.urandom(size)
    file = as_file(sealed_stream(data))
    assert file.read() == data and file.seek(0, io.SEEK_END) == size
    for at in sorted({0, size // 3, max(size - 10, 0), max(seal.FRAME - 3, 0), size + 5}):
        file.seek(at)
        assert file.read(20) == data[at:at + 20] and file.tell() == max(at, min(at + 20, size))


def test_a_sealed_archive_is_read_member_by_member() -> None:
    members = {f"{n}.bin": os.urandom(300_000) for n in range(8)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with zipfile.ZipFile(as_file(sealed_stream(out.getvalue()))) as archive:
        assert {name: archive.read(name) for name in reversed(members)} == members


def test_a_sealed_file_that_was_changed_cut_or_reordered_is_refused_where_it_is_read() -> None:
    data = os.urandom(2 * seal.FRAME + 100)
    whole, frame = sealed_stream(data), seal.FRAME + seal.OVERHEAD
    head, (first, second, last) = whole[:20], (whole[at:at + frame] for at in range(20, len(whole), frame))
    for broken in (head + second + first + last, head + first + second, head + first + first + last,
                   head + first + second + last[:-1], b"ZKS2" + whole[4:], whole[:10], head,
                   head + first + second[:-1] + bytes([second[-1] ^ 1]) + last):
        with pytest.raises(SealBroken):
            as_file(broken).read()
    file = as_file(head + first[:-1] + bytes([first[-1] ^ 1]) + second + last)
    file.seek(seal.FRAME)
    assert file.read(9) == data[seal.FRAME:seal.FRAME + 9], "a frame that nobody reads harms nobody"
    with pytest.raises(SealBroken):
        io.BufferedReader(seal.SealedFile(RING, io.BytesIO(whole), context=b"other")).read(1)
