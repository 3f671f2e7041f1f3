from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0010_git_fetches"),
    ]

    operations = [
        migrations.AlterField(
            model_name="microrun",
            name="state",
            field=models.TextField(
                choices=[
                    ("queued", "Waiting"),
                    ("running", "Running"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("skipped", "Left out"),
                    ("cancelled", "Cancelled"),
                ],
                default="queued",
            ),
        ),
    ]
