"""Parquet files: row groups of a fixed number of rows, compressed by zstd."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv, parquet

from search.writers import Column

GROUP_ROWS = 20_000
BLOCK_BYTES = 256 * 1024
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
        for block in blocks(source):
            waiting = pa.concat_tables([waiting, table(block, schema)])
            while waiting.num_rows >= GROUP_ROWS:
                writer.write_table(waiting.slice(0, GROUP_ROWS), row_group_size=GROUP_ROWS)
                waiting = waiting.slice(GROUP_ROWS)
        if waiting.num_rows:
            writer.write_table(waiting, row_group_size=GROUP_ROWS)
    target.flush()
    return 0


def table(block: bytes, schema: pa.Schema) -> pa.Table:
    """Some rows."""
    return csv.read_csv(
        pa.BufferReader(block),
        # All in one piece, whatever its size: a row may be as long as the database makes it.
        read_options=csv.ReadOptions(
            column_names=schema.names, block_size=len(block) + 1, use_threads=False
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={field.name: field.type for field in schema},
            null_values=[""],
            true_values=["true"],
            false_values=["false"],
            strings_can_be_null=True,
        ),
    )


def blocks(source: BinaryIO) -> Iterator[bytes]:
    """Whole rows, about `BLOCK_BYTES` at a time.

    pyarrow's own reader of streams reads dozens of blocks ahead, and takes no row longer than one.
    """
    begun = bytearray()
    while data := source.read(BLOCK_BYTES):
        begun += data
        if end := end_of_rows(begun):
            yield bytes(begun[:end])
            del begun[:end]


def end_of_rows(data: bytearray) -> int:
    """Where the last row ends that is whole: behind a line feed with no quotes left open."""
    is_open = data.count(b'"') % 2
    end = len(data)
    while (last := data.rfind(b"\n", 0, end)) >= 0:
        is_open ^= data.count(b'"', last, end) % 2
        if not is_open:
            return last + 1
        end = last
    return 0
