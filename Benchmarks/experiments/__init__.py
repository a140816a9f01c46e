"""The experiments of docs/results: one module each, with `measure`, `lines`, `pictures` and `claims`."""

from . import (
    arrival_cost, arrivals, coefficients, eight_tasks, fine_tuning, nothing_in_common, sparsity, squash, table, trials, two_models,
    validation_size)

EXPERIMENTS = {
    "table": table,
    "two-models": two_models,
    "coefficients": coefficients,
    "squash": squash,
    "validation-size": validation_size,
    "arrivals": arrivals,
    "arrival-cost": arrival_cost,
    "eight-tasks": eight_tasks,
    "nothing-in-common": nothing_in_common,
    "fine-tuning": fine_tuning,
    "sparsity": sparsity,
    "trials": trials,
}
