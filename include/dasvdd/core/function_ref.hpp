#pragma once
/// \file
/// A view of a callable, for functions that call back.

#include <dasvdd/core/config.hpp>

#include <memory>
#include <type_traits>
#include <utility>

DASVDD_NAMESPACE_BEGIN
namespace detail {

template <class Signature>
class FunctionRef;

/// Refers to any callable object (a lambda, say), which must outlive it; copies nothing. A function that takes
/// it is compiled once, where a template would be compiled anew for each lambda it is called with.
template <class Result, class... Arguments>
class FunctionRef<Result(Arguments...)> {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, FunctionRef>>>
  FunctionRef(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Arguments... arguments) -> Result {
          auto& callee = *static_cast<std::remove_reference_t<F>*>(object);
          return static_cast<Result>(callee(std::forward<Arguments>(arguments)...));
        }) {}

  Result operator()(Arguments... arguments) const {
    return call_(object_, std::forward<Arguments>(arguments)...);
  }

 private:
  void* object_;
  Result (*call_)(void*, Arguments...);
};

}  // namespace detail
DASVDD_NAMESPACE_END
