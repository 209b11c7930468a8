//! The C++ shim: what tch does not expose of libtorch, made safe.
//!
//! Only this file calls foreign functions. Each returns 0, or another number after
//! keeping a message for `kosmos_last_error`.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use super::Result;

type Pointer = *mut C_tensor;
type Call = extern "C" fn(*mut c_void, Pointer) -> Pointer;
type Drop_ = extern "C" fn(*mut c_void);

unsafe extern "C" {
    fn kosmos_last_error() -> *const c_char;
    fn kosmos_set_error(message: *const c_char);
    fn kosmos_load_cuda() -> c_int;
    fn kosmos_set_deterministic(on: c_int) -> c_int;
    fn kosmos_allocate_gradients(parameters: *mut Pointer, count: usize) -> c_int;
    fn kosmos_global_norm(tensors: *mut Pointer, count: usize, norm: *mut Pointer) -> c_int;
    fn kosmos_scale(tensors: *mut Pointer, count: usize, factor: f64) -> c_int;
    fn kosmos_zero(tensors: *mut Pointer, count: usize) -> c_int;
    fn kosmos_adamw(
        parameters: *mut Pointer,
        gradients: *mut Pointer,
        means: *mut Pointer,
        squares: *mut Pointer,
        step: Pointer,
        count: usize,
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        epsilon: f64,
    ) -> c_int;
    fn kosmos_autocast_enter(cuda: c_int, enabled: *mut c_int, kind: *mut c_int) -> c_int;
    fn kosmos_autocast_leave(cuda: c_int, enabled: c_int, kind: c_int) -> c_int;
    fn kosmos_checkpoint(
        call: Call,
        drop: Drop_,
        context: *mut c_void,
        x: Pointer,
        result: *mut Pointer,
    ) -> c_int;
}

fn check(code: c_int) -> Result<()> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: the message is a NUL-terminated string that lives until this thread's next call.
    let message = unsafe { CStr::from_ptr(kosmos_last_error()) };
    Err(TchError::Torch(message.to_string_lossy().into_owned()))
}

/// The shim only reads these handles; it changes the tensors' contents through them, as
/// tch's own in-place methods do.
fn pointers(tensors: &[Tensor]) -> Vec<Pointer> {
    tensors.iter().map(|tensor| tensor.as_ptr().cast_mut()).collect()
}

/// Loads the CUDA half of libtorch.
pub(crate) fn load_cuda() -> Result<()> {
    // SAFETY: no arguments.
    check(unsafe { kosmos_load_cuda() })
}

/// Allows only deterministic algorithms, or any, for the whole process.
pub(crate) fn set_deterministic(on: bool) -> Result<()> {
    // SAFETY: a plain number.
    check(unsafe { kosmos_set_deterministic(c_int::from(on)) })
}

/// Gives every parameter a gradient of zeros.
pub(crate) fn allocate_gradients(parameters: &[Tensor]) -> Result<()> {
    let mut list = pointers(parameters);
    // SAFETY: `list` holds `len` live tensors.
    check(unsafe { kosmos_allocate_gradients(list.as_mut_ptr(), list.len()) })
}

/// Returns the 2-norm of all the tensors together; waits for the device.
pub(crate) fn global_norm(tensors: &[Tensor]) -> Result<f64> {
    let mut list = pointers(tensors);
    let mut norm = ptr::null_mut();
    // SAFETY: `list` holds `len` live tensors, and `norm` takes one new tensor.
    check(unsafe { kosmos_global_norm(list.as_mut_ptr(), list.len(), &mut norm) })?;
    // SAFETY: on success the shim wrote a tensor that this handle now owns.
    unsafe { Tensor::from_ptr(norm) }.f_double_value(&[])
}

/// Multiplies every tensor in place.
pub(crate) fn scale(tensors: &[Tensor], factor: f64) -> Result<()> {
    let mut list = pointers(tensors);
    // SAFETY: `list` holds `len` live tensors.
    check(unsafe { kosmos_scale(list.as_mut_ptr(), list.len(), factor) })
}

/// Sets every tensor to zero.
pub(crate) fn zero(tensors: &[Tensor]) -> Result<()> {
    let mut list = pointers(tensors);
    // SAFETY: `list` holds `len` live tensors.
    check(unsafe { kosmos_zero(list.as_mut_ptr(), list.len()) })
}

