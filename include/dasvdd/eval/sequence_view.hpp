#pragma once
/// \file
/// `SequenceView`: scores and labels as arguments, from any container and without a copy.

#include <dasvdd/core/types.hpp>

#include <type_traits>
#include <utility>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A read-only view of n values, made to be a function's argument: it binds to an std::vector (of
/// bool too), an std::array, an Eigen vector, map or vector-shaped expression, or to a pointer and
/// a size.
///
/// It keeps the container's address and one function that reads an element, so functions that take it
/// are compiled once for all containers. Don't store it: a temporary given to it ends with the call.
///
/// A view of `double` takes floating-point elements, a view of `bool`
/// takes integers and bools (nonzero is true): scores and labels given in the wrong order don't
/// compile.
template <class Value>
class SequenceView {
 public:
  /// Binds to anything with `size()` and `operator[]`.
  template <class Container, class Position = decltype(std::declval<const Container&>().size()),
            class Element = std::decay_t<decltype(std::declval<const Container&>()[0])>>
  SequenceView(const Container& container)
      : source_(&container),
        size_(static_cast<Index>(container.size())),
        read_([](const void* source, Index i) {
          return convert<Element>(
              (*static_cast<const Container*>(source))[static_cast<Position>(i)]);
        }) {}

  /// Binds to `size` values in memory, one after the other.
  template <class Element>
  SequenceView(const Element* data, Index size)
      : source_(data), size_(size), read_([](const void* source, Index i) {
          return convert<Element>(static_cast<const Element*>(source)[i]);
        }) {}

  Index size() const { return size_; }
  Value operator[](Index i) const { return read_(source_, i); }

 private:
  template <class Element>
  static Value convert(Element element) {
    static_assert(!std::is_same_v<Value, double> || std::is_floating_point_v<Element>,
                  "dasvdd: scores are float or double (are scores and labels in the wrong order?)");
    static_assert(!std::is_same_v<Value, bool> || std::is_integral_v<Element>,
                  "dasvdd: labels are integers or bools, nonzero for an anomaly "
                  "(are scores and labels in the wrong order?)");
    if constexpr (std::is_same_v<Value, bool>) {
      return element != Element(0);
    } else {
      return static_cast<Value>(element);
    }
  }

  const void* source_;
  Index size_;
  Value (*read_)(const void*, Index);
};

/// Scores, one a row; larger is more anomalous. A float is widened, which keeps order and ties.
using ScoreView = SequenceView<double>;

/// Labels, one a row: nonzero is an anomaly, 0 a normal row.
using LabelView = SequenceView<bool>;

}  // namespace detail
DASVDD_NAMESPACE_END
