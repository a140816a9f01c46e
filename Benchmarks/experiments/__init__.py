"""The experiments of docs/results: one module each, with `measure`, `lines`, `pictures` and `claims`."""

from . import (
    arrival_cost, arrivals, coefficients, fine_tuning, nothing_in_common, sparsity, squash, table, trials, two_models,
    validation_size)

EXPERIMENTS = {
    "table": table,
    "two-models": two_models,
    "coefficients": coefficients,
    "squash": squash,
    "validation-size": validation_size,
    "arrivals": arrivals,
    "arrival-cost": arrival_cost,
    "nothing-in-common": nothing_in_common,
    "fine-tuning": fine_tuning,
    "sparsity": sparsity,
    "trials": trials,
}
