//! A vision tower's weights as plain arrays: how a tower moves between files,
//! the feature stage and the model.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use safetensors::Dtype;

use crate::{
    Result,
    weights::{Saved, WeightsFile, encode, write},
};

/// What Hugging Face puts before the tower's names in a whole CLIP.
const CLIP_PREFIX: &str = "vision_model.";
/// And, after that, in Kosmos-2.
const KOSMOS2_PREFIX: &str = "model.";

/// One array of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<f32>,
}

/// A vision tower's weights by the names of Hugging Face's `CLIPVisionModel`,
/// without the `vision_model.` prefix.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TowerWeights {
    /// The arrays by name.
    pub arrays: BTreeMap<String, Array>,
}

impl TowerWeights {
    /// Reads a safetensors file of a `CLIPVisionModel`, a whole `CLIPModel` (whose text half is
    /// left out) or a Kosmos-2. Whether the arrays fit a config is checked when they are loaded.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = WeightsFile::open(path)?;
        let names = file.names();
        let prefixed = names.iter().any(|name| name.starts_with(CLIP_PREFIX));
        let mut arrays = BTreeMap::new();
        for name in names {
            let Some(short) = short_name(&name, prefixed) else { continue };
            // Old files also hold the integers 0 to 256 as `position_ids`.
            let Some(shape) = file.float_shape(&name).map(<[usize]>::to_vec) else { continue };
            let values = file.read_floats(&name)?;
            arrays.insert(short.to_owned(), Array { shape, values });
        }
        Ok(Self { arrays })
    }

    /// Writes a safetensors file that [`TowerWeights::open`] and `CLIPVisionModel` read;
    /// equal weights give equal bytes.
    pub fn save(&self, path: &Path) -> Result<()> {
        let arrays = self
            .arrays
            .iter()
            .map(|(name, array)| {
                let bytes = Cow::Owned(encode(&array.values));
                (name.clone(), Saved { dtype: Dtype::F32, shape: array.shape.clone(), bytes })
            })
            .collect();
        write(path, &arrays)
    }
}

fn short_name(name: &str, prefixed: bool) -> Option<&str> {
    if !prefixed {
        return Some(name);
    }
    let name = name.strip_prefix(CLIP_PREFIX)?;
    Some(name.strip_prefix(KOSMOS2_PREFIX).unwrap_or(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn weights(names: &[&str]) -> TowerWeights {
        let array = Array { shape: vec![2, 1], values: vec![0.5, -0.25] };
        TowerWeights { arrays: names.iter().map(|&n| (n.to_owned(), array.clone())).collect() }
    }

    #[test]
    fn weights_are_found_with_and_without_prefix_and_text_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tower.safetensors");
        let plain = weights(&["post_layernorm.weight"]);
        for names in [
            &["post_layernorm.weight"] as &[&str],
            &["vision_model.post_layernorm.weight", "text_model.final_layer_norm.weight"],
            &["vision_model.model.post_layernorm.weight", "text_model.model.layer_norm.weight"],
        ] {
            weights(names).save(&path).unwrap();
            assert_eq!(TowerWeights::open(&path).unwrap(), plain, "{names:?}");
        }
    }
}
