"""Many small detectors by Spark: groups fitted in partitions, and Arrow batches scored.

    pip install ./python "pyspark<4" pandas pyarrow psutil      # and Debian's default-jre-headless
    python examples/spark.py --rows 1000000 --groups 1000

Writes made-up rows as Parquet files, fits and scores them in one process and by Spark on this machine, prints a table of
both and fails where their bits differ. The same by Dask: dask.py.
"""
import contextlib
import os
import pathlib
import shutil
import sys

# This folder has a dask.py, which would hide the package.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent / "engines")
try:
    import pyarrow as pa
    from comparison import compare, options
    from pyspark.sql import SparkSession

    import dasvdd
except ImportError as error:
    sys.exit(f'spark.py: {str(error).splitlines()[0]} (pip install ./python "pyspark<4" pandas pyarrow psutil)')
if not shutil.which("java") and "JAVA_HOME" not in os.environ:
    sys.exit("spark.py: Spark needs Java, and there is none here (Debian: default-jre-headless)")


def features(table):
    return table.select([name for name in table.schema.names if name.startswith("x")])


def fit_groups(batches):
    """One row, with the bytes of a bank of all groups in the partition; none where it is empty."""
    batches = list(batches)
    if batches:
        # A detector depends on the order of its group's rows, and a shuffle keeps none.
        part = pa.Table.from_batches(batches).sort_by("row")
        bank = dasvdd.fit_many(features(part), part["machine"].to_pylist(), threads=1)
        yield pa.RecordBatch.from_pydict({"bank": [bank.to_bytes()]})


class BySpark:
    def __init__(self, folder, spark, parts):
        self.table, self.spark, self.parts = spark.read.parquet(str(folder)), spark, parts

    def fit(self):
        parts = self.table.repartition(self.parts, "machine").mapInArrow(fit_groups, "bank binary")
        return dasvdd.Bank.joined([dasvdd.Bank.from_bytes(bytes(row.bank)) for row in parts.collect()])

    def score(self, model, out):
        kind, data = type(model), self.spark.sparkContext.broadcast(model.to_bytes())

        def score_rows(batches):
            """Each row's score by the detector of its own group, or by the only detector."""
            here = kind.from_bytes(data.value)
            for batch in batches:
                keys = [batch["machine"].to_pylist()] if kind is dasvdd.Bank else []
                scores = here.score(features(batch), *keys, threads=1)
                yield pa.RecordBatch.from_pydict({"row": batch["row"], "score": scores})

        self.table.mapInArrow(score_rows, "row long, score float").write.parquet(str(out))


@contextlib.contextmanager
def by_spark(folder, workers, o):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {"spark.driver.host": "localhost", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false",
                "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    # Tasks of one thread each: the fits take all cores, and none is taken twice.
    spark = SparkSession.builder.master(f"local[{workers}]").config(map=settings).getOrCreate()
    try:
        yield BySpark(folder, spark, o.parts)
    finally:
        spark.stop()


if __name__ == "__main__":
    compare(options(__doc__.split("\n")[0]), "Spark", by_spark)
