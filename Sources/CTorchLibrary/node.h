/// Makes nodes of the graph for gradients for the holder that this libtorch keeps them in.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <memory>

namespace ct {

/// Makes a node for `holder`, which in libtorch 1.13 is a std::shared_ptr.
template <class Node, class Base, class... Arguments>
void make(std::shared_ptr<Base> &holder, Arguments &&...arguments) {
    holder = std::make_shared<Node>(std::forward<Arguments>(arguments)...);
}

/// The same where nodes count their references themselves, as they do in newer ones.
template <class Node, class Base, class... Arguments>
void make(c10::intrusive_ptr<Base> &holder, Arguments &&...arguments) {
    holder = c10::make_intrusive<Node>(std::forward<Arguments>(arguments)...);
}

} // namespace ct
