from django.db import migrations

from decisions.record import guards


def make(apps, schema_editor):
    guards.make_erase(schema_editor.connection)


class Migration(migrations.Migration):
    """The one way to empty what an item said: a function that runs as the owner."""

    dependencies = [("decisions", "0004_task_storage")]
    operations = [
        migrations.RunPython(
            make, lambda apps, schema_editor: schema_editor.execute("DROP FUNCTION decisions_erase_item(bigint)")
        )
    ]
