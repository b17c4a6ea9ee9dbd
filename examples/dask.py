"""Many small detectors by Dask: groups fitted in partitions, and partitions scored.

    pip install ./python dask distributed pandas pyarrow psutil
    python examples/dask.py --rows 1000000 --groups 1000

Writes made-up rows as Parquet files, fits and scores them in one process and by Dask on this machine, prints a table of
both and fails where their bits differ. The same by Spark: spark.py.
"""
import contextlib
import pathlib
import sys

# This folder has a dask.py, which would hide the package.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent / "engines")
try:
    import dask.dataframe as dd
    import pandas as pd
    from comparison import compare, options
    from distributed import Client, LocalCluster

    import dasvdd
except ImportError as error:
    sys.exit(f"dask.py: {str(error).splitlines()[0]} (pip install ./python dask distributed pandas pyarrow psutil)")


def fit_groups(part):
    """One row, with the bytes of a bank of all groups in the partition; none where it is empty."""
    banks = []
    if len(part) > 0:
        # A detector depends on the order of its group's rows, and a shuffle keeps none.
        part = part.sort_values("row")
        banks = [dasvdd.fit_many(part.filter(regex="^x"), part["machine"], threads=1).to_bytes()]
    return pd.DataFrame({"bank": pd.Series(banks, dtype=object)})


def score_rows(part, model):
    """Each row's score by the detector of its own group, or by the only detector."""
    keys = [part["machine"]] if isinstance(model, dasvdd.Bank) else []
    return pd.DataFrame({"row": part["row"], "score": model.score(part.filter(regex="^x"), *keys, threads=1)})


class ByDask:
    def __init__(self, folder, client):
        self.table, self.client = dd.read_parquet(folder), client

    def fit(self):
        parts = self.table.shuffle("machine").map_partitions(fit_groups, meta={"bank": object})
        return dasvdd.Bank.joined([dasvdd.Bank.from_bytes(bank) for bank in parts.compute()["bank"]])

    def score(self, model, out):
        # Banks and detectors are pickled as their file's bytes, here once a worker.
        model = self.client.scatter(model, broadcast=True)
        scores = self.table.map_partitions(score_rows, model, meta={"row": "int64", "score": "float32"})
        scores.to_parquet(out, write_index=False)


@contextlib.contextmanager
def by_dask(folder, workers, o):
    # Processes of one thread each: the fits take all cores, and none is taken twice.
    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs="ERROR")
    with cluster, Client(cluster) as client:
        yield ByDask(folder, client)


if __name__ == "__main__":
    compare(options(__doc__.split("\n")[0]), "Dask", by_dask)
