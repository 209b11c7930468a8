"""Writes the reference values in tests/golden/model/, which the crate `torch` must reproduce.

The references are torchscale 0.3.0 (decoder with sub-LN and xPos), transformers 5.23 (CLIP's
vision tower; Kosmos-2, whose decoder has sinusoidal positions) and torch 2.11 (AdamW), all with
small random weights. Needs:

    pip install torch==2.11.0 transformers==5.23.0 safetensors
    pip install --no-deps torchscale==0.3.0 fairscale==0.4.0 timm==0.6.13 einops torchvision==0.26.0 pillow

usage: python3 tests/golden/model.py
"""

import os

import torch
from safetensors.torch import save_file
from torchscale.architecture.config import DecoderConfig
from torchscale.architecture.decoder import Decoder
from transformers import CLIPVisionConfig, CLIPVisionModel, Kosmos2Config, Kosmos2ForConditionalGeneration

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model")
DECODER, TOWER = "text_model.model.", "vision_model.model."
VOCABULARY, WIDTH, HEADS, FFN, LAYERS = 50, 32, 4, 64, 2


def save(name, tensors):
    os.makedirs(OUT, exist_ok=True)
    path = f"{OUT}/{name}.safetensors"
    save_file({key: tensor.detach().clone().contiguous() for key, tensor in tensors.items()}, path)
    os.chmod(path, 0o644)
    print(name, os.path.getsize(path), "bytes")


def perturb(model):
    """Moves norms and biases away from 1 and 0, so that a forgotten one shows."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.05)
            elif parameter.dim() == 1 and "class" not in name:
                parameter.normal_(1, 0.1)


def torchscale_decoder(dropout):
    config = DecoderConfig(decoder_embed_dim=WIDTH, decoder_attention_heads=HEADS, decoder_ffn_embed_dim=FFN,
                           decoder_layers=LAYERS, subln=True, xpos_rel_pos=True, vocab_size=VOCABULARY,
                           share_decoder_input_output_embed=True, dropout=dropout,
                           no_scale_embedding=False)
    embedding = torch.nn.Embedding(VOCABULARY, WIDTH)
    torch.nn.init.normal_(embedding.weight, 0, WIDTH ** -0.5)
    return Decoder(config, embed_tokens=embedding)


def decoder_names(named):
    """torchscale's names as Kosmos-2's; the output is tied and xPos's scale computed."""
    return {DECODER + name: tensor for name, tensor in named
            if "output_projection" not in name and "xpos" not in name}


def mean_nll(logits, tokens):
    return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, VOCABULARY), tokens[:, 1:].reshape(-1))


def decoder():
    torch.manual_seed(1)
    model = torchscale_decoder(0.1).eval()
    perturb(model)
    tokens = torch.randint(0, VOCABULARY, (2, 17))
    logits, _ = model(tokens)
    loss = mean_nll(logits, tokens)
    loss.backward()
    save("decoder", decoder_names(model.state_dict().items()))
    gradients = decoder_names((name, p.grad) for name, p in model.named_parameters() if p.grad is not None)
    save("decoder_expected", {"tokens": tokens, "logits": logits, "loss": loss.reshape(1)}
         | {"gradient." + name: tensor for name, tensor in gradients.items()})


def tower():
    torch.manual_seed(0)
    config = CLIPVisionConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
                              image_size=32, patch_size=8)
    model = CLIPVisionModel(config).eval()
    perturb(model)
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        out = model(pixels, output_hidden_states=True)
        norm = dict(model.named_modules()).get("post_layernorm") or model.vision_model.post_layernorm
        after = norm(out.last_hidden_state)
    save("tower", {name: tensor for name, tensor in model.state_dict().items() if "position_ids" not in name})
    save("tower_expected", {"pixels": pixels, "before_last_block": out.hidden_states[-2],
                            "after_layer_norm": after, "pooled": out.pooler_output})


def kosmos2():
    torch.manual_seed(0)
    config = Kosmos2Config(
        text_config=dict(vocab_size=53, embed_dim=32, layers=2, ffn_dim=64, attention_heads=4,
                         max_position_embeddings=64),
        vision_config=dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                           image_size=28, patch_size=14),
        latent_query_num=6)
    model = Kosmos2ForConditionalGeneration(config).eval().float()
    perturb(model)
    pixels = torch.randn(2, 3, 28, 28)
    ids = torch.tensor([[0, 50] + [50] * 6 + [51, 10, 11, 12, 2], [0, 50] + [50] * 6 + [51, 20, 21, 22, 2]])
    slots = torch.tensor([[0, 0] + [1] * 6 + [0] * 5] * 2)
    with torch.no_grad():
        out = model(pixel_values=pixels, input_ids=ids, image_embeds_position_mask=slots,
                    attention_mask=torch.ones_like(ids))
    save("kosmos2", {name: tensor for name, tensor in model.state_dict().items() if "lm_head" not in name
                     and "embed_positions" not in name and "position_ids" not in name})
    save("kosmos2_expected", {"pixels": pixels, "ids": ids, "slots": slots, "logits": out.logits,
                              "image_vectors": out.image_embeds})


def adamw(warmup=10, total=50, peak=2e-3):
    """Fifty steps under the paper's schedule shape: linear warm-up, linear to zero."""
    torch.manual_seed(3)
    model = torchscale_decoder(0.0).train()
    start = {name: t.clone() for name, t in decoder_names(model.state_dict().items()).items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01)
    rates = [peak * (t / warmup if t <= warmup else 1 - (t - warmup) / (total - warmup)) for t in range(1, total + 1)]
    tokens, losses, norms = torch.randint(0, VOCABULARY, (total, 4, 24)), [], []
    for rate, batch in zip(rates, tokens):
        for group in optimizer.param_groups:
            group["lr"] = rate
        logits, _ = model(batch)
        loss = mean_nll(logits, batch)
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0).item())
        optimizer.step()
        losses.append(loss.item())
    end = decoder_names(model.state_dict().items())
    save("adamw", start)
    save("adamw_expected", {"tokens": tokens, "losses": torch.tensor(losses), "norms": torch.tensor(norms),
                            "rates": torch.tensor(rates, dtype=torch.float64)}
         | {"end." + name: tensor for name, tensor in end.items()})


decoder()
tower()
kosmos2()
adamw()
