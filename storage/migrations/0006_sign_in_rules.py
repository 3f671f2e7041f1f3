"""What the owner of the server requires of everybody who signs in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0005_key_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInRules",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("second_factor_required", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="sign_in_rules_single_row")],
            },
        ),
    ]
