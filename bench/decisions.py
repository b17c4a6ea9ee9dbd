"""What fit's own p-values and threshold decide; called by `sh bench/run.sh decisions`.

Every table of a folder is split as `quality` splits it: of the normal rows in file order every second one trains, the
others and all anomalies test. Of the normal test rows the page shows the share with a p-value of at most 0.01, 0.05 and
0.1 and the share above the threshold of fit, which are meant to be 0.01, 0.05, 0.1 and 0.01. Then how many of the rows
that select(rows, 0.1) names are normal, where 1, 5 and 20 % of a batch are anomalies: 0.1 at most is meant. KS is the
Kolmogorov-Smirnov distance of the p-values from the uniform distribution, beside what 95 % of such distances are below
where p-values are uniform and the test rows alone are drawn by chance.

--contamination: the same with 1, 5 and 10 % of the training rows anomalies, fitted without and with
FitOptions::contamination; half of each table's anomalies are mixed in, the other half tests.
"""
import argparse
import collections
import json
import os
import pathlib
import statistics
import sys

from quality import Run, folder_tables, replace, say

RATES = {"p_0.01": 0.01, "p_0.05": 0.05, "p_0.1": 0.1, "threshold": 0.01}
DISCOVERIES = ["fdr_0.01", "fdr_0.05", "fdr_0.2"]
LEVELS = (0.01, 0.05, 0.1)  # of contamination
ENOUGH = 100  # training rows from which the rates are judged table by table


class Store:
    """Finished cells, kept so that a run may be broken off."""

    def __init__(self, path):
        self.path = path
        self.results = json.loads(path.read_text()) if path.exists() else {}

    def add(self, cell, answer):
        self.results[cell] = answer
        replace(self.path, json.dumps(self.results, indent=1))


def page(cells, results):
    """The table in Markdown: a table a line, the mean of its seeds; shares in percent."""
    seeds = collections.defaultdict(list)
    for cell in cells:
        if cell in results:
            seeds[cell.split()[1]].append(results[cell])
    rows, head = [], ["p <= 0.01", "p <= 0.05", "p <= 0.1", "above the threshold"]
    head += [f"wrong of selected, {share} % planted" for share in (1, 5, 20)] + ["KS (95 %)"]
    lines = ["| table | rows | features | ROC-AUC | " + " | ".join(head) + " | fit, s |", "| --- " * (len(head) + 5) + "|"]
    for name, answers in seeds.items():
        mean = lambda of: statistics.mean(of(answer) for answer in answers)
        row = {key: mean(lambda a: a["decisions"][key]) for key in [*RATES, *DISCOVERIES]}
        row |= {"name": name, "train": answers[0]["train"], "auc": mean(lambda a: a["roc_auc"]),
                "seconds": mean(lambda a: a["seconds"]), "normal": sum(a["decisions"]["normal"] for a in answers),
                "ks": mean(lambda a: a["decisions"]["ks"])}
        rows.append(row)
        shares = " | ".join(f"{100 * row[key]:.2f}" for key in [*RATES, *DISCOVERIES])
        lines.append(f"| {name} | {row['train']} | {answers[0]['features']} | {100 * row['auc']:.2f} | {shares} | "
                     f"{row['ks']:.3f} ({1.358 / answers[0]['decisions']['normal'] ** 0.5:.3f}) | {row['seconds']:.1f} |")
    for title, some in (("mean of all", rows), (f"mean of those with {ENOUGH} rows and more", [r for r in rows if r["train"] >= ENOUGH])):
        if some:
            shares = " | ".join(f"{100 * statistics.mean(r[key] for r in some):.2f}" for key in [*RATES, *DISCOVERIES])
            auc = 100 * statistics.mean(r["auc"] for r in some)
            lines.append(f"| **{title}** ({len(some)}) | | | {auc:.2f} | {shares} | "
                         f"{statistics.mean(r['ks'] for r in some):.3f} | {statistics.mean(r['seconds'] for r in some):.1f} |")
    if rows:
        worst = " | ".join(f"{100 * max(r[key] for r in rows):.2f}" for key in [*RATES, *DISCOVERIES])
        lines.append(f"| **worst table** | | | {100 * min(r['auc'] for r in rows):.2f} | {worst} | {max(r['ks'] for r in rows):.3f} | "
                     f"{max(r['seconds'] for r in rows):.1f} |")
    lines += ["", "Above three times the rate and two standard errors of the normal test rows, of tables with "
              f"{ENOUGH} rows and more:"]
    for row in rows:
        for key, rate in RATES.items():
            limit = 3 * rate + 2 * (3 * rate / row["normal"]) ** 0.5
            if row["train"] >= ENOUGH and row[key] > limit:
                lines.append(f"- {row['name']}, {key}: {100 * row[key]:.2f} %")
    if lines[-1].endswith(":"):
        lines.append("- none")
    return "\n".join(lines) + "\n"


def contamination_page(cells, results):
    """Means over all tables by the share of anomalies in the training rows, without and with the option."""
    groups = collections.defaultdict(list)
    for cell in cells:
        if cell in results:
            groups[cell.split(",", 1)[1]].append(results[cell])
    lines = ["", "Anomalies among the training rows; means over the tables.", "",
             "| of the training rows | option | ROC-AUC | " + " | ".join(RATES) + " |", "| --- " * (len(RATES) + 3) + "|"]
    for settings, answers in groups.items():
        shares = " | ".join(f"{100 * statistics.mean(a['decisions'][key] for a in answers):.2f}" for key in RATES)
        level, option = (settings.split("=")[1].split(",")[0], "contamination" if "expected" in settings else "none")
        lines.append(f"| {100 * float(level):g} % | {option} | {100 * statistics.mean(a['roc_auc'] for a in answers):.2f} | {shares} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="sh bench/run.sh decisions", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data"), metavar="DIR",
                        help="every .npz below it with arrays X and y, or train, test and test_labels, is a table; label 0 is "
                        "normal (default: data)")
    parser.add_argument("--seeds", type=int, default=1, help="fits of each table (default: 1)")
    parser.add_argument("--contamination", action="store_true", help="also with anomalies among the training rows")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="fits at a time, one thread each (default: all cores)")
    parser.add_argument("--program", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    names = folder_tables(args.data)
    if not names:
        parser.error(f"no .npz file with arrays X and y, or train, test and test_labels, below {args.data}")
    cells = [f"folder {name} {seed} decisions=1" for seed in range(args.seeds) for name in names]
    mixed = [f"folder {name} {seed} decisions=1,contamination={level:g}{option}"
             for level in LEVELS for option in ("", f",expected={level:g}") for seed in range(args.seeds)
             for name in folder_tables(args.data, own_split=False)] if args.contamination else []
    store = Store(args.build / "decisions.json")
    todo = [cell for cell in cells + mixed if cell not in store.results]
    say(f"{len(cells + mixed)} fits, {len(cells + mixed) - len(todo)} of them done before")
    command = [str(args.program), "--data", str(args.data), "--threads", "1"]
    status = Run(command, todo, store).all(max(1, min(args.jobs, len(todo)))) if todo else 0
    text = page(cells, store.results) + (contamination_page(mixed, store.results) if mixed else "")
    replace(args.build / "decisions.md", text)
    print(text, end="")
    return status


if __name__ == "__main__":
    sys.exit(main())
