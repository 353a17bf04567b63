from collections.abc import Callable

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LEAD, LEAD_BEFORE = 3, 2


def renumber(old: int, new: int) -> Callable[[Apps, BaseDatabaseSchemaEditor], None]:
    def run(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        apps.get_model("decisions", "Task").objects.filter(rank=old).update(rank=new)

    return run


class Migration(migrations.Migration):
    """Four ranks: crowd, reviewer, expert, lead."""

    dependencies = [("decisions", "0010_planned")]
    operations = [
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("crowd", "Crowd"),
                    ("reviewer", "Reviewer"),
                    ("expert", "Expert"),
                    ("lead", "Lead"),
                    ("manager", "Manager"),
                    ("auditor", "Auditor"),
                    ("admin", "Admin"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="rank",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "Crowd"), (1, "Reviewer"), (2, "Expert"), (3, "Lead")], default=1
            ),
        ),
        migrations.RunPython(renumber(LEAD_BEFORE, LEAD), renumber(LEAD, LEAD_BEFORE)),
    ]
