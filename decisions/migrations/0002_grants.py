from django.db import migrations

from decisions.record import guards


def grant(apps, schema_editor):
    guards.grant(schema_editor.connection)


class Migration(migrations.Migration):
    """What the application's role may do to each table."""

    dependencies = [("decisions", "0001_tables")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
