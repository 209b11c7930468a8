// Activation checkpointing: a function of one tensor whose activations are
// recomputed in the backward pass instead of kept.
#include "shim.hpp"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>

using at::Tensor;

extern "C" {
// Calls the function behind `context`; null when it failed, after keeping a message.
typedef Tensor* (*kosmos_function)(void* context, Tensor* x);
// Frees the function behind `context`.
typedef void (*kosmos_drop)(void* context);
}

namespace {

// Owns the function, and is kept alive by the autograd graph.
struct Function : torch::CustomClassHolder {
  kosmos_function call;
  kosmos_drop drop;
  void* context;
  Function(kosmos_function call, kosmos_drop drop, void* context) : call(call), drop(drop), context(context) {}
  ~Function() override { drop(context); }

  Tensor operator()(Tensor x) const {
    Tensor* boxed = call(context, &x);
    if (!boxed) throw std::runtime_error("in a checkpointed layer: " + kosmos::last_error());
    Tensor result = *boxed;
    delete boxed;
    return result;
  }
};

struct Checkpoint : torch::autograd::Function<Checkpoint> {
  static Tensor forward(torch::autograd::AutogradContext* saved, Tensor x, c10::intrusive_ptr<::Function> function) {
    saved->saved_data["function"] = c10::IValue::make_capsule(function);
    saved->save_for_backward({x});
    at::NoGradGuard no_grad;
    return (*function)(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* saved,
                                                 torch::autograd::variable_list gradients) {
    auto function = c10::static_intrusive_pointer_cast<::Function>(saved->saved_data["function"].toCapsule());
    Tensor x = saved->get_saved_variables()[0].detach().set_requires_grad(true);
    Tensor y;
    {
      at::AutoGradMode grad(true);
      y = (*function)(x);
    }
    torch::autograd::backward({y}, {gradients[0]});
    return {x.grad(), Tensor()};
  }
};

}  // namespace

// Takes over `context`, whatever the outcome.
extern "C" int kosmos_checkpoint(kosmos_function call, kosmos_drop drop, void* context, Tensor* x, Tensor** result) {
  return kosmos::guard([&] {
    auto function = c10::make_intrusive<::Function>(call, drop, context);
    *result = new Tensor(Checkpoint::apply(*x, function));
  });
}
