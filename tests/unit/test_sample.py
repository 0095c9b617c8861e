"""The sample: people who cannot exist, in files as offices send them."""

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from zhengka.exchange import sample
from zhengka.exchange.sample import numbers
from zhengka.exchange.sample.truth import Truth
from zhengka.formats import idnumber
from zhengka.formats.idnumber import BadIdNumber

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "examples" / "second-generation"
SEED = 20180516


def quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The shipped sample, made anew."""
    folder = tmp_path_factory.mktemp("made")
    sample.generate(folder, scale=0.01, seed=SEED, units=sample.pilot_units(ROOT / "data"), on_progress=quiet)
    return folder


@pytest.fixture(scope="module")
def packs(tmp_path_factory) -> list[Path]:
    """The photo packs of a tiny sample."""
    folder = tmp_path_factory.mktemp("packs")
    sample.generate_photos(folder, scale=0.002, seed=SEED, units=sample.pilot_units(ROOT / "data"), on_progress=quiet)
    return sorted((folder / sample.FOLDER).glob("*.zip"))


def test_the_shipped_files_are_what_the_generator_makes_of_their_seed(made):
    names = sorted(path.name for path in SHIPPED.iterdir())
    assert names == sorted(path.name for path in made.iterdir())
    for name in names:
        assert (made / name).read_bytes() == (SHIPPED / name).read_bytes(), name


def test_every_unit_has_its_true_share_of_holders():
    units = sample.pilot_units(ROOT / "data")
    truth = Truth.load(SHIPPED / sample.TRUTH)
    assert len(truth.files) == len(units) == 25
    assert truth.total.created == pytest.approx(298_485 * 0.01, rel=0.05)


def test_the_rows_of_the_truth_add_up_and_hold_the_dirt_of_real_files():
    truth = Truth.load(SHIPPED / sample.TRUTH)
    for one in [*truth.files.values(), truth.total]:
        assert one.rows == one.created + one.merged + one.unchanged + sum(one.refused.values())
        assert one.created == one.photos.good + one.photos.missing + one.photos.unreadable
    assert 0.02 <= sum(truth.total.refused.values()) / truth.total.rows <= 0.04
    assert 0.005 <= (truth.total.merged + truth.total.unchanged) / truth.total.rows <= 0.02
    assert len(truth.total.refused) >= 6, "many kinds of faults"


def test_no_division_ever_had_the_first_six_digits_of_an_invented_person(packs):
    seen = Counter(name[:6] for pack in packs for name in zipfile.ZipFile(pack).namelist())
    assert len(seen) > 5
    for first6 in seen:
        assert int(first6[2:4]) in numbers.UNUSED_PREFECTURES
    areas = (ROOT / "data" / "areas" / "hunan-2018.toml").read_text()
    assert not any(f'"43{prefecture:02d}00"' in areas for prefecture in numbers.UNUSED_PREFECTURES)


def test_photos_are_named_by_right_id_numbers_and_small(packs):
    entries = 0
    for pack in packs:
        with zipfile.ZipFile(pack) as archive:
            for entry in archive.infolist():
                entries += 1
                assert entry.file_size <= 12 * 1024
                idnumber.parse(entry.filename.removesuffix(".jpg"))
    assert entries > 500


def test_a_wrong_id_number_would_be_noticed_by_these_tests():
    with pytest.raises(BadIdNumber):
        idnumber.parse("439901196001010000")


def test_another_seed_makes_other_people(tmp_path, made):
    units = sample.pilot_units(ROOT / "data")
    sample.generate(tmp_path, scale=0.001, seed=1, units=units, on_progress=quiet)
    sample.generate(tmp_path / "two", scale=0.001, seed=2, units=units, on_progress=quiet)
    name = next(path.name for path in sorted(tmp_path.glob("*.csv")))
    assert not (tmp_path / "two" / name).exists() or (tmp_path / name).read_bytes() != (
        tmp_path / "two" / name).read_bytes()
