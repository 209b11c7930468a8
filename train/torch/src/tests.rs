//! Numeric agreement with torchscale, transformers and torch: `tests/golden/model.py`
//! wrote the references from small random weights.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::BTreeMap, path::PathBuf};

use tch::{Device, Kind, Tensor, no_grad};

use super::{
    decoder::{self, Decoder},
    documents::Documents,
    loss,
    network::{Network, Pass},
    optimizer::AdamW,
    parameters::Parameters,
    tower::{self, Tower},
};
use model::{
    Batch, Config, DecoderConfig, OptimizerConfig, Payload, Position, ResamplerConfig, Settings, Tap,
    TowerConfig,
};

type Arrays = BTreeMap<String, Tensor>;

fn golden(name: &str) -> Arrays {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../tests/golden/model/{name}.safetensors"));
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

fn fill(parameters: &Parameters, weights: &Arrays, prefix: &str) {
    for parameter in parameters.iter() {
        let name = parameter.name.strip_prefix(prefix).unwrap();
        let source = weights.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(source.size(), parameter.tensor.size(), "{name}");
        no_grad(|| parameter.tensor.shallow_clone().copy_(source));
    }
    assert_eq!(parameters.iter().count(), weights.len(), "every reference weight has its place");
}

fn inference() -> Pass {
    Pass::inference(&Settings::default(), Device::Cpu)
}

fn training() -> Pass {
    Pass::training(&Settings::default(), Device::Cpu, 0)
}

fn difference(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

fn relative(a: &Tensor, b: &Tensor) -> f64 {
    difference(a, b) / b.abs().max().double_value(&[])
}

fn torchscale_config() -> DecoderConfig {
    DecoderConfig {
        vocabulary_size: 50,
        layer_count: 2,
        width: 32,
        ffn_width: 64,
        head_count: 4,
        sequence_tokens_max: 24,
        dropout: 0.0,
        attention_dropout: 0.0,
        ..Default::default()
    }
}

fn torchscale_decoder(config: &DecoderConfig, weights: &Arrays) -> (Parameters, Decoder) {
    let mut parameters = Parameters::blank(Device::Cpu);
    let decoder = Decoder::new(parameters.scope(decoder::PREFIX), config).unwrap();
    fill(&parameters, weights, "");
    (parameters, decoder)
}

/// The loss of each token given those before it, and the hidden states.
fn token_loss(decoder: &Decoder, tokens: &Tensor, pass: &Pass) -> (Tensor, f64) {
    let (rows, columns) = tokens.size2().unwrap();
    let ids = Vec::<i64>::try_from(tokens.flatten(0, 1)).unwrap();
    let input: Vec<u32> = ids.iter().map(|&id| id as u32).collect();
    let mut target = input[1..].to_vec();
    target.push(0);
    let loss_mask: Vec<bool> = (1..=ids.len()).map(|index| index as i64 % columns != 0).collect();
    let hidden = decoder.forward(tokens, None, None, None, pass).unwrap();
    let batch = Batch {
        row_count: rows as usize,
        column_count: columns as usize,
        input: &input,
        target: &target,
        loss_mask: &loss_mask,
        image_slots: &vec![false; ids.len()],
        positions: &[],
        payload: Payload::None,
    };
    let (nll_sum, loss) = loss::loss(decoder, &hidden, &batch).unwrap();
    (nll_sum, loss.token_count as f64)
}

#[test]
fn the_decoder_agrees_with_torchscale() {
    let expected = golden("decoder_expected");
    let (_, decoder) = torchscale_decoder(&torchscale_config(), &golden("decoder"));
    let tokens = &expected["tokens"];
    let hidden = no_grad(|| decoder.forward(tokens, None, None, None, &inference()).unwrap());
    let logits = no_grad(|| decoder.logits(&hidden).unwrap());
    assert!(difference(&logits, &expected["logits"]) < 1e-5);
}

/// Documents of 7, 9 and 5 tokens, each with its token ids.
fn three_documents() -> [Vec<i64>; 3] {
    [(7, 3), (9, 11), (5, 8)].map(|(length, step)| (0..length).map(|place| 4 + place * step % 46).collect())
}

/// The last hidden states of these documents, in one row.
fn hidden_of_row(decoder: &Decoder, documents: &[Vec<i64>], reset: bool) -> Tensor {
    let row = |values: Vec<i64>| Tensor::from_slice(&values).unsqueeze(0);
    let positions = documents.iter().flat_map(|document| 0..document.len() as i64).collect();
    let documents_of = Documents::new(row(positions)).unwrap();
    let tokens = row(documents.concat());
    no_grad(|| decoder.forward(&tokens, None, reset.then_some(&documents_of), None, &inference()).unwrap())
}

#[test]
fn a_document_changes_nothing_in_its_neighbours_and_is_as_it_is_alone() {
    for position in [Position::Xpos, Position::Both] {
        let config = DecoderConfig { position, ..torchscale_config() };
        let (_, decoder) = torchscale_decoder(&config, &golden("decoder"));
        let documents = three_documents();
        let mut changed = documents.clone();
        changed[1].iter_mut().for_each(|token| *token = 4 + (*token + 5) % 46);
        let [first, others] =
            [&documents, &changed].map(|documents| hidden_of_row(&decoder, documents, true));
        assert_eq!(first.narrow(1, 0, 7), others.narrow(1, 0, 7));
        assert_ne!(first.narrow(1, 7, 9), others.narrow(1, 7, 9));
        assert_eq!(first.narrow(1, 16, 5), others.narrow(1, 16, 5));
        for (document, start) in documents.iter().zip([0, 7, 16]) {
            let alone = hidden_of_row(&decoder, std::slice::from_ref(document), false);
            assert!(difference(&alone, &first.narrow(1, start, document.len() as i64)) < 2e-5);
        }
        // By default they see what is before them.
        let [first, others] =
            [&documents, &changed].map(|documents| hidden_of_row(&decoder, documents, false));
        assert_eq!(first.narrow(1, 0, 7), others.narrow(1, 0, 7));
        assert_ne!(first.narrow(1, 16, 5), others.narrow(1, 16, 5));
    }
}

#[test]
fn documents_that_are_apart_have_the_gradient_that_they_have_in_rows_of_their_own() {
    let config = |activation_checkpointing| DecoderConfig { activation_checkpointing, ..torchscale_config() };
    let gradients = |checkpointing, rows: &[Vec<Vec<i64>>]| {
        let (parameters, decoder) = torchscale_decoder(&config(checkpointing), &golden("decoder"));
        for row in rows {
            let positions: Vec<i64> = row.iter().flat_map(|document| 0..document.len() as i64).collect();
            let documents = Documents::new(Tensor::from_slice(&positions).unsqueeze(0)).unwrap();
            let tokens = Tensor::from_slice(&row.concat()).unsqueeze(0);
            let hidden = decoder.forward(&tokens, None, Some(&documents), None, &training()).unwrap();
            decoder.logits(&hidden).unwrap().square().sum(Kind::Float).backward();
        }
        parameters.iter().map(|parameter| parameter.tensor.grad()).collect::<Vec<_>>()
    };
    let documents = three_documents();
    let together = gradients(false, &[documents.to_vec()]);
    let alone = gradients(false, &documents.map(|document| vec![document]));
    for (one, other) in together.iter().zip(&alone) {
        assert!(relative(one, other) < 1e-4, "{}", relative(one, other));
    }
    let recomputed = gradients(true, &[three_documents().to_vec()]);
    for (one, other) in together.iter().zip(&recomputed) {
        assert!(relative(one, other) < 1e-6);
    }
}

#[test]
fn loss_and_gradients_agree_with_torchscale_with_and_without_checkpointing() {
    let expected = golden("decoder_expected");
    for activation_checkpointing in [false, true] {
        let config = DecoderConfig { activation_checkpointing, ..torchscale_config() };
        let (parameters, decoder) = torchscale_decoder(&config, &golden("decoder"));
        let (nll_sum, count) = token_loss(&decoder, &expected["tokens"], &training());
        let loss = &nll_sum / count;
        assert!(difference(&loss, &expected["loss"]) < 1e-5);
        loss.backward();
        for parameter in parameters.iter() {
            let reference = &expected[&format!("gradient.{}", parameter.name)];
            let worst = relative(&parameter.tensor.grad(), reference);
            assert!(worst < 1e-5, "{} {worst:e}", parameter.name);
        }
    }
}

#[test]
fn fifty_steps_agree_with_torch() {
    let expected = golden("adamw_expected");
    let (parameters, decoder) = torchscale_decoder(&torchscale_config(), &golden("adamw"));
    let mut optimizer = AdamW::new(&parameters, &OptimizerConfig::default()).unwrap();
    let series = |name: &str| Vec::<f64>::try_from(expected[name].to_kind(Kind::Double)).unwrap();
    let (rates, losses, norms) = (series("rates"), series("losses"), series("norms"));
    for (index, rate) in rates.iter().enumerate() {
        let tokens = expected["tokens"].get(index as i64);
        let (nll_sum, count) = token_loss(&decoder, &tokens, &training());
        nll_sum.backward();
        let step = optimizer.step(*rate, count as u64).unwrap();
        assert!(step.applied);
        let loss = nll_sum.double_value(&[]) / count;
        assert!((loss - losses[index]).abs() < 1e-4, "step {index}: {loss} {}", losses[index]);
        assert!((step.gradient_norm - norms[index]).abs() < 1e-3 * norms[index], "step {index}");
    }
    for parameter in parameters.iter() {
        let worst = difference(&parameter.tensor, &expected[&format!("end.{}", parameter.name)]);
        assert!(worst < 1e-4, "{} {worst:e}", parameter.name);
    }
}

#[test]
fn the_tower_agrees_with_transformers_at_every_tap() {
    let config = TowerConfig {
        image_side_pixels: 32,
        patch_side_pixels: 8,
        width: 32,
        layer_count: 3,
        head_count: 4,
        mlp_width: 64,
        ..Default::default()
    };
    let expected = golden("tower_expected");
    let mut parameters = Parameters::blank(Device::Cpu);
    let tower = Tower::new(&mut parameters.scope(tower::PREFIX), &config).unwrap();
    // transformers 5 has dropped the prefix of CLIPVisionModel; the references may have either.
    let weights = golden("tower")
        .into_iter()
        .map(|(name, t)| (name.trim_start_matches("vision_model.").to_owned(), t))
        .collect();
    fill(&parameters, &weights, "vision_model.model.");
    let tap = |tap| no_grad(|| tower.tap(&expected["pixels"], tap).unwrap());
    assert!(difference(&tap(Tap::BeforeLastBlock), &expected["before_last_block"]) < 1e-6);
    assert!(difference(&tap(Tap::AfterLayerNorm), &expected["after_layer_norm"]) < 1e-6);
    let pooled = tap(Tap::Pooled).squeeze_dim(1);
    assert!(difference(&pooled, &expected["pooled"]) < 1e-6);
}

#[test]
fn the_whole_network_with_sinusoids_agrees_with_kosmos_2() {
    let config = Config {
        decoder: DecoderConfig { vocabulary_size: 53, position: Position::Sinusoidal, ..torchscale_config() },
        resampler: ResamplerConfig { latent_count: 6, head_count: 4, ..Default::default() },
        tower: TowerConfig {
            image_side_pixels: 28,
            patch_side_pixels: 14,
            width: 32,
            layer_count: 2,
            head_count: 2,
            mlp_width: 64,
            ..Default::default()
        },
    };
    let expected = golden("kosmos2_expected");
    let mut parameters = Parameters::blank(Device::Cpu);
    let network = Network::new(&mut parameters, &config).unwrap();
    fill(&parameters, &golden("kosmos2"), "");
    let pixels = Vec::<f32>::try_from(expected["pixels"].flatten(0, -1)).unwrap();
    let slots = Vec::<i64>::try_from(expected["slots"].flatten(0, -1)).unwrap();
    let slots: Vec<bool> = slots.into_iter().map(|slot| slot == 1).collect();
    let payload = Payload::Pixels(&pixels);
    no_grad(|| {
        let pass = inference();
        let vectors = network.image_vectors(payload, &pass).unwrap().unwrap();
        assert!(difference(&vectors, &expected["image_vectors"]) < 1e-5);
        let hidden = network.hidden(&expected["ids"], &slots, payload, None, None, &pass).unwrap();
        let logits = network.decoder.logits(&hidden).unwrap();
        assert!(difference(&logits, &expected["logits"]) < 1e-5);
    });
}
