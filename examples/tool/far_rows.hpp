#pragma once
/// \file
/// Rows with values far from all others, which a net that is trained on scaled rows shall not learn from.

#include <tool/places.hpp>
#include <tool/streamed_rows.hpp>

#include <dasvdd/train/far_values.hpp>
#include <dasvdd/train/row_numbers.hpp>
#include <dasvdd/train/source_far_values.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Takes them out of a table, as the library's one-line fit does: a trainer takes what it is given.
/// \param warnings gets a sentence a feature
inline void leave_far_rows(Table& table, std::vector<std::string>& warnings) {
  namespace detail = dasvdd::detail;
  const Index n = table.X.rows();
  const detail::AnyRows X{dasvdd::Rows<const double>(table.X)};
  const std::vector<detail::FarValues> all = detail::far_values(X);
  const std::vector<Index> rows = detail::few_far_rows(all, n);
  if (rows.empty()) return;
  detail::warn_of(all, n, places_of(table), table.names, rows, warnings);
  table.keep(detail::all_rows_but(rows, n));
}

/// The same of a file that is read in pieces.
/// \param frame a table without rows, for the features' names
/// \param narrow whether the net is in float; \param seed draws a sample
inline void leave_far_rows(StreamedRows& rows, const Table& frame, bool narrow, std::uint64_t seed,
                           std::vector<std::string>& warnings) {
  namespace detail = dasvdd::detail;
  const dasvdd::RowSource source = rows.source();
  detail::RowReader reader(source.open());
  const auto scan = detail::SourceScan::of(reader, {rows.window(), seed, narrow, 0, true});
  const std::vector<detail::FarValues> all = detail::far_values(scan, source);
  const std::vector<Index> far = detail::few_far_rows(all, scan.rows);
  if (far.empty()) return;
  detail::warn_of(all, scan.rows, rows.places(frame), frame.names, far, warnings);
  rows.leave(far, scan.rows);
}

}  // namespace tool
