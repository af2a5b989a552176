# SPDX-License-Identifier: Apache-2.0
"""Import of torch modules, written for this and of torchvision: integer outputs follow the float ones, and the
simulator reproduces them bit for bit.

    trace_import_torch_test.py [LACUNA]     with the program, traces are also run
"""
import import_support  # first: it skips where a package is missing
import import_networks
import numpy as np
import support
import torch
from import_support import NETWORKS, Folder, run

import safetensors_io


class Modules(Folder):
    def lowered(self, name, shape, *more, samples=3, error=0.08):
        x = self.rng.standard_normal((samples,) + shape).astype(np.float32)
        result = self.imported("torch", f"{NETWORKS}:{name}", "--inputs", self.file("x.npy", x), *more)
        self.assertLess(result[3]["relative_error"], error)
        self.simulated(samples)
        return result

    def test_attention_written_out(self):
        workload, _, _, _ = self.lowered("Attention", (7, 6))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual(sorted(ops), sorted(["linear"] * 8 + ["layer_norm", "softmax", "lookup", "average_pool"]
                                             + ["matmul"] * 2 + ["add"] * 2))
        product = [layer for layer in workload["layers"] if layer["op"] == "matmul"]
        self.assertEqual([(p["heads"], p["transpose_right"]) for p in product], [(2, True), (2, False)])

    def test_multihead_attention_before_and_after_the_norm(self):
        for before in ("true", "false"):
            self.lowered("Encoder", (7, 6), "--arguments", f'{{"before": {before}}}')

    def test_batch_norm_relu6_difference_and_flatten(self):
        workload, _, codes, _ = self.lowered("Residual", (3, 8, 8))
        clamped = [layer["output"]["clamp"] for layer in workload["layers"] if "clamp" in layer.get("output", {})]
        self.assertEqual(len(clamped), 2)
        self.assertIn("flatten", [layer["op"] for layer in workload["layers"]])

    def test_groups_depthwise_concat_and_the_rest(self):
        workload, _, _, _ = self.lowered("Mixed", (3, 8, 8))
        ops = [layer["op"] for layer in workload["layers"]]
        for op, count in (("depthwise_conv2d", 3), ("concat", 2), ("upsample", 1), ("multiply", 1), ("max_pool", 2)):
            self.assertEqual(ops.count(op), count, op)
        self.assertEqual([layer["groups"] for layer in workload["layers"] if "groups" in layer], [4])
        self.assertEqual([layer["padding"] for layer in workload["layers"] if layer["op"] == "max_pool"], [[1, 1]] * 2)

    def test_patches_and_a_class_token(self):
        workload, _, _, _ = self.lowered("Vit", (3, 8, 8))
        self.assertEqual(sorted(tuple(entry["shape"]) for entry in workload["inputs"]), [(1, 16), (4, 48)])
        joined = next(layer for layer in workload["layers"] if layer["op"] == "concat")
        self.assertEqual(joined["axis"], "tokens")
        self.assertIn("slice", [layer["op"] for layer in workload["layers"]])

    def test_block_of_a_language_model(self):
        workload, _, _, _ = self.lowered("Llama", (7, 6))
        ops = [layer["op"] for layer in workload["layers"]]
        for op, count in (("rms_norm", 3), ("rotary", 2), ("softmax", 1), ("multiply", 1), ("matmul", 2), ("lookup", 1)):
            self.assertEqual(ops.count(op), count, op)
        for layer in workload["layers"]:
            if layer["op"] == "rotary":
                self.assertEqual((layer["position"], layer["theta"]), (0, 10000))
            if layer["op"] == "softmax":
                self.assertEqual((layer["causal"], layer["position"]), (True, 0))
            if layer["op"] == "matmul":
                self.assertEqual((layer["heads"], layer["kv_heads"]), (4, 2))
        self.assertEqual({l["heads"] for l in workload["layers"] if l["op"] == "rotary"}, {4, 2})
        workload, _, _, _ = self.lowered("Llama", (7, 6), "--arguments", '{"theta": 500000.0}')
        self.assertEqual({l["theta"] for l in workload["layers"] if l["op"] == "rotary"}, {500000})

    def test_what_language_models_may_not_have(self):
        x = self.file("x.npy", self.rng.standard_normal((2, 7, 6)).astype(np.float32))
        for bad, message in (("angles", "whose angles are not position * theta^(-2i / channels)"),
                             ("mask", "with a mask that is not causal"), ("unused", "reads masked scores"),
                             ("repeated", "whose elements are repeated")):
            self.refused(message, "torch", f"{NETWORKS}:Llama", "--arguments", f'{{"bad": "{bad}"}}', "--inputs", x)

    def test_hidden_scores_and_a_bare_rms_norm(self):
        workload, tensors, _, _ = self.lowered("Hidden", (6, 6))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("rms_norm"), ops.count("softmax")), (1, 1))
        norm = next(layer for layer in workload["layers"] if layer["op"] == "rms_norm")
        self.assertEqual(len(set(tensors[norm["gamma"]].tolist())), 1)

    def test_mask_of_an_input(self):
        x = self.rng.standard_normal((3, 6, 6)).astype(np.float32)
        there = np.ones((3, 6), np.float32)
        there[2, 0] = 0
        self.refused("with a mask that differs between the samples", "torch", f"{NETWORKS}:MaskInput", "--inputs",
                     self.file("x.npz", {"x": x, "there": there}))
        there[:, 0] = 0
        self.refused("with a mask that is not causal", "torch", f"{NETWORKS}:MaskInput", "--inputs",
                     self.file("x.npz", {"x": x, "there": there}))
        there[:] = 1
        workload, _, _, provenance = self.imported("torch", f"{NETWORKS}:MaskInput", "--inputs",
                                                   self.file("x.npz", {"x": x, "there": there}))
        self.assertEqual([l.get("causal") for l in workload["layers"] if l["op"] == "softmax"], [True])
        self.assertLess(provenance["relative_error"], 0.08)
        self.simulated(3)

    def test_squeeze_and_excite(self):
        x = self.file("x.npy", self.rng.standard_normal((2, 3, 8, 8)).astype(np.float32))
        self.refused("is no factor for each of its channels", "torch", f"{NETWORKS}:Squeezed", "--arguments",
                     '{"wrong": true}', "--inputs", x)
        workload, _, _, _ = self.lowered("Squeezed", (3, 8, 8))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("multiply"), ops.count("average_pool"), ops.count("linear")), (2, 3, 5))

    def test_norms_and_linear_layers_over_pixels(self):
        workload, _, _, _ = self.lowered("Pixels", (3, 8, 8))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("layer_norm"), ops.count("conv2d"), ops.count("linear"), ops.count("add")), (4, 4, 1, 1))

    def test_channel_shuffle(self):
        workload, tensors, codes, _ = self.lowered("Shuffled", (3, 8, 8))
        chosen = [layer for layer in workload["layers"] if "channels" in layer["name"]]
        self.assertEqual([layer["op"] for layer in chosen], ["conv2d"] * len(chosen))
        self.assertGreaterEqual(len(chosen), 3)
        for layer in chosen:                                 # codes go through unchanged
            weight = tensors[layer["weights"]["tensor"]][:, 0, 0, :]
            self.assertTrue((weight.sum(axis=1) == 1).all())
            self.assertTrue((codes[layer["name"]] == codes[layer["input"]][..., weight.argmax(axis=1)]).all())

    def test_gates_make_the_share_of_zeros(self):
        workload, _, codes, provenance = self.lowered("Attention", (7, 6), "--activation-sparsity", "0.3", error=0.4)
        self.assertGreaterEqual(provenance["activation_sparsity"], 0.25)

    def test_state_dict_replaces_the_weights(self):
        state = self.file("state.pt")
        net = import_networks.Attention()
        with torch.no_grad():
            net.head.weight.zero_()
            net.head.weight[2, 3] = 1
        torch.save({"state_dict": net.state_dict()}, state)
        _, tensors, _, _ = self.lowered("Attention", (7, 6), "--state", state)
        self.assertEqual(int((tensors["head.weight"] != 0).sum()), 1)
        self.assertEqual(tensors["head.weight"][2, 3], 127)
        status, out, _ = run("state", state, "--out", self.file("state.safetensors"))
        self.assertEqual(status, 0)
        stored, _ = safetensors_io.read(self.file("state.safetensors"))
        self.assertTrue((stored["head.weight"] == net.head.weight.detach().numpy()).all())

    def test_refused_with_the_name(self):
        x = self.file("x.npy", self.rng.standard_normal((2, 3, 8, 8)).astype(np.float32))
        self.refused("operator CumSum", "torch", f"{NETWORKS}:Split", "--inputs", x)
        self.refused("'nets_missing:x' does not give a network", "torch", "nets_missing:x", "--inputs", x)
        self.refused("--inputs is needed", "torch", f"{NETWORKS}:Residual")
        self.refused("cannot be exported", "torch", f"{NETWORKS}:Attention", "--inputs", x)


