from django.db import migrations

from decisions import callers
from decisions.intake import store
from decisions.record import log


def make(apps, schema_editor):
    for make_one in (callers.make_caller, store.make_admit, log.make_append):
        make_one(schema_editor.connection)


class Migration(migrations.Migration):
    """What every call asks, as functions that a session plans once: who calls, ids of arrivals, the end of a chain."""

    dependencies = [("decisions", "0009_rights")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
