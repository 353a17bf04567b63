from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Finds words in the notes of millions of rulings."""

    dependencies = [("decisions", "0005_erase_item")]
    operations = [
        TrigramExtension(),
        migrations.RunSQL(
            "CREATE INDEX ruling_note ON decisions_ruling USING gin (upper(note) gin_trgm_ops) WHERE note <> ''",
            "DROP INDEX ruling_note",
        ),
    ]
