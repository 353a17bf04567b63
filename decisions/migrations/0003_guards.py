from django.db import migrations

from decisions.record import guards


def protect(apps, schema_editor):
    guards.protect(schema_editor.connection)


class Migration(migrations.Migration):
    """Triggers that refuse to change or remove what is a fact, whoever asks."""

    dependencies = [("decisions", "0002_grants")]
    operations = [
        migrations.RunPython(
            protect,
            lambda apps, schema_editor: schema_editor.execute("DROP FUNCTION decisions_refuse_change() CASCADE"),
        )
    ]
