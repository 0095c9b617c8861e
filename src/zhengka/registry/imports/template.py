"""An empty file of the shape that an import reads (导入模板): its header alone, from the dated table of headings."""

import csv
import io

import xlsxwriter
from django.conf import settings

from zhengka.registry.imports import shape

FORMS = ("xlsx", "csv")


def columns() -> shape.Shape:
    """The shape of second-generation files that holds now."""
    return shape.load(settings.DATA / "imports" / "second-generation.toml")


def empty(form: str) -> bytes:
    """A file with every heading that is read, those marked by `*` without which a file is refused; `form`: of `FORMS`.
    A text begins with the mark by which Excel knows UTF-8.
    """
    found = columns()
    headings = [heading + "*" * (field in found.required) for field, heading in found.headings.items()]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text).writerow(headings)
        return text.getvalue().encode("utf-8-sig")
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet, digits = workbook.add_worksheet(), workbook.add_format({"num_format": "@"})
        sheet.set_column(0, len(headings) - 1, WIDTH, digits)  # numbers of 18 digits and more stay text
        sheet.write_row(0, 0, headings)
        sheet.freeze_panes(1, 0)
    return file.getvalue()


WIDTH = 22
"""Characters that a column of the workbook shows: an identity number whole."""