/// Everything of an AdamW step but the tensors.
pub(crate) struct AdamWStep {
    pub(crate) learning_rate: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) weight_decay: f64,
    pub(crate) epsilon: f64,
}

/// The tensors of a group of parameters, one of each per parameter.
pub(crate) struct AdamWTensors<'a> {
    pub(crate) parameters: &'a [Tensor],
    pub(crate) gradients: &'a [Tensor],
    pub(crate) means: &'a [Tensor],
    pub(crate) squares: &'a [Tensor],
}

/// Steps a group of parameters. `count` is the number of this step, from 1, as a float32
/// scalar on their device.
pub(crate) fn adamw(tensors: &AdamWTensors<'_>, count: &Tensor, step: &AdamWStep) -> Result<()> {
    let mut parameters = pointers(tensors.parameters);
    let mut gradients = pointers(tensors.gradients);
    let mut means = pointers(tensors.means);
    let mut squares = pointers(tensors.squares);
    let len = parameters.len();
    if [&gradients, &means, &squares].iter().any(|list| list.len() != len) {
        return Err(TchError::Shape("AdamW lists of different lengths".to_owned()));
    }
    // SAFETY: the four lists hold `len` live tensors each, `count` is a live tensor.
    check(unsafe {
        kosmos_adamw(
            parameters.as_mut_ptr(),
            gradients.as_mut_ptr(),
            means.as_mut_ptr(),
            squares.as_mut_ptr(),
            count.as_ptr().cast_mut(),
            len,
            step.learning_rate,
            step.beta1,
            step.beta2,
            step.weight_decay,
            step.epsilon,
        )
    })
}

/// Runs `body` with autocast to bfloat16 for the device's type.
pub(crate) fn autocast<T>(device: tch::Device, body: impl FnOnce() -> Result<T>) -> Result<T> {
    struct Restore(c_int, c_int, c_int);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: plain numbers. Restoring thread-local flags does not fail.
            unsafe { kosmos_autocast_leave(self.0, self.1, self.2) };
        }
    }
    let cuda = c_int::from(device.is_cuda());
    let (mut enabled, mut kind) = (0, 0);
    // SAFETY: two places for the numbers to restore.
    check(unsafe { kosmos_autocast_enter(cuda, &mut enabled, &mut kind) })?;
    let _restore = Restore(cuda, enabled, kind);
    body()
}

type Function = Box<dyn Fn(&Tensor) -> Result<Tensor> + Send>;

/// Computes `function` of `x`, and again in the backward pass instead of keeping its
/// activations. Dropout in it must be seeded inside it, and autocast entered.
pub(crate) fn checkpoint(
    x: &Tensor,
    function: impl Fn(&Tensor) -> Result<Tensor> + Send + 'static,
) -> Result<Tensor> {
    let function: Box<Function> = Box::new(Box::new(function));
    let context = Box::into_raw(function).cast::<c_void>();
    let mut result = ptr::null_mut();
    // SAFETY: the shim takes over `context` and frees it once by `drop_function`; `x` is live
    // and `result` takes one new tensor.
    check(unsafe {
        kosmos_checkpoint(call_function, drop_function, context, x.as_ptr().cast_mut(), &mut result)
    })?;
    // SAFETY: on success the shim wrote a tensor that this handle now owns.
    Ok(unsafe { Tensor::from_ptr(result) })
}

extern "C" fn call_function(context: *mut c_void, x: Pointer) -> Pointer {
    let call = || {
        // SAFETY: `context` is what `checkpoint` gave away, and not yet freed; `x` is live.
        let (function, x) = unsafe { (&*context.cast::<Function>(), Tensor::clone_from_ptr(x)) };
        function(&x)
    };
    let message = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(mut result)) => {
            let pointer = result.as_mut_ptr();
            // The shim deletes the handle.
            std::mem::forget(result);
            return pointer;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "panicked".to_owned(),
    };
    let message = CString::new(message.replace('\0', " ")).unwrap_or_default();
    // SAFETY: the shim copies the NUL-terminated message.
    unsafe { kosmos_set_error(message.as_ptr()) };
    ptr::null_mut()
}

extern "C" fn drop_function(context: *mut c_void) {
    // SAFETY: the shim calls this once, with what `checkpoint` gave away.
    drop(unsafe { Box::from_raw(context.cast::<Function>()) });
}
