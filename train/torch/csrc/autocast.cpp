// Autocast to bfloat16 for one device type.
#include "shim.hpp"

#include <ATen/autocast_mode.h>

extern "C" {

// Switches autocast on for the CPU or for CUDA and reports the state to restore.
int kosmos_autocast_enter(int cuda, int* was_enabled, int* previous_type) {
  return kosmos::guard([&] {
    auto device = cuda ? at::kCUDA : at::kCPU;
    *was_enabled = at::autocast::is_autocast_enabled(device);
    *previous_type = static_cast<int>(at::autocast::get_autocast_dtype(device));
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::increment_nesting();
  });
}

// Restores what `kosmos_autocast_enter` reported; the outermost call drops the
// cached low-precision copies of the weights.
int kosmos_autocast_leave(int cuda, int was_enabled, int previous_type) {
  return kosmos::guard([&] {
    auto device = cuda ? at::kCUDA : at::kCPU;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device, was_enabled != 0);
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(previous_type));
  });
}

}
