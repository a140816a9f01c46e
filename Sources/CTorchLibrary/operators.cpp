#include "operators.h"
#include "embedding.h"
#include "guarded.h"
#include "linear.h"
#include "tensor.h"

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <mutex>
#include <sstream>

namespace ct {
namespace {

/// Who records the operator in its stead.
auto recorder(const c10::OperatorHandle &op) -> decltype(ct_operator::recorded) {
    const auto &name = op.operator_name();
    if (!name.overload_name.empty()) return nullptr;
    if (name.name == "aten::linear" || name.name == "aten::addmm") return recordedLinear;
    return name.name == "aten::embedding" ? recordedEmbedding : nullptr;
}

} // namespace

std::vector<Operand> compiled(const ct_operator &op, const ct_value *arguments, int64_t count, int64_t slots) {
    const auto &declared = op.handle.schema().arguments();
    TORCH_CHECK(count <= static_cast<int64_t>(declared.size()), op.handle.operator_name(), " takes ", declared.size(),
                " arguments, not ", count);
    const ct_value missing = {CT_DEFAULT, 0, 0, 0, nullptr, nullptr, nullptr};
    std::vector<Operand> operands;
    operands.reserve(declared.size());
    for (size_t index = 0; index < declared.size(); ++index) {
        const auto given = static_cast<int64_t>(index) < count;
        operands.emplace_back(given ? arguments[index] : missing, declared[index], slots);
    }
    return operands;
}

std::vector<c10::IValue> called(const ct_operator &op, const std::vector<Operand> &operands,
                                const std::vector<c10::IValue> *slots) {
    torch::jit::Stack stack;
    stack.reserve(operands.size());
    for (const auto &operand : operands) stack.push_back(operand.evaluate(slots));
    if (op.recorded) {
        if (auto result = op.recorded(stack); result.defined()) return {std::move(result)};
    }
    op.handle.callBoxed(stack);
    std::vector<c10::IValue> results;
    for (auto &value : stack) {
        if (value.isList()) {
            for (const auto &item : value.toListRef()) results.push_back(item);
        } else if (value.isSymInt()) {
            results.push_back(value.toSymInt().guard_int(__FILE__, __LINE__));
        } else {
            results.push_back(std::move(value));
        }
    }
    return results;
}

at::Tensor tensor(const c10::IValue &result) {
    if (result.isTensor()) return result.toTensor();
    return at::scalar_tensor(result.toScalar(), at::TensorOptions(result.toScalar().type()));
}

} // namespace ct

ct_status ct_operator_find(const char *name, const char *overload, const ct_operator **result, char **error) noexcept {
    return ct::guarded(error, [&] {
        static std::mutex mutex;
        static auto &found = *new std::map<std::pair<std::string, std::string>, std::unique_ptr<ct_operator>>();
        const std::lock_guard<std::mutex> lock(mutex);
        const auto key = std::make_pair(std::string(name), std::string(overload));
        const auto known = found.find(key);
        if (known != found.end()) {
            *result = known->second.get();
            return;
        }
        const auto handle = c10::Dispatcher::singleton().findSchema({key.first, key.second});
        *result = nullptr;
        if (!handle) return;
        *result = found.emplace(key, new ct_operator{*handle, ct::recorder(*handle)}).first->second.get();
    });
}

int64_t ct_operator_argument_count(const ct_operator *op) noexcept {
    return static_cast<int64_t>(op->handle.schema().arguments().size());
}

const char *ct_operator_argument_name(const ct_operator *op, int64_t index) noexcept {
    return op->handle.schema().arguments()[static_cast<size_t>(index)].name().c_str();
}

bool ct_operator_argument_has_default(const ct_operator *op, int64_t index) noexcept {
    return static_cast<bool>(op->handle.schema().arguments()[static_cast<size_t>(index)].default_value());
}

bool ct_operator_argument_is_aliased(const ct_operator *op, int64_t index) noexcept {
    return op->handle.schema().arguments()[static_cast<size_t>(index)].alias_info() != nullptr;
}

bool ct_operator_argument_is_written(const ct_operator *op, int64_t index) noexcept {
    const auto *alias = op->handle.schema().arguments()[static_cast<size_t>(index)].alias_info();
    return alias && alias->isWrite();
}

char *ct_operator_schema(const ct_operator *op) noexcept {
    char *text = nullptr;
    ct::guarded(nullptr, [&] {
        std::ostringstream printed;
        printed << op->handle.schema();
        text = ct::copied(printed.str().c_str());
    });
    return text;
}

ct_status ct_operator_call(const ct_operator *op, const ct_value *arguments, int64_t count, ct_tensor ***results,
                           int64_t *result_count, char **error) noexcept {
    return ct::guarded(error, [&] {
        const auto values = ct::called(*op, ct::compiled(*op, arguments, count, 0), nullptr);
        std::vector<std::unique_ptr<ct_tensor>> tensors;
        for (const auto &value : values) tensors.emplace_back(new ct_tensor{ct::tensor(value)});
        auto *handles = static_cast<ct_tensor **>(std::calloc(tensors.size() + 1, sizeof(ct_tensor *)));
        TORCH_CHECK(handles, "out of memory");
        for (size_t index = 0; index < tensors.size(); ++index) handles[index] = tensors[index].release();
        *results = handles;
        *result_count = static_cast<int64_t>(tensors.size());
    });
}

void ct_results_free(ct_tensor **results) noexcept { std::free(results); }
