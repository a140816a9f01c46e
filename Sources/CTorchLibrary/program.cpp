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
    int64_t inputs;
    int64_t depth = 0;
    std::vector<ct::Instruction> instructions;
    std::vector<int64_t> outputs;

    void check(const std::vector<int64_t> &numbers, int64_t lowest) const {
        for (const auto number : numbers) {
            TORCH_CHECK(number >= lowest && number < slots, "slot ", number, " does not exist");
        }
    }

    ct::Instruction &add(ct::Instruction::Kind kind) {
        ct::Instruction instruction;
        instruction.kind = kind;
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

    std::vector<c10::IValue> run(std::vector<c10::IValue> values, const char **place) const {
        std::vector<ct::Mode> modes;
        for (const auto &instruction : instructions) {
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
        std::vector<c10::IValue> results;
        for (const auto slot : outputs) results.push_back(values[static_cast<size_t>(slot)]);
        return results;
    }
};

ct_status ct_program_create(int64_t slots, int64_t inputs, ct_program **result, char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(inputs >= 0 && inputs <= slots, inputs, " inputs do not fit into ", slots, " slots");
        *result = new ct_program{slots, inputs};
    });
}

void ct_program_free(ct_program *program) noexcept { delete program; }

ct_status ct_program_add_call(ct_program *program, const ct_operator *op, const char *place, const ct_value *arguments,
                              int64_t argument_count, const int64_t *results, int64_t result_count,
                              const int64_t *freed, int64_t freed_count, char **error) noexcept {
    return ct::guarded(error, &place, [&] {
        ct::Instruction instruction;
        instruction.kind = ct::Instruction::Kind::call;
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

ct_status ct_program_set_outputs(ct_program *program, const int64_t *slots, int64_t count, char **error) noexcept {
    return ct::guarded(error, [&] {
        auto chosen = ct::numbers(slots, count);
        program->check(chosen, 0);
        program->outputs = std::move(chosen);
    });
}

ct_status ct_program_run(const ct_program *program, const ct_tensor *const *inputs, int64_t count, ct_tensor **outputs,
                         char **error) noexcept {
    const char *place = nullptr;
    return ct::guarded(error, &place, [&] {
        TORCH_CHECK(count == program->inputs, "the program takes ", program->inputs, " tensors, not ", count);
        std::vector<c10::IValue> values(static_cast<size_t>(program->slots));
        for (int64_t index = 0; index < count; ++index) values[static_cast<size_t>(index)] = inputs[index]->value;
        const auto results = program->run(std::move(values), &place);
        std::vector<std::unique_ptr<ct_tensor>> tensors;
        for (const auto &result : results) tensors.emplace_back(new ct_tensor{ct::tensor(result)});
        for (size_t index = 0; index < tensors.size(); ++index) outputs[index] = tensors[index].release();
    });
}
