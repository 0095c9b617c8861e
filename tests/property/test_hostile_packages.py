"""Whatever comes from a card maker, or pretends to come from an office, is refused by name or says what it said."""

import io
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from made_cards import make_orders, make_package, make_profile, make_records
from zhengka.formats import legacy, parts, receipts, x509
from zhengka.formats.legacy import LegacyBroken, Row
from zhengka.formats.package import PackageBroken, PackageReader
from zhengka.formats.parts import LEAST, Assembly
from zhengka.formats.receipts import ResultsReceipt
from zhengka.formats.results import CardResult, ResultReader, ResultsBroken, ResultsInfo, ResultWriter
from zhengka.formats.statement import StatementBroken
from zhengka.formats.suites import SM
from zhengka.formats.x509 import CertificateBroken

ISSUER, MAKER = SM.generate(), SM.generate()
AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One good file of each kind."""
    folder, profile = tmp_path_factory.mktemp("corpus"), make_profile()
    orders, digests = make_orders(profile, make_records(3))
    package = make_package(folder / "b.zkp", orders, signer=ISSUER, maker=MAKER.public, profile=profile, each=2)
    with ResultWriter(folder / "r", ResultsInfo(UUID(int=1 << 70), "b", package), MAKER) as writer:
        for serial, digest in digests.items():
            writer.add(CardResult(serial, bytes(7), b"\x3b\x00", digest, "good", ""))
    text = io.BytesIO()
    legacy.write(text, "b", [(Row("t", 1, "43990119000101001X", "田野", "n", "c", "g", "i", date(2026, 1, 1),
                                  date(2036, 1, 1), "1"), b"\xff\xd8 photo")], "gbk")
    plan = parts.cut(folder / "b.zkp", LEAST, batch="b", package=package, suite="SM")
    body = x509.certificate_body(
        x509.Wanted(7, x509.Name("CN", "x", "x"), MAKER.public, AT, AT + timedelta(days=1)),
        x509.Issuer(x509.Name("CN", "x", "x"), MAKER.public))
    told = ResultsReceipt("b", package, UUID(int=7), package, 3, 0, 0, AT)
    return {"package": (folder / "b.zkp").read_bytes(), "results": (folder / "r").read_bytes(),
            "text": text.getvalue(), "list": parts.sign(plan, ISSUER), "receipt": receipts.sign_results(told, ISSUER),
            "certificate": x509.signed(body, MAKER.sign(body), "SM"),
            "returned": b"t|1|x|y|z|1||04A1B2C3D4E5F6|3B8001|||\r\n" * 3}


def package_of(data: bytes, folder: Path) -> list[bytes]:
    """The opened members of a package."""
    (folder / "x").write_bytes(data)
    with PackageReader(folder / "x", MAKER, ISSUER.public) as reader:
        return [reader.plain(member) for member in reader.members]


READ = {
    "package": package_of, "results": lambda data, _: list(ResultReader(io.BytesIO(data), MAKER.public).cards()),
    "text": lambda data, _: list(legacy.read(io.BytesIO(data))),
    "returned": lambda data, _: list(legacy.read_returned(io.BytesIO(data))),
    "certificate": lambda data, _: x509.read_own(data).public,
    "list": lambda data, _: parts.read(data, ISSUER.public),
    "receipt": lambda data, _: receipts.read_results(data, ISSUER.public)}


def taken(kind: str, data: bytes, folder: Path) -> object:
    """What a file of this kind says; None where it is refused by a name of its own."""
    try:
        return READ[kind](data, folder)
    except (PackageBroken, ResultsBroken, LegacyBroken, StatementBroken, CertificateBroken) as no:
        assert no.code and str(no)
        return None


SIGNED = ("package", "results", "list", "receipt", "certificate")


@pytest.mark.parametrize("kind", [*SIGNED, "text", "returned"])
@MANY
@given(data=st.data())
def test_a_file_with_a_piece_replaced_is_refused_or_says_the_same(corpus, tmp_path, kind, data):
    good = corpus[kind]
    place, cut = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 60))
    changed = good[:place] + data.draw(st.binary(max_size=60)) + good[place + cut:]
    said = taken(kind, changed, tmp_path)
    if kind in SIGNED and said is not None:
        assert said == taken(kind, good, tmp_path)


@pytest.mark.parametrize("kind", [*SIGNED, "text", "returned"])
@MANY
@given(data=st.binary(max_size=3000))
def test_any_bytes_are_refused(corpus, tmp_path, kind, data):
    assert corpus
    said = taken(kind, data, tmp_path)
    assert said is None or kind == "returned"


def test_a_large_package_is_cut_and_put_together_in_little_memory(tmp_path):
    size, part = 96 << 20, 1 << 20
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    plan = parts.cut(tmp_path / "large", part, batch="b", package=bytes(32), suite="SM")
    whole = Assembly(plan, tmp_path / "again")
    for number in whole.missing():
        whole.put(number, parts.piece(tmp_path / "large", plan, number))
    whole.finish()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "again").stat().st_size == size and most < 8 * part


def test_a_return_file_of_two_hundred_thousand_lines_is_read_in_little_memory():
    class Lines(io.RawIOBase):
        """Many lines, made one at a time."""

        left = 200_000

        def readline(self, _size=-1):
            self.left -= 1
            return b"t|1|x|y|z|1||04A1B2C3D4E5F6|3B8001|||\r\n" if self.left % 3 else b"bad|line\r\n"

        def __bool__(self):
            return self.left > 0

    lines = Lines()
    tracemalloc.start()
    counted = 0
    for _ in legacy.read_returned(lines):
        counted += 1
        if not lines:
            break
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counted > 100_000 and most < 1 << 20
