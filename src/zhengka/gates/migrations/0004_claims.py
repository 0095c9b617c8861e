"""Lists of claims as they were published. No page reads them: the web's role has no right to the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A table."""

    dependencies = [("gates", "0003_uses")]
    operations = [
        migrations.CreateModel("claimpublication", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("claim", models.TextField(help_text="name of the condition, as rulebooks have it")),
            ("list_number", models.PositiveIntegerField()),
            ("number", models.PositiveBigIntegerField(help_text="monotonic version of the list")),
            ("published_at", models.DateTimeField()),
            ("content", models.TextField(help_text="digest of what it says, by which a repeat is known")),
            ("holding", models.PositiveIntegerField(help_text="cards whose holders fulfil the condition")),
            ("digest", models.TextField(blank=True, help_text="digest in the file store; empty until published")),
            ("size", models.PositiveIntegerField(default=0)),
        ], options={"constraints": [
            models.UniqueConstraint(fields=["claim", "list_number", "number"], name="claim_version_once"),
            models.CheckConstraint(condition=models.Q(claim__regex="^[0-9a-f]{8}$"), name="claim_named"),
            models.CheckConstraint(
                condition=models.Q(digest="", size=0) | ~models.Q(digest="") & models.Q(size__gt=0),
                name="claim_published_whole"),
        ]}),
    ]
