"""Workbooks and Parquet."""

from django.db import migrations, models


class Migration(migrations.Migration):
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
