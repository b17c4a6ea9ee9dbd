#pragma once
/// \file
/// MATLAB's .mat, the format of ODDS: an array of numbers as rows, another as labels. Read by matio, where
/// the tool was built with it.

#include <tool/mat_elements.hpp>
#include <tool/npy.hpp>

#include <string>
#include <vector>

#if DASVDD_TOOL_MATIO
#include <matio.h>

#include <memory>
#endif

namespace tool {

#if DASVDD_TOOL_MATIO
namespace detail {

struct CloseMat {
  void operator()(mat_t* file) const { Mat_Close(file); }
  void operator()(matvar_t* variable) const { Mat_VarFree(variable); }
};
using MatVariable = std::unique_ptr<matvar_t, CloseMat>;

template <class T>
void add_numbers(const matvar_t& variable, std::size_t count, std::vector<double>& numbers) {
  const T* values = static_cast<const T*>(variable.data);
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(static_cast<double>(values[i]));
}

inline constexpr const char* an_object =
    "an object, expected a matrix of numbers; table2array(X) in MATLAB makes one of a table, "
    "double(X) of most others";

/// What an array is that holds no plain numbers, and the way to numbers; null where it may hold some.
inline const char* no_plain_numbers(const matvar_t& variable) {
  switch (variable.class_type) {
    case MAT_C_SPARSE:
      return "a sparse matrix, expected a full one; full(X) in MATLAB and X.toarray() in Python "
             "make one";
    case MAT_C_CELL:
      return "a cell array, expected a matrix of numbers; cell2mat(X) in MATLAB makes one of cells "
             "of numbers";
    case MAT_C_STRUCT:
      return "a struct, expected a matrix of numbers; save a field of it as an array of its own";
    case MAT_C_CHAR:
      return "text, expected a matrix of numbers";
    case MAT_C_FUNCTION:
      return "a function handle, expected a matrix of numbers";
    case MAT_C_OBJECT:
    case MAT_C_OPAQUE:
      return an_object;
    case MAT_C_EMPTY:
      return "empty, expected a matrix of numbers";
    default:
      break;
  }
  if (variable.isComplex != 0) {
    return "a matrix of complex numbers, expected real ones; real(X), imag(X) and abs(X) in MATLAB "
           "make them";
  }
  return nullptr;
}

/// Refuses a variable whose numbers can't be rows or labels: by what its header says, before its numbers are read.
inline void check_matrix(const matvar_t& variable, const std::string& name) {
  const char* other = no_plain_numbers(variable);
  check(other == nullptr, name, ": ", variable.name, " is ", other == nullptr ? "" : other);
  check(variable.rank == 2 && variable.dims != nullptr, name, ": ", variable.name, " has ",
        variable.rank, " dimensions, expected 2: one sample a row");
}

/// The numbers of a variable of two dimensions, column by column.
inline std::vector<double> mat_numbers(const matvar_t& variable, const std::string& name) {
  const std::size_t count = variable.dims[0] * variable.dims[1];
  check(count == 0 || variable.data != nullptr, name, ": ", variable.name, " can't be read");
  std::vector<double> numbers;
  numbers.reserve(count);
  switch (variable.data_type) {
    case MAT_T_DOUBLE:
      add_numbers<double>(variable, count, numbers);
      break;
    case MAT_T_SINGLE:
      add_numbers<float>(variable, count, numbers);
      break;
    case MAT_T_INT8:
      add_numbers<mat_int8_t>(variable, count, numbers);
      break;
    case MAT_T_UINT8:
      add_numbers<mat_uint8_t>(variable, count, numbers);
      break;
    case MAT_T_INT16:
      add_numbers<mat_int16_t>(variable, count, numbers);
      break;
    case MAT_T_UINT16:
      add_numbers<mat_uint16_t>(variable, count, numbers);
      break;
    case MAT_T_INT32:
      add_numbers<mat_int32_t>(variable, count, numbers);
      break;
    case MAT_T_UINT32:
      add_numbers<mat_uint32_t>(variable, count, numbers);
      break;
    case MAT_T_INT64:
      add_numbers<mat_int64_t>(variable, count, numbers);
      break;
    case MAT_T_UINT64:
      add_numbers<mat_uint64_t>(variable, count, numbers);
      break;
    default:
      check(false, name, ": ", variable.name, " holds no numbers");
  }
  return numbers;
}

/// The matrix of numbers of that name; null where the file has nothing of the name.
inline MatVariable mat_matrix(mat_t* file, const MatContent& content, const std::string& variable,
                              const std::string& name) {
  check(content.objects.count(variable) == 0, name, ": ", variable, " is ", an_object);
  Mat_Rewind(file);
  MatVariable found(Mat_VarReadInfo(file, variable.c_str()));
  if (found == nullptr) return found;
  check_matrix(*found, name);
  check(Mat_VarReadDataAll(file, found.get()) == 0, name, ": ", variable, " can't be read");
  return found;
}

inline std::string mat_listing(mat_t* file) {
  std::string text;
  Mat_Rewind(file);
  while (const MatVariable variable{Mat_VarReadNextInfo(file)}) {
    text += (text.empty() ? "" : ", ") + std::string(variable->name ? variable->name : "?");
    if (text.size() > 200) break;
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace detail
#endif

/// Reads the array X of a .mat file and, when it has one and labels are wanted, y; options may name others.
/// \throws FileError
inline Table read_mat(const std::string& path, const DataOptions& options) {
  const std::string name = in_quotes(path);
#if DASVDD_TOOL_MATIO
  // matio writes its complaints to standard error unless it is told not to.
  Mat_LogInitFunc("dasvdd", [](int, char*) {});
  const detail::MatContent content = detail::check_mat(path, name);
  const std::unique_ptr<mat_t, detail::CloseMat> file(Mat_Open(path.c_str(), MAT_ACC_RDONLY));
  check(file != nullptr, name, " is no .mat file that can be read");
  const detail::MatVariable rows = detail::mat_matrix(file.get(), content, options.key, name);
  if (rows == nullptr) {
    const std::string listing = detail::mat_listing(file.get());
    // HDF5 opens no file that lacks its end.
    check(Mat_GetVersion(file.get()) != MAT_FT_MAT73 || listing != "nothing", name,
          " holds no array that can be read: it is empty, cut short or damaged");
    check(false, name, " has no array ", options.key, "; it holds ", listing,
          options.key == "X" ? "; --key names the array to take" : "");
  }
  const std::vector<double> numbers = detail::mat_numbers(*rows, name);
  Table table;
  const auto n = static_cast<Index>(rows->dims[0]), d = static_cast<Index>(rows->dims[1]);
  check(d > 0, name, ": ", options.key, " has no columns");
  table.X = Eigen::Map<const Eigen::MatrixXd>(numbers.data(), n, d);
  if (!options.with_labels || !options.labels_path.empty()) return table;
  const detail::MatVariable labels =
      detail::mat_matrix(file.get(), content, options.label_key, name);
  check(labels != nullptr || !options.label_key_given, name, " has no array ", options.label_key,
        "; it holds ", detail::mat_listing(file.get()));
  if (labels == nullptr) return table;
  check(labels->dims[0] == 1 || labels->dims[1] == 1, name, ": ", options.label_key, " has ",
        labels->dims[0], " rows and ", labels->dims[1],
        " columns, expected one label a row in a single column");
  for (const double label : detail::mat_numbers(*labels, name)) {
    table.labels.push_back(canonical_label(label));
  }
  check(static_cast<Index>(table.labels.size()) == n, name, " has ", n, " rows in ", options.key,
        " but ", table.labels.size(), " labels in ", options.label_key);
  check_labels(table.labels, name);
  return table;
#else
  static_cast<void>(options);
  check(false, name,
        " is a .mat file, and this tool was built without matio (Debian: libmatio-dev); python3 -c "
        "\"import "
        "numpy, scipy.io, sys; m = scipy.io.loadmat(sys.argv[1]); numpy.savez(sys.argv[2], "
        "X=m['X'], y=m['y'])\" "
        "IN OUT makes an .npz of it");
  return {};
#endif
}

}  // namespace tool
