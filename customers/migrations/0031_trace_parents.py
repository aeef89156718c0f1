from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("customers", "0030_words_of_departments"),
    ]

    operations = [
        migrations.AddField(
            model_name="attributeconversion",
            name="trace_parent",
            field=models.CharField(blank=True, db_default="", default="", max_length=55),
        ),
    ]
