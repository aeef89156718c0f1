"""Parquet files: row groups of a fixed number of rows, compressed by zstd."""

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv, parquet

from search.writers import Column

GROUP_ROWS = 20_000
BLOCK_BYTES = 1024 * 1024
TYPES = {
    "timestamp": pa.timestamp("ms", tz="UTC"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


def write(source: BinaryIO, target: BinaryIO, columns: Sequence[Column]) -> int:
    """Write the file; 0."""
    # The rows come no faster than one processor takes them.
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    schema = pa.schema([(name, TYPES.get(kind, pa.string())) for name, kind in columns])
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        waiting = schema.empty_table()
        for batch in batches(source, schema):
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
            while waiting.num_rows >= GROUP_ROWS:
                writer.write_table(waiting.slice(0, GROUP_ROWS), row_group_size=GROUP_ROWS)
                waiting = waiting.slice(GROUP_ROWS)
        if waiting.num_rows:
            writer.write_table(waiting, row_group_size=GROUP_ROWS)
    target.flush()
    return 0


def batches(source: BinaryIO, schema: pa.Schema) -> Sequence[pa.RecordBatch]:
    """The rows, a block at a time; none where the source is empty."""
    first = source.peek(1)  # type: ignore[attr-defined] # of a buffered reader
    if not first:
        return []
    reader: Sequence[pa.RecordBatch] = csv.open_csv(
        source,
        read_options=csv.ReadOptions(column_names=schema.names, block_size=BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={field.name: field.type for field in schema},
            null_values=[""],
            true_values=["true"],
            false_values=["false"],
            strings_can_be_null=True,
        ),
    )
    return reader
