/// Arithmetic of symbolic integers, which at run time are plain numbers: Python's operators with Python's rounding, as
/// dispatcher operators `supermerge::py_…`. Overflow is an error.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <cmath>

namespace {

using at::Scalar;

bool isWhole(const Scalar &value) { return !value.isFloatingPoint(); }

int64_t added(int64_t a, int64_t b) {
    int64_t result;
    TORCH_CHECK(!__builtin_add_overflow(a, b, &result), a, " + ", b, " overflows");
    return result;
}

int64_t subtracted(int64_t a, int64_t b) {
    int64_t result;
    TORCH_CHECK(!__builtin_sub_overflow(a, b, &result), a, " - ", b, " overflows");
    return result;
}

int64_t multiplied(int64_t a, int64_t b) {
    int64_t result;
    TORCH_CHECK(!__builtin_mul_overflow(a, b, &result), a, " * ", b, " overflows");
    return result;
}

/// Rounds towards minus infinity.
int64_t floorDivided(int64_t a, int64_t b) {
    TORCH_CHECK(b != 0, a, " // 0");
    TORCH_CHECK(b != -1 || a != INT64_MIN, a, " // -1 overflows");
    return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}

int64_t modulo(int64_t a, int64_t b) { return b == -1 ? 0 : subtracted(a, multiplied(floorDivided(a, b), b)); }

int64_t power(int64_t a, int64_t b) {
    int64_t result = 1;
    for (int64_t step = 0; step < b; ++step) {
        if (a == 0 || a == 1) return a;
        if (a == -1) return b % 2 == 0 ? 1 : -1;
        result = multiplied(result, a);
    }
    return result;
}

int64_t whole(double value) {
    TORCH_CHECK(value >= -0x1p63 && value < 0x1p63, value, " is no integer of 64 bits");
    return static_cast<int64_t>(value);
}

template <class Whole, class Broken> auto binary(Whole onWholes, Broken onBrokens) {
    return [onWholes, onBrokens](const Scalar &a, const Scalar &b) {
        return isWhole(a) && isWhole(b) ? Scalar(onWholes(a.toLong(), b.toLong()))
                                        : Scalar(onBrokens(a.toDouble(), b.toDouble()));
    };
}

} // namespace

TORCH_LIBRARY_FRAGMENT(supermerge, library) {
    const auto define = [&library](const char *name, auto function) {
        library.def((std::string("py_") + name + "(Scalar a, Scalar b) -> Scalar").c_str(),
                    torch::CppFunction(std::move(function)));
    };
    define("add", [](const Scalar &a, const Scalar &b) { return binary(added, std::plus<double>())(a, b); });
    define("sub", [](const Scalar &a, const Scalar &b) { return binary(subtracted, std::minus<double>())(a, b); });
    define("mul", [](const Scalar &a, const Scalar &b) { return binary(multiplied, std::multiplies<double>())(a, b); });
    define("floordiv", [](const Scalar &a, const Scalar &b) {
        return binary(floorDivided, [](double x, double y) { return std::floor(x / y); })(a, b);
    });
    define("mod", [](const Scalar &a, const Scalar &b) {
        return binary(modulo, [](double x, double y) { return x - std::floor(x / y) * y; })(a, b);
    });
    define("pow", [](const Scalar &a, const Scalar &b) {
        if (isWhole(a) && isWhole(b) && b.toLong() >= 0) return Scalar(power(a.toLong(), b.toLong()));
        return Scalar(std::pow(a.toDouble(), b.toDouble()));
    });
    define("truediv", [](const Scalar &a, const Scalar &b) { return Scalar(a.toDouble() / b.toDouble()); });
    define("eq", [](const Scalar &a, const Scalar &b) { return Scalar(a.toDouble() == b.toDouble()); });
    define("ne", [](const Scalar &a, const Scalar &b) { return Scalar(a.toDouble() != b.toDouble()); });
    define("lt", [](const Scalar &a, const Scalar &b) { return Scalar(a.toDouble() < b.toDouble()); });
    define("le", [](const Scalar &a, const Scalar &b) { return Scalar(a.toDouble() <= b.toDouble()); });
    define("gt", [](const Scalar &a, const Scalar &b) { return Scalar(a.toDouble() > b.toDouble()); });
    define("ge", [](const Scalar &a, const Scalar &b) { return Scalar(a.toDouble() >= b.toDouble()); });
    define("and", [](const Scalar &a, const Scalar &b) { return Scalar(a.toBool() && b.toBool()); });
    define("or", [](const Scalar &a, const Scalar &b) { return Scalar(a.toBool() || b.toBool()); });
    define("max", [](const Scalar &a, const Scalar &b) { return a.toDouble() < b.toDouble() ? b : a; });
    define("min", [](const Scalar &a, const Scalar &b) { return b.toDouble() < a.toDouble() ? b : a; });

    library.def("py_neg(Scalar a) -> Scalar", [](const Scalar &a) {
        return isWhole(a) ? Scalar(subtracted(0, a.toLong())) : Scalar(-a.toDouble());
    });
    library.def("py_pos(Scalar a) -> Scalar", [](const Scalar &a) { return a; });
    library.def("py_not(Scalar a) -> Scalar", [](const Scalar &a) { return Scalar(!a.toBool()); });
    library.def("py_abs(Scalar a) -> Scalar", [](const Scalar &a) {
        if (!isWhole(a)) return Scalar(std::abs(a.toDouble()));
        return Scalar(a.toLong() < 0 ? subtracted(0, a.toLong()) : a.toLong());
    });
    library.def("py_float(Scalar a) -> Scalar", [](const Scalar &a) { return Scalar(a.toDouble()); });
    library.def("py_sqrt(Scalar a) -> Scalar", [](const Scalar &a) { return Scalar(std::sqrt(a.toDouble())); });
    library.def("py_int(Scalar a) -> Scalar", [](const Scalar &a) {
        return isWhole(a) ? Scalar(a.toLong()) : Scalar(whole(std::trunc(a.toDouble())));
    });
    library.def("py_trunc(Scalar a) -> Scalar", [](const Scalar &a) { return Scalar(whole(std::trunc(a.toDouble()))); });
    library.def("py_floor(Scalar a) -> Scalar", [](const Scalar &a) { return Scalar(whole(std::floor(a.toDouble()))); });
    library.def("py_ceil(Scalar a) -> Scalar", [](const Scalar &a) { return Scalar(whole(std::ceil(a.toDouble()))); });
    library.def("py_round(Scalar a) -> Scalar",
                [](const Scalar &a) { return Scalar(whole(std::nearbyint(a.toDouble()))); });
    library.def("py_ite(Scalar b, Scalar t, Scalar f) -> Scalar",
                [](const Scalar &b, const Scalar &t, const Scalar &f) { return b.toBool() ? t : f; });
    library.def("py_sum(int[] args) -> int", [](at::IntArrayRef args) {
        int64_t sum = 0;
        for (const auto value : args) sum = added(sum, value);
        return sum;
    });
}
