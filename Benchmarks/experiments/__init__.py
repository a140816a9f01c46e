"""The experiments of docs/results: one module each, with `measure`, `lines`, `pictures` and `claims`."""

from . import arrivals, nothing_in_common, validation_size

EXPERIMENTS = {
    "validation-size": validation_size,
    "arrivals": arrivals,
    "nothing-in-common": nothing_in_common,
}
