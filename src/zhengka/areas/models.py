"""Administrative divisions (行政区划) and extension units, as data of a date."""

from typing import ClassVar

from django.db import models


class Area(models.Model):
    """A division or extension unit. `code` has 12 digits (GB/T 2260 + GB/T 10114); a subtree is [code, last]."""

    code = models.BigIntegerField(primary_key=True)
    last = models.BigIntegerField(help_text="highest code within this area's subtree")
    name = models.TextField()
    name_en = models.TextField()
    level = models.TextField(choices=[(level, level) for level in ("nation", "province", "city", "county", "street")])
    kind = models.TextField(choices=[(kind, kind) for kind in ("gb", "function_zone", "farm")])
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    reports_as = models.BigIntegerField(null=True, help_text="GB/T 2260 code used in reports to the nation")
    issuing = models.BooleanField(default=False, help_text="issuing unit (发证单位)")
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(code__lte=models.F("last")), name="area_range_ordered"),
        ]

    def __str__(self) -> str:
        """The area's Chinese name."""
        return self.name

    @property
    def unit6(self) -> str:
        """Six-digit code of the unit, as printed in card serials."""
        return f"{self.code // 10**6:06d}"
