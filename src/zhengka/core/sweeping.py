"""Sealed streams that no row names are removed: a process died between the file and the row that was to name it."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.apps import apps
from django.db import connection, models, transaction

from zhengka.core import files
from zhengka.core.models import StreamName
from zhengka.core.scope import see_all

log = logging.getLogger("zhengka.files")

SAFE_AGE: Final = timedelta(days=1)
"""A younger stream may belong to a request that is still under way: none takes an hour."""
LOOKED_AT: Final = timedelta(days=30)
"""Only streams of so many days are looked at: an old one was found to be named by a row night after night."""


def sweep(*, at: datetime) -> int:
    """Remove what processes left behind that died while they kept a file, and say how many files it was.

    What a row names stays, whatever its age. The rows are asked for after the files were listed, and no request takes
    as long as a file must be old: a row that is to name it is there by then.
    """
    oldest, youngest = at - SAFE_AGE - LOOKED_AT, at - SAFE_AGE
    found = list(files.streams(oldest, youngest))
    lost = set(found) - _named(found)
    for name in lost:
        files.remove(name)
    halves = files.remove_halves(youngest)
    if lost or halves:
        log.warning("%s sealed files that no row names and %s half written ones were removed", len(lost), halves)
    return len(lost) + halves


def columns() -> list[tuple[type[models.Model], str]]:
    """Every column that may name a sealed stream."""
    return [(model, each.name) for model in apps.get_models() for each in model._meta.get_fields()
            if isinstance(each, StreamName)]


@transaction.atomic
def _named(names: Sequence[str]) -> set[str]:
    """Those of the names that a row has."""
    see_all(connection)  # a row that is not seen would be taken for absent, and its file removed
    return {name for model, column in columns()
            for name in model._default_manager.filter(**{f"{column}__in": names}).values_list(column, flat=True)}
