//! Weights and optimiser state in safetensors files.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use safetensors::Dtype;
use tch::{Device, Kind, Tensor};

use super::{
    optimizer::AdamW,
    parameters::{Parameters, overwrite},
    torch,
};
use model::{
    Error, Result,
    weights::{Saved, WeightsFile, write},
};

/// Prefix of the running means of gradients, named as in PyTorch's AdamW.
const MEAN: &str = "exp_avg.";
/// Prefix of the running means of squared gradients.
const SQUARE: &str = "exp_avg_sq.";
/// Name of the number of steps applied.
const STEP: &str = "step";

/// Writes all parameters.
pub(crate) fn save_weights(parameters: &Parameters, path: &Path) -> Result<()> {
    let named = parameters.iter().map(|p| (p.name.clone(), &p.tensor));
    let tensors = in_memory(named)?;
    write(path, &saved(&tensors))
}

/// Reads all parameters; checks names and shapes before anything changes.
pub(crate) fn load_weights(parameters: &Parameters, path: &Path) -> Result<()> {
    let mut file = WeightsFile::open(path)?;
    for parameter in parameters.iter() {
        file.expect(&parameter.name, &parameter.shape())?;
    }
    for parameter in parameters.iter() {
        let values = file.read_floats(&parameter.name)?;
        parameter.fill(&values).map_err(torch("load a parameter"))?;
    }
    Ok(())
}

/// Writes the optimiser's moments and step count.
pub(crate) fn save_optimizer(optimizer: &AdamW, path: &Path) -> Result<()> {
    let tensors = in_memory(moments(optimizer).into_iter())?;
    let mut arrays = saved(&tensors);
    let step = optimizer.step_count.to_le_bytes().to_vec();
    arrays.insert(STEP.to_owned(), Saved { dtype: Dtype::I64, shape: vec![1], bytes: Cow::Owned(step) });
    write(path, &arrays)
}

/// Reads the optimiser's moments and step count; checks names and shapes first.
pub(crate) fn load_optimizer(optimizer: &mut AdamW, path: &Path) -> Result<()> {
    let mut file = WeightsFile::open(path)?;
    let step = file.read_integer(STEP)?;
    let step_count = u64::try_from(step).map_err(|_| Error::Array {
        path: path.to_owned(),
        name: STEP.to_owned(),
        reason: format!("is negative: {step}"),
    })?;
    for (name, tensor) in moments(optimizer) {
        let shape: Vec<usize> = tensor.size().iter().map(|&size| size as usize).collect();
        file.expect(&name, &shape)?;
    }
    for (name, tensor) in moments(optimizer) {
        let values = file.read_floats(&name)?;
        overwrite(tensor, &values).map_err(torch("load the optimiser"))?;
    }
    optimizer.step_count = step_count;
    Ok(())
}

fn moments(optimizer: &AdamW) -> Vec<(String, &Tensor)> {
    let mut moments = Vec::new();
    for group in optimizer.groups() {
        for (prefix, tensors) in [(MEAN, &group.means), (SQUARE, &group.squares)] {
            moments.extend(group.names.iter().map(|name| format!("{prefix}{name}")).zip(tensors));
        }
    }
    moments
}

/// Returns contiguous float32 tensors in memory, sharing those that already are.
fn in_memory<'a>(tensors: impl Iterator<Item = (String, &'a Tensor)>) -> Result<Vec<(String, Tensor)>> {
    let copy =
        |tensor: &Tensor| tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous();
    tensors.map(|(name, tensor)| Ok((name, copy(tensor).map_err(torch("copy weights"))?))).collect()
}

fn saved(tensors: &[(String, Tensor)]) -> BTreeMap<String, Saved<'_>> {
    const _: () = assert!(cfg!(target_endian = "little"), "files hold little-endian numbers");
    let view = |tensor: &Tensor| {
        let shape = tensor.size().iter().map(|&size| size as usize).collect();
        let bytes = tensor.numel() * size_of::<f32>();
        // SAFETY: the tensor is float32, contiguous and in memory, and outlives the view.
        let bytes = unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<u8>(), bytes) };
        Saved { dtype: Dtype::F32, shape, bytes: Cow::Borrowed(bytes) }
    };
    tensors.iter().map(|(name, tensor)| (name.clone(), view(tensor))).collect()
}
