#include "threads.hpp"

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/parallel.hpp>

#include <algorithm>
#include <atomic>

namespace dasvdd::python {
namespace {

std::atomic<int> calls{0};  // that run at the moment
std::atomic<bool> was_forked{false};

}  // namespace

ThreadShare::ThreadShare(int threads) {
  detail::ensure(threads >= 0, "threads is ", threads, ", expected 0 (all) or a positive number");
  const int running = ++calls;
  // Resolved here: OpenMP's limits (threadpoolctl's, say) belong to the calling thread.
  threads_ = threads > 0 ? threads : std::max(1, detail::resolve_threads(0) / running);
}
ThreadShare::~ThreadShare() { --calls; }

bool forked() { return was_forked; }

void bind_threads(nb::module_& m) {
  const nb::object after_fork = nb::cpp_function([] {
    was_forked = true;
    calls = 0;
  });
  const nb::module_ os = nb::module_::import_("os");
  if (nb::hasattr(os, "register_at_fork"))
    os.attr("register_at_fork")(nb::arg("after_in_child") = after_fork);
  m.def(
      "_threads", [](int threads) { return ThreadShare(threads).threads(); },
      nb::arg("threads") = 0, "The threads that a call would use now; for tests.");
}

}  // namespace dasvdd::python
