#pragma once
/// \file
/// `Pieces`: a file's rows in order, a few at a time.

#include <tool/table.hpp>

namespace tool {

class Pieces {
 public:
  virtual ~Pieces() = default;
  /// Puts the next rows into `piece`; false, and no rows, at the end.
  /// \throws FileError
  virtual bool next(Table& piece) = 0;
};

}  // namespace tool
