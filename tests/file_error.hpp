#pragma once
/// \file
/// What a failed action on a file says.

#include <dasvdd/core/error.hpp>

#include <functional>
#include <string>

inline std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const dasvdd::FileError& error) {
    return error.what();
  }
  return "nothing thrown";
}
