"""Whether AdaMerging's layer-wise coefficients are sparse: (h)."""

import statistics

from . import charts, coefficients, markdown, merging

TITLE = "Are AdaMerging's coefficients sparse?"
FILES = ["sparsity-vision", "sparsity-text"]
NEAR = (0.01, 0.05, 0.1)


def add_arguments(parser):
    parser.add_argument("--set", default="vision", choices=["vision", "text"])
    parser.add_argument("--steps", type=int)


def file(options):
    return f"sparsity-{options.set}"


def title(file):
    return f"{TITLE} {file.removeprefix('sparsity-').capitalize()}"


def measure(record, options):
    with merging.opened(options.set) as zoo:
        forms = {"AdaMerging": zoo.adamerging(options.steps), "SuperMerge, the paper's form": zoo.paper(options.steps)}
        # AdaMerging's authors step by 0.001; here also as far as SuperMerge steps, so that the rate does not decide.
        forms["AdaMerging, learning rate 0.01"] = [*forms["AdaMerging"], "--learning-rate", "0.01"]
        for name, flags in forms.items():
            record.run(name, {"flags": flags}, lambda: coefficients.fitted(zoo, flags))
    record.keep(list(forms))


def is_ready(runs):
    return "AdaMerging" in runs


def values(run):
    return [value for row in run["coefficients"].values() for value in row.values()]


def share(numbers, near):
    return 100 * sum(abs(value) <= near for value in numbers) / len(numbers)


def lines(runs):
    rows = []
    for name, run in runs.items():
        numbers = values(run)
        rows.append([
            merging.marked(name, [run]), str(len(numbers)), *(f"{share(numbers, near):.0f} %" for near in NEAR),
            f"{statistics.median(numbers):.2f}", f"{statistics.pstdev(numbers):.2f}", f"{min(numbers):.2f}", f"{max(numbers):.2f}"])
    head = ["method", "coefficients", *(f"within {near} of 0" for near in NEAR), "median", "deviation", "lowest", "highest"]
    return ["Both start every coefficient at 0.3; AdaMerging keeps each between 0 and 1, SuperMerge between −1 and 1.", "",
            *markdown.table(head, rows), *merging.unfinished(runs.values())]


def pictures(runs):
    series = {name: values(run) for name, run in runs.items()}
    kind = next(iter(runs.values()))["set"]
    title = f"Layer-wise coefficients, {kind}"
    return {f"sparsity-{kind}": charts.histogram(title, series, "percent of coefficients", "coefficient")}


def claims(runs):
    numbers = values(runs["AdaMerging"])
    return [markdown.Claim(
        f"AdaMerging's layer-wise coefficients are sparse, more than half within 0.05 of 0 at its authors' rate: {runs['AdaMerging']['set']}",
        share(numbers, 0.05) > 50,
        ", ".join(f"{share(values(run), 0.05):.0f} % of {name}" for name, run in runs.items())
        + "; AdaMerging was still improving when it ended" * merging.is_unfinished(runs["AdaMerging"]), [list(runs.values())])]