class ResNet18(Folder):
    def setUp(self):
        super().setUp()
        import_support.torchvision(self)

    def test_structure_of_torchvision(self):
        x = self.rng.standard_normal((1, 3, 32, 32)).astype(np.float32)
        workload, _, _, provenance = self.imported(
            "torch", f"{NETWORKS}:pruned", "--arguments", '{"name": "resnet18"}', "--inputs", self.file("x.npy", x))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("conv2d"), ops.count("add"), ops.count("linear")), (20, 8, 1))
        self.assertAlmostEqual(provenance["weight_sparsity"], 0.8, places=2)
        self.assertLess(provenance["relative_error"], 0.1)
        self.simulated(1)

    def test_mobile_networks_of_torchvision(self):
        """Squeeze-and-excite, hard swish, channel shuffles: real networks, pruned at random."""
        for name, op, count in (("mobilenet_v3_small", "multiply", 9), ("shufflenet_v2_x0_5", "concat", 16)):
            x = self.rng.standard_normal((1, 3, 32, 32)).astype(np.float32)
            workload, _, _, provenance = self.imported(
                "torch", f"{NETWORKS}:pruned", "--arguments", f'{{"name": "{name}"}}', "--inputs", self.file("x.npy", x))
            self.assertEqual([layer["op"] for layer in workload["layers"]].count(op), count, name)
            self.assertAlmostEqual(provenance["weight_sparsity"], 0.8, places=1)
            self.assertLess(provenance["relative_error"], 0.1)
            self.simulated(1)


if __name__ == "__main__":
    support.main()
