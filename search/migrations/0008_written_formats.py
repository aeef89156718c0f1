"""Workbooks and Parquet."""

from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("search", "0007_external_ids"),
    ]

    operations = [
        migrations.AlterField(
            model_name="customersearch",
            name="result_format",
            field=models.CharField(
                choices=[
                    ("CSV", "Csv"),
                    ("CSV_EXCEL", "Csv Excel"),
                    ("JSON", "Json"),
                    ("NDJSON", "Ndjson"),
                    ("XLSX", "Xlsx"),
                    ("PARQUET", "Parquet"),
                ],
                default="CSV",
                max_length=9,
            ),
        ),
    ]
