//! The device: opened once, with the process-wide switches that belong to it.

use super::{shim, torch};
use model::{Device, Error, Result, Settings};

/// Opens the device of the settings, and sets libtorch's threads and determinism.
pub(crate) fn open(settings: &Settings) -> Result<tch::Device> {
    let device = find(settings.device)?;
    // `validate` has bounded the count far below i32's range.
    tch::set_num_threads(settings.thread_count as i32);
    shim::set_deterministic(settings.deterministic).map_err(torch("choose deterministic algorithms"))?;
    Ok(device)
}

fn find(device: Device) -> Result<tch::Device> {
    let Device::Cuda(index) = device else { return Ok(tch::Device::Cpu) };
    let unusable = |reason| Error::Device { device: device.to_string(), reason };
    shim::load_cuda().map_err(|error| unusable(error.to_string()))?;
    let count = tch::Cuda::device_count().max(0) as usize;
    if index as usize >= count {
        return Err(unusable(format!("{count} CUDA devices were found")));
    }
    Ok(tch::Device::Cuda(index as usize))
}
