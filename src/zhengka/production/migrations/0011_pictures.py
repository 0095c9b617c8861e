"""A card maker may get the faces as pictures besides PDF."""

from django.db import migrations, models
from django.db.models import Q

WORDS = ("", "jpeg-300", "jpeg-600", "png-300", "png-600")


class Migration(migrations.Migration):
    """One word more about a maker."""

    dependencies = [("production", "0010_packages")]
    operations = [
        migrations.AddField("maker", "pictures", models.TextField(
            blank=True, default="", db_default="",
            help_text="the faces as pictures besides PDF: png-300, png-600, jpeg-300, jpeg-600; empty: PDF alone")),
        migrations.AddConstraint("maker", models.CheckConstraint(
            condition=Q(pictures__in=WORDS), name="maker_pictures_known")),
    ]
