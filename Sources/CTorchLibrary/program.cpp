#include "ct_program.h"
#include "autocast.h"
#include "guarded.h"
#include "operators.h"
#include "tensor.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <memory>

namespace ct {
namespace {

/// One step of a program.
struct Instruction {
    enum class Kind { call, beginGradMode, beginAutocast, endMode };

    Kind kind;
    std::string place;
    const ct_operator *op = nullptr;
    std::vector<Operand> operands;
    std::vector<int64_t> results;
    std::vector<int64_t> freed;
    bool enabled = false;
    int32_t dtype = -1;
    /// Modes in force before it.
    int64_t depth = 0;
};

/// A mode of this thread that ends with the scope that holds it, also when an exception leaves it.
struct Mode {
    std::unique_ptr<c10::AutoGradMode> grad;
    std::unique_ptr<AutocastMode> autocast;
};

std::vector<int64_t> numbers(const int64_t *first, int64_t count) {
    return std::vector<int64_t>(first, first + count);
}

} // namespace
} // namespace ct

struct ct_program {
    int64_t slots;
    int64_t depth = 0;
    std::vector<ct::Instruction> instructions;

    void check(const std::vector<int64_t> &numbers, int64_t lowest) const {
        for (const auto number : numbers) {
            TORCH_CHECK(number >= lowest && number < slots, "slot ", number, " does not exist");
        }
    }

    ct::Instruction &add(ct::Instruction::Kind kind) {
        ct::Instruction instruction;
        instruction.kind = kind;
        instruction.depth = depth;
        instructions.push_back(std::move(instruction));
        return instructions.back();
    }

    void call(const ct::Instruction &instruction, std::vector<c10::IValue> &values) const {
        auto results = ct::called(*instruction.op, instruction.operands, &values);
        const auto &slots = instruction.results;
        TORCH_CHECK(results.size() >= slots.size(), "gave ", results.size(), " results where the graph wants ",
                    slots.size());
        for (size_t index = 0; index < slots.size(); ++index) {
            if (slots[index] >= 0) values[static_cast<size_t>(slots[index])] = std::move(results[index]);
        }
    }

    /// Modes in force before instruction `index`, or after the last one.
    int64_t depthAt(int64_t index) const {
        return index < static_cast<int64_t>(instructions.size()) ? instructions[static_cast<size_t>(index)].depth : depth;
    }

    void run(std::vector<c10::IValue> &values, int64_t first, int64_t end, const char **place) const {
        TORCH_CHECK(0 <= first && first <= end && end <= static_cast<int64_t>(instructions.size()), "there are no ",
                    "instructions ", first, " to ", end);
        TORCH_CHECK(depthAt(first) == 0 && depthAt(end) == 0, "a run can't begin or end inside a mode's region");
        std::vector<ct::Mode> modes;
        for (auto index = first; index < end; ++index) {
            const auto &instruction = instructions[static_cast<size_t>(index)];
            *place = instruction.place.empty() ? nullptr : instruction.place.c_str();
            switch (instruction.kind) {
            case ct::Instruction::Kind::call:
                call(instruction, values);
                break;
            case ct::Instruction::Kind::beginGradMode:
                modes.push_back({std::make_unique<c10::AutoGradMode>(instruction.enabled), nullptr});
                break;
            case ct::Instruction::Kind::beginAutocast:
                modes.push_back({nullptr, std::make_unique<ct::AutocastMode>(instruction.enabled, instruction.dtype)});
                break;
            case ct::Instruction::Kind::endMode:
                modes.pop_back();
                break;
            }
            for (const auto slot : instruction.freed) values[static_cast<size_t>(slot)] = c10::IValue();
        }
        *place = nullptr;
    }
};

struct ct_values {
    const ct_program *program;
    std::vector<c10::IValue> slots;

    c10::IValue &at(int64_t slot) {
        program->check({slot}, 0);
        return slots[static_cast<size_t>(slot)];
    }
    const c10::IValue &at(int64_t slot) const { return const_cast<ct_values *>(this)->at(slot); }
};

ct_status ct_program_create(int64_t slots, ct_program **result, char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(slots >= 0, "a program can't have ", slots, " slots");
        *result = new ct_program{slots};
    });
}

void ct_program_free(ct_program *program) noexcept { delete program; }

ct_status ct_program_add_call(ct_program *program, const ct_operator *op, const char *place, const ct_value *arguments,
                              int64_t argument_count, const int64_t *results, int64_t result_count,
                              const int64_t *freed, int64_t freed_count, char **error) noexcept {
    return ct::guarded(error, &place, [&] {
        ct::Instruction instruction;
        instruction.kind = ct::Instruction::Kind::call;
        instruction.depth = program->depth;
        instruction.place = place;
        instruction.op = op;
        instruction.operands = ct::compiled(*op, arguments, argument_count, program->slots);
        instruction.results = ct::numbers(results, result_count);
        instruction.freed = ct::numbers(freed, freed_count);
        program->check(instruction.results, -1);
        program->check(instruction.freed, 0);
        program->instructions.push_back(std::move(instruction));
    });
}

ct_status ct_program_begin_grad_mode(ct_program *program, bool enabled, char **error) noexcept {
    return ct::guarded(error, [&] {
        program->add(ct::Instruction::Kind::beginGradMode).enabled = enabled;
        program->depth += 1;
    });
}

ct_status ct_program_begin_autocast(ct_program *program, bool enabled, int32_t dtype, char **error) noexcept {
    return ct::guarded(error, [&] {
        auto &instruction = program->add(ct::Instruction::Kind::beginAutocast);
        instruction.enabled = enabled;
        instruction.dtype = dtype;
        program->depth += 1;
    });
}

ct_status ct_program_end_mode(ct_program *program, char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(program->depth > 0, "a mode ends that never began");
        program->add(ct::Instruction::Kind::endMode);
        program->depth -= 1;
    });
}

ct_status ct_values_create(const ct_program *program, ct_values **result, char **error) noexcept {
    return ct::guarded(error, [&] {
        *result = new ct_values{program, std::vector<c10::IValue>(static_cast<size_t>(program->slots))};
    });
}

void ct_values_free(ct_values *values) noexcept { delete values; }

ct_status ct_values_set(ct_values *values, int64_t slot, const ct_tensor *tensor, char **error) noexcept {
    return ct::guarded(error, [&] { values->at(slot) = tensor ? c10::IValue(tensor->value) : c10::IValue(); });
}

ct_status ct_values_get(const ct_values *values, int64_t slot, ct_tensor **result, char **error) noexcept {
    return ct::guarded(error, [&] {
        const auto &value = values->at(slot);
        TORCH_CHECK(!value.isNone(), "slot ", slot, " is empty");
        *result = new ct_tensor{ct::tensor(value)};
    });
}

bool ct_values_is_tensor(const ct_values *values, int64_t slot) noexcept {
    return slot >= 0 && slot < values->program->slots && values->slots[static_cast<size_t>(slot)].isTensor();
}

ct_status ct_values_copy(ct_values *values, const ct_values *from, int64_t slot, char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(values->program == from->program, "the slots of two programs have nothing in common");
        values->at(slot) = from->at(slot);
    });
}

ct_status ct_values_run(ct_values *values, int64_t first, int64_t end, char **error) noexcept {
    const char *place = nullptr;
    return ct::guarded(error, &place, [&] { values->program->run(values->slots, first, end, &place); });
}
