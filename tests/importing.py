"""Files of second-generation records for tests, and the way they come in."""

import hashlib
from pathlib import Path

from django.db import connection

import builders
from builders import NOON
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.registry import services
from zhengka.registry.models import Import

HEADER = "姓名,身份证号,残疾人证号,残疾类别,残疾等级,发证日期,有效期至,联系电话,地址,监护人"
TABLES = ["registry_holder", "registry_certificate", "registry_sighting"]


def row(number: int, *, name: str = "田野", grade: int = 2, suffix: str = "", issued: str = "2012-05-01",
        phone: str = "15400000001", address: str = "云溪镇1号", guardian: str = "") -> str:
    """A row of the person that `number` stands for."""
    id_number = builders.make_id_number(number=number)
    until = f"{int(issued[:4]) + 10}{issued[4:]}"
    return f"{name},{id_number},{id_number}4{grade}{suffix},肢体,{grade},{issued},{until},{phone},{address},{guardian}"


def file_of(folder: Path, *rows: str, name: str = "file.csv", encoding: str = "utf-8", header: str = HEADER) -> Path:
    """A text file of these rows."""
    path = folder / name
    path.write_text("\r\n".join([header, *rows]) + "\r\n", encoding=encoding, newline="")
    return path


def received(path: Path, clerk: Actor, *, unit: int = 430104) -> Import:
    """The upload of a file for a unit."""
    area = Area.objects.get(code=unit * 10**6)
    return services.receive_import(path.name, path, area, by=clerk, request_id=builders.request_id(), at=NOON)


def imported(path: Path, clerk: Actor, *, unit: int = 430104) -> Import:
    """The import of a file for a unit, done."""
    return services.take_import(received(path, clerk, unit=unit).pk, at=NOON)


def counts(record: Import) -> tuple[int, int, int, int]:
    """Created, merged, unchanged, refused."""
    return record.created, record.merged, record.unchanged, record.refused


def refused_file(record: Import, clerk: Actor) -> bytes:
    """The file of refused rows, in clear."""
    return services.fetch_refused(record, by=clerk, request_id=builders.request_id(), at=NOON)[1]


def digest_of_tables() -> str:
    """A digest of everything that an import may change, but for the import itself."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            digest.update(repr(cursor.fetchall()).encode())
        cursor.execute("SELECT t::text FROM core_event t WHERE subject <> 'import' ORDER BY 1")
        digest.update(repr(cursor.fetchall()).encode())
    return digest.hexdigest()
