"""What a zip file says of its list of members is known without reading the list, as `zipfile` will find it."""

import io
import zipfile

import pytest

from zhengka.formats.archive import listing


def packed(members: int, comment: bytes = b"") -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(members):
            archive.writestr(f"{number:06}", b"")
        archive.comment = comment
    return out


@pytest.mark.parametrize("members, comment", [
    (0, b""), (3, b""), (3, b"portraits"), (3, b"x" * 65_535), (65_535, b""), (70_000, b""), (70_000, b"portraits")])
def test_the_number_of_members_and_the_bytes_of_their_list(members, comment):
    assert listing(packed(members, comment)) == (members, members * (46 + 6), bool(comment))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6", b"no archive" * 10_000])
def test_what_is_no_archive_is_named(data):
    with pytest.raises(zipfile.BadZipFile):
        listing(io.BytesIO(data))
