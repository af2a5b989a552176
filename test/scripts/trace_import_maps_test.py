# SPDX-License-Identifier: Apache-2.0
"""Import of weights by name: those of published checkpoints land in the layers of the shipped networks.

    trace_import_maps_test.py [LACUNA]     with the program, traces are also run
"""
import os
import subprocess
import unittest

import import_support  # first: it skips where a package is missing
import numpy as np
import support
import torch
import torch.nn.utils.prune
from import_support import LACUNA, Folder

import capture
import safetensors_io


@unittest.skipIf(LACUNA is None, "without the program")
class Maps(Folder):
    """configs/imports: weights with the names of Hugging Face and torchvision land in the layers of our networks."""

    def landed(self, workload, parameters, name, tensors, expected):
        """`expected`: layer -> matrix [n, k] whose zeros its weights must have."""
        safetensors_io.write(self.file("w.safetensors"), tensors)
        out = self.file(f"out-{name}")
        configs = os.path.join(support.ROOT, "configs")
        done = subprocess.run([LACUNA, "trace", "import", os.path.join(configs, "workloads", workload), "--weights",
                               self.file("w.safetensors"), "--map", os.path.join(configs, "imports", f"{name}.yaml"), "--out", out,
                               *(part for p in parameters for part in ("--param", p))],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        written, found = capture.load(out)
        layers = {layer["name"]: layer for layer in written["layers"] if "weights" in layer}
        self.assertEqual(set(expected), set(layers))
        for layer, matrix in expected.items():
            codes = found[layers[layer]["weights"]["tensor"]]
            self.assertTrue(((codes.reshape(matrix.shape) != 0) <= (matrix != 0)).all(), layer)
            self.assertGreater((codes != 0).sum(), 0.9 * (matrix != 0).sum(), layer)

    def pruned(self, *shape):
        return (self.rng.standard_normal(shape) * (self.rng.random(shape) < 0.3)).astype(np.float32)

    def test_llama_mistral_and_gptj(self):
        shared = ["layers=2", "hidden=64", "heads=4", "feed_forward=96", "vocabulary=40", "decode=0", "tokens=2"]
        parts = {"query0": ("q", 64), "key0": ("k", 32), "value": ("v", 32), "project": ("o", 64)}
        for file in ("llama-2-7b.yaml", "llama-3-8b.yaml", "mistral-7b.yaml", "llama-2-13b.yaml"):
            tensors = {"model.embed_tokens.weight": self.pruned(40, 64), "lm_head.weight": self.pruned(40, 64)}
            expected = {"block0.in": tensors["model.embed_tokens.weight"], "logits": tensors["lm_head.weight"]}
            for i in range(2):
                at = f"model.layers.{i}."
                for layer, (letter, n) in parts.items():
                    expected[f"block{i}.{layer}"] = tensors[f"{at}self_attn.{letter}_proj.weight"] = self.pruned(n, 64)
                for layer, shape in (("gate", (96, 64)), ("up", (96, 64)), ("down", (64, 96))):
                    expected[f"block{i}.{layer}"] = tensors[f"{at}mlp.{layer}_proj.weight"] = self.pruned(*shape)
            self.landed(file, shared + ["kv_heads=2"], "hf-llama", tensors, expected)
        tensors = {"transformer.wte.weight": self.pruned(40, 64), "lm_head.weight": self.pruned(40, 64)}
        expected = {"block0.in": tensors["transformer.wte.weight"], "logits": tensors["lm_head.weight"]}
        for i in range(2):
            at = f"transformer.h.{i}."
            for layer, name, shape in (("query0", "attn.q_proj", (64, 64)), ("key0", "attn.k_proj", (64, 64)),
                                       ("value", "attn.v_proj", (64, 64)), ("project", "attn.out_proj", (64, 64)),
                                       ("expand", "mlp.fc_in", (96, 64)), ("reduce", "mlp.fc_out", (64, 96))):
                expected[f"block{i}.{layer}"] = tensors[f"{at}{name}.weight"] = self.pruned(*shape)
        self.landed("gpt-j-6b.yaml", shared + ["rotary_channels=8"], "hf-gptj", tensors, expected)

    def test_bert_and_gpt2(self):
        names = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
                 "project": "attention.output.dense", "expand": "intermediate.dense", "reduce": "output.dense"}
        tensors = {"bert.embeddings.word_embeddings.weight": self.pruned(40, 64), "qa_outputs.weight": self.pruned(2, 64)}
        expected = {"words": tensors["bert.embeddings.word_embeddings.weight"], "answer": tensors["qa_outputs.weight"]}
        for i in range(2):
            for layer, name in names.items():
                shape = {"expand": (96, 64), "reduce": (64, 96)}.get(layer, (64, 64))
                expected[f"block{i}.{layer}"] = tensors[f"bert.encoder.layer.{i}.{name}.weight"] = self.pruned(*shape)
        self.landed("bert-base.yaml", ["layers=2", "hidden=64", "heads=4", "feed_forward=96", "vocabulary=40", "sequence=2"],
                    "hf-bert", tensors, expected)
        table, fused = self.pruned(40, 768), self.pruned(768, 2304)
        tensors = {"wte.weight": table, "h.0.attn.c_attn.weight": fused, "h.0.attn.c_proj.weight": self.pruned(768, 768),
                   "h.0.mlp.c_fc.weight": self.pruned(768, 96), "h.0.mlp.c_proj.weight": self.pruned(96, 768)}
        expected = {"embedded": table, "logits": table, "block0.query": fused[:, :768].T, "block0.key": fused[:, 768:1536].T,
                    "block0.value": fused[:, 1536:].T, "block0.project": tensors["h.0.attn.c_proj.weight"].T,
                    "block0.expand": tensors["h.0.mlp.c_fc.weight"].T, "block0.reduce": tensors["h.0.mlp.c_proj.weight"].T}
        self.landed("gpt-2.yaml", ["layers=1", "feed_forward=96", "vocabulary=40", "decode=0", "tokens=2"], "hf-gpt2", tensors,
                    expected)

    def test_mobilenet_of_torchvision(self):
        torchvision = import_support.torchvision(self)
        torch.manual_seed(1)
        net = torchvision.models.mobilenet_v2()
        for module in net.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                torch.nn.utils.prune.random_unstructured(module, "weight", 0.6)
                torch.nn.utils.prune.remove(module, "weight")
        state = {name: value.numpy() for name, value in net.state_dict().items() if value.dtype == torch.float32}
        to_ours = lambda w: w.transpose(0, 2, 3, 1).reshape(len(w), -1) if w.ndim == 4 else w
        at = {"conv0": "features.0.0", "block1.depthwise": "features.1.conv.0.0", "block1.project": "features.1.conv.1",
              "conv_last": "features.18.0", "classifier": "classifier.1"}
        for i in range(2, 18):
            at.update({f"block{i}.expand": f"features.{i}.conv.0.0", f"block{i}.depthwise": f"features.{i}.conv.1.0",
                       f"block{i}.project": f"features.{i}.conv.2"})
        expected = {layer: to_ours(state[f"{name}.weight"]) for layer, name in at.items()}
        self.landed("mobilenet-v2.yaml", ["size=32"], "torchvision-mobilenet-v2", state, expected)


if __name__ == "__main__":
    support.main()
