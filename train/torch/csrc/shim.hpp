// What every part of the shim shares: errors cross the C boundary as a return
// code and a message, never as an exception.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

namespace kosmos {

// The message of the last failed call on this thread.
std::string& last_error();

// Runs `body` and returns 0, or keeps the exception's message and returns 1.
template <class Body>
int guard(Body&& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    last_error() = error.what();
  } catch (...) {
    last_error() = "unknown C++ exception";
  }
  return 1;
}

// Handles to the tensors behind an array of pointers.
inline std::vector<at::Tensor> list(at::Tensor** tensors, size_t count) {
  std::vector<at::Tensor> handles;
  handles.reserve(count);
  for (size_t i = 0; i < count; i++) handles.push_back(*tensors[i]);
  return handles;
}

}  // namespace kosmos
