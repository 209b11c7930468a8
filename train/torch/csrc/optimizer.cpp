// The optimiser's arithmetic over lists of tensors: one call, and on CUDA a few
// kernels, instead of several per parameter.
#include "shim.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_zero.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

using at::Tensor;
using kosmos::guard;
using kosmos::list;

extern "C" {

// Gives every parameter a gradient of zeros, so that a parameter that a batch
// did not touch is stepped like any other.
int kosmos_allocate_gradients(Tensor** parameters, size_t count) {
  return guard([&] {
    for (size_t i = 0; i < count; i++) parameters[i]->mutable_grad() = at::zeros_like(*parameters[i]);
  });
}

// The 2-norm over all the tensors together, as a new 0-d tensor.
int kosmos_global_norm(Tensor** tensors, size_t count, Tensor** norm) {
  return guard([&] {
    at::NoGradGuard no_grad;
    auto norms = at::_foreach_norm(list(tensors, count), 2);
    *norm = new Tensor(at::linalg_vector_norm(at::stack(norms), 2));
  });
}

int kosmos_scale(Tensor** tensors, size_t count, double factor) {
  return guard([&] {
    at::NoGradGuard no_grad;
    at::_foreach_mul_(list(tensors, count), factor);
  });
}

int kosmos_zero(Tensor** tensors, size_t count) {
  return guard([&] {
    at::NoGradGuard no_grad;
    at::_foreach_zero_(list(tensors, count));
  });
}

// One AdamW step over one group. `step` is the number of this step, from 1, as
// a float32 scalar on the parameters' device.
int kosmos_adamw(Tensor** parameters, Tensor** gradients, Tensor** means, Tensor** squares, Tensor* step, size_t count,
                 double learning_rate, double beta1, double beta2, double weight_decay, double epsilon) {
  return guard([&] {
    at::NoGradGuard no_grad;
    std::vector<Tensor> steps(count, *step);
    at::_fused_adamw_(list(parameters, count), list(gradients, count), list(means, count), list(squares, count),
                      /*max_exp_avg_sqs=*/{}, steps, learning_rate, beta1, beta2, weight_decay, epsilon,
                      /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/{}, /*found_inf=*/{});
  });
}

}
