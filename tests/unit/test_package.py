"""The package for the card maker: what goes in comes out, for the right maker only, and nothing altered is taken."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from made_cards import (
    CHANNEL,
    CONTENT_KEY,
    KEK,
    make_orders,
    make_package,
    make_profile,
    make_records,
    package_info,
)
from zhengka.formats.package import CardOrder, Member, PackageBroken, PackageReader, PackageWriter
from zhengka.formats.suites import SM, SUITES

PROFILE = make_profile()
ORDERS, _ = make_orders(PROFILE, make_records(5))
ISSUER, MAKER = SM.generate(), SM.generate()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    writer = PackageWriter(tmp_path / "parts", package_info(PROFILE), content_key=CONTENT_KEY)
    writer.add_cards(1, ORDERS[:3])
    writer.add_cards(2, ORDERS[3:])
    writer.add_faces(1, io.BytesIO(b"%PDF-1.7 faces"), cards=3)
    writer.finish(tmp_path / "batch.zip", signer=ISSUER, maker=MAKER.public, kek=KEK, channel=CHANNEL)
    return tmp_path / "batch.zip"


def refusal(path: Path) -> str:
    """The code by which a package is refused, at the door or at one of its members."""
    with pytest.raises(PackageBroken) as refused, PackageReader(path, MAKER, ISSUER.public) as reader:
        for member in reader.members:
            list(reader.orders(member)) if member.name.startswith("cards") else reader.plain(member)
    return refused.value.code


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, members: dict[str, bytes], *, how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=how)
    return path


def resigned(path: Path, change: Callable[[dict], None]) -> Path:
    """The package with a changed manifest under a right signature: a fault of our own making."""
    members = content(path)
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    members["manifest.json"] = json.dumps(manifest).encode()
    members["manifest.sig"] = ISSUER.sign(members["manifest.json"])
    return rewritten(path, members)


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_a_maker_finds_every_order_as_it_was_given(tmp_path: Path, suite: str):
    profile, path = make_profile(suite=suite), tmp_path / "batch.zip"
    orders, _ = make_orders(profile, make_records(5))
    issuer, maker = SUITES[suite].generate(), SUITES[suite].generate()
    digest = make_package(path, orders, signer=issuer, maker=maker.public, profile=profile, each=2)
    with PackageReader(path, maker, issuer.public) as reader:
        assert [order for member in reader.members for order in reader.orders(member)] == orders
        assert (reader.kek, reader.channel, reader.digest, reader.cards) == (KEK, CHANNEL, digest, 5)
        assert reader.info == package_info(profile)


def test_faces_come_out_as_they_went_in(package: Path):
    with PackageReader(package, MAKER, ISSUER.public) as reader:
        assert [member.name for member in reader.members] == ["cards-0001.bin", "cards-0002.bin", "faces-0001.pdf"]
        assert reader.plain(reader.members[2]) == b"%PDF-1.7 faces"


def test_the_package_shows_no_name_no_key_and_no_serial(package: Path):
    raw = package.read_bytes()
    for secret in (KEK, CONTENT_KEY, ORDERS[0].serial.encode(), b"%PDF-", "买买提".encode("gb18030").hex().encode()):
        assert secret not in raw and secret.hex().encode() not in raw


def test_a_stopped_writer_goes_on_where_it_was(tmp_path: Path):
    folder, info = tmp_path / "parts", package_info(PROFILE)
    PackageWriter(folder, info, content_key=CONTENT_KEY).add_cards(1, ORDERS[:3])
    (folder / ".cards-0002.bin.4711").write_bytes(b"half a member")
    again = PackageWriter(folder, info, content_key=CONTENT_KEY)
    assert again.staged() == {"cards-0001.bin": 3}
    again.add_cards(2, ORDERS[3:])
    again.finish(tmp_path / "batch.zip", signer=ISSUER, maker=MAKER.public, kek=KEK, channel=CHANNEL)
    with PackageReader(tmp_path / "batch.zip", MAKER, ISSUER.public) as reader:
        assert reader.cards == 5


def test_a_member_added_again_replaces_the_first(tmp_path: Path):
    writer = PackageWriter(tmp_path / "parts", package_info(PROFILE), content_key=CONTENT_KEY)
    writer.add_cards(1, ORDERS[:3])
    writer.add_cards(1, ORDERS[:2])
    assert writer.staged() == {"cards-0001.bin": 2}


def test_a_member_holds_no_more_than_a_thousand_cards_and_not_none(tmp_path: Path):
    writer = PackageWriter(tmp_path / "parts", package_info(PROFILE), content_key=CONTENT_KEY)
    for orders in ([], [ORDERS[0]] * 1001):
        with pytest.raises(ValueError, match="1 to 1000"):
            writer.add_cards(1, orders)
    with pytest.raises(ValueError, match="1 to 9999"):
        writer.add_cards(10_000, ORDERS)
    assert writer.staged() == {}


def test_keys_of_another_suite_do_not_sign_the_package(tmp_path: Path):
    writer = PackageWriter(tmp_path / "parts", package_info(PROFILE), content_key=CONTENT_KEY)
    writer.add_cards(1, ORDERS)
    with pytest.raises(ValueError, match="another suite"):
        writer.finish(tmp_path / "x.zip", signer=SUITES["INTL"].generate(), maker=MAKER.public, kek=KEK,
                      channel=CHANNEL)


def test_another_maker_cannot_open_it(package: Path):
    with pytest.raises(PackageBroken, match="not-for-this-maker"):
        PackageReader(package, SM.generate(), ISSUER.public)


def test_another_issuer_is_not_believed(package: Path):
    with pytest.raises(PackageBroken, match="wrong-signature"):
        PackageReader(package, MAKER, SM.generate().public)


@pytest.mark.parametrize(
    "name", ["manifest.json", "manifest.sig", "cards-0001.bin", "cards-0002.bin", "faces-0001.pdf"]
)
def test_a_member_with_one_bit_changed_is_refused(package: Path, name: str):
    members = content(package)
    members[name] = members[name][:-30] + bytes([members[name][-30] ^ 1]) + members[name][-29:]
    expected = "wrong-signature" if name.startswith("manifest") else "wrong-digest"
    assert refusal(rewritten(package, members)) == expected


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "cards-0002.bin"])
def test_a_member_left_out_is_missed(package: Path, name: str):
    members = content(package)
    del members[name]
    assert refusal(rewritten(package, members)) in ("missing", "wrong-members")


def test_a_member_added_is_refused(package: Path):
    assert refusal(rewritten(package, content(package) | {"cards-0003.bin": b"more"})) == "wrong-members"


@pytest.mark.parametrize(
    "name",
    [
        *("../cards-0001.bin", "/cards-0001.bin", "cards-0001.bin/", "CARDS-0001.bin", "a/cards-0001.bin"),
        *("..\\cards-0001.bin", "证.bin", "cards-１２３４.bin", "cards-0001.bin\n", ""),
    ],
)
def test_a_name_that_is_not_ours_is_refused(package: Path, name: str):
    assert refusal(rewritten(package, content(package) | {name: b"evil"})) in ("bad-name", "not-a-package")


def test_a_name_that_hides_its_end_behind_a_zero_byte_is_refused(package: Path):
    path = rewritten(package, content(package) | {"cards-0009.bin?": b"evil"})
    path.write_bytes(path.read_bytes().replace(b"cards-0009.bin?", b"cards-0009.bin\0"))
    assert refusal(path) == "bad-name"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(package: Path):
    with zipfile.ZipFile(package, "a") as archive:
        archive.writestr("cards-0001.bin", b"another")
    assert refusal(package) == "member-twice"


def test_compressed_members_are_refused_before_they_are_read(package: Path):
    assert refusal(rewritten(package, content(package), how=zipfile.ZIP_DEFLATED)) == "compressed"


def test_a_bomb_of_names_is_refused_before_they_are_listed(tmp_path: Path):
    path = rewritten(tmp_path / "bomb.zip", {f"cards-{number:04}.bin{number}": b"" for number in range(35_000)})
    assert refusal(path) == "too-many-members"


def test_a_package_cut_anywhere_is_refused(package: Path):
    whole = package.read_bytes()
    for size in range(0, len(whole), 97):
        package.write_bytes(whole[:size])
        assert refusal(package) == "not-a-package"


def test_a_missing_file_is_not_called_broken(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        PackageReader(tmp_path / "none.zip", MAKER, ISSUER.public)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda manifest: manifest.update(format="zhengka-package/9"), "unknown-format"),
        (lambda manifest: manifest.update(cards=6), "wrong-count"),
        (lambda manifest: manifest.update(cards="5"), "bad-manifest"),
        (lambda manifest: manifest.update(suite="INTL"), "wrong-suite"),
        (lambda manifest: manifest.update(suite="none"), "bad-manifest"),
        (lambda manifest: manifest.update(plan=[]), "bad-manifest"),
        (lambda manifest: manifest.update(created_at="yesterday"), "bad-manifest"),
        (lambda manifest: manifest.pop("members"), "bad-manifest"),
        (lambda manifest: manifest.pop("profile"), "bad-manifest"),
        (lambda manifest: manifest.update(batch="430104-0002"), "wrong-seal"),
        (lambda manifest: manifest.update(transport_key="00"), "not-for-this-maker"),
        (lambda manifest: manifest.update(transport_key=manifest["content_key"]), "bad-manifest"),
        (lambda manifest: manifest.update(channel_keys=manifest["transport_key"]), "bad-manifest"),
        (lambda manifest: manifest.pop("channel_keys"), "not-for-this-maker"),
        (lambda manifest: manifest.update(channel_version=0), "bad-manifest"),
        (lambda manifest: manifest.update(channel_version=128), "bad-manifest"),
        (lambda manifest: manifest.pop("channel_version"), "bad-manifest"),
        (lambda manifest: manifest["members"][0].update(size=1), "wrong-size"),
        (lambda manifest: manifest["members"][0].update(digest="00"), "wrong-digest"),
        (lambda manifest: manifest["members"][0].update(cards=4), "wrong-count"),
        (lambda manifest: manifest["members"].append(manifest["members"][0]), "wrong-members"),
    ],
)
def test_a_wrong_manifest_is_refused_even_when_it_is_signed(package: Path, change: Callable[[dict], None], code: str):
    assert refusal(resigned(package, change)) == code


def test_a_member_with_fewer_cards_than_the_manifest_tells_is_refused(package: Path):
    def move_one(manifest: dict) -> None:
        manifest["members"][0]["cards"] += 1
        manifest["members"][1]["cards"] -= 1

    assert refusal(resigned(package, move_one)) == "wrong-count"


def test_a_manifest_that_is_no_object_is_refused_even_when_it_is_signed(package: Path):
    for manifest, code in [(b"[]", "unknown-format"), (b"{", "bad-manifest"), (b"[" * 100_000, "bad-manifest")]:
        members = content(package) | {"manifest.json": manifest, "manifest.sig": ISSUER.sign(manifest)}
        assert refusal(rewritten(package, members)) == code


def test_two_members_cannot_change_places(package: Path):
    members = content(package)
    first, second = members["cards-0001.bin"], members["cards-0002.bin"]
    rewritten(package, members | {"cards-0001.bin": second, "cards-0002.bin": first})

    def swap(manifest: dict) -> None:
        one, two = manifest["members"][:2]
        for name in ("size", "digest", "cards"):
            one[name], two[name] = two[name], one[name]

    assert refusal(resigned(package, swap)) == "wrong-seal"


@pytest.mark.parametrize("order", [CardOrder("12 34", [b"\x00"], {}), CardOrder("", [], {})])
def test_an_order_that_is_none_is_refused(tmp_path: Path, order: CardOrder):
    make_package(tmp_path / "x.zip", [order], signer=ISSUER, maker=MAKER.public, profile=PROFILE)
    assert refusal(tmp_path / "x.zip") == "bad-card"


def test_a_member_that_is_told_but_not_there_is_missing(package: Path):
    with PackageReader(package, MAKER, ISSUER.public) as reader, pytest.raises(PackageBroken, match="missing"):
        reader.sealed(Member("cards-0009.bin", 1, bytes(32), 1))
