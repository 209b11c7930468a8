// Devices: loading the CUDA half of libtorch, and deterministic algorithms.
#include "shim.hpp"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <stdexcept>

namespace kosmos {

std::string& last_error() {
  thread_local std::string message;
  return message;
}

}  // namespace kosmos

extern "C" {

const char* kosmos_last_error() { return kosmos::last_error().c_str(); }

// Keeps the message of a Rust function that failed on this thread.
void kosmos_set_error(const char* message) { kosmos::last_error() = message; }

// libtorch_cuda registers its kernels from static constructors. Loading it at
// run time, rather than linking it, keeps one binary good for both kinds of
// machine.
int kosmos_load_cuda() {
  return kosmos::guard([] {
    if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) throw std::runtime_error(dlerror());
  });
}

int kosmos_set_deterministic(int on) {
  return kosmos::guard([&] { at::globalContext().setDeterministicAlgorithms(on != 0, /*warn_only=*/false); });
}

}
