from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def mark_reviewed(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What the rule called reviewed until now: otherwise a completion would seem to lapse at the person's next step."""
    rows = apps.get_model("learning", "ModuleProgress").objects
    rows.filter(manual_max__gt=0, attempt_number__gt=0, waits_for_grader=False).update(reviewed=True)


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0003_earned_badge"),
    ]

    operations = [
        migrations.AddField(
            model_name="moduleprogress",
            name="reviewed",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(mark_reviewed, migrations.RunPython.noop),
    ]
