/// Arguments of operators: from a C value to what the dispatcher's schema asks for.
#pragma once

#include "ct_operators.h"

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <vector>

namespace ct {

/// One argument, compiled for the type that the schema declares: constants are converted once, slots at each run.
class Operand {
  public:
    Operand(const ct_value &value, const c10::Argument &argument, int64_t slots);

    /// The argument's value; `slots` may be null where the operand has none.
    c10::IValue evaluate(const std::vector<c10::IValue> *slots) const;

  private:
    enum class Kind { constant, slot, list };

    Operand(const ct_value &value, c10::TypePtr type, int64_t slots, int32_t repetitions);

    Kind kind;
    c10::TypePtr type;
    int32_t repetitions = 0;
    c10::IValue constant;
    int64_t slot = -1;
    std::vector<Operand> items;
};

} // namespace ct
