#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the convolutional networks of configs/workloads/: shapes as published, a line per layer.

    scripts/workloads/make_networks.py [FOLDER]      # default: configs/workloads of this repository

The files are what counts; this script is how their layers were typed without slips. Weight sparsity per layer is a parameter
(`s_<layer>`), so that a file with a published table can extend the template. Sources stand in each file.
"""

import os
import sys

STR = {  # RAIVNLab/STR, budgets/STR_Budgets_ResNet50.csv (Kusupati et al. 2020): layer -> % at 81.27, 90.23, 95.15, 98.05 %
    "conv1": (51.40, 59.80, 66.96, 73.47),
    "layer1.0.conv1": (73.24, 83.28, 91.11, 94.51), "layer1.0.conv2": (76.26, 89.48, 95.04, 97.77),
    "layer1.0.conv3": (74.65, 85.80, 93.67, 97.03), "layer1.0.downsample": (72.96, 83.34, 90.17, 94.89),
    "layer1.1.conv1": (79.58, 89.89, 95.78, 98.90), "layer1.1.conv2": (80.95, 90.60, 96.18, 99.07),
    "layer1.1.conv3": (80.11, 91.70, 95.81, 98.76), "layer1.2.conv1": (79.79, 88.07, 94.74, 98.41),
    "layer1.2.conv2": (81.53, 87.03, 94.26, 98.27), "layer1.2.conv3": (83.28, 90.99, 96.01, 98.60),
    "layer2.0.conv1": (73.96, 85.95, 93.86, 98.22), "layer2.0.conv2": (85.70, 93.91, 97.65, 99.23),
    "layer2.0.conv3": (83.55, 93.13, 97.21, 98.95), "layer2.0.downsample": (87.66, 94.96, 98.15, 99.35),
    "layer2.1.conv1": (85.79, 95.31, 98.21, 99.53), "layer2.1.conv2": (82.75, 91.50, 96.07, 98.24),
    "layer2.1.conv3": (84.71, 93.66, 97.35, 99.21), "layer2.2.conv1": (85.34, 94.61, 98.21, 99.35),
    "layer2.2.conv2": (85.43, 94.86, 98.11, 99.37), "layer2.2.conv3": (84.21, 93.38, 97.59, 99.15),
    "layer2.3.conv1": (84.41, 93.26, 96.99, 99.23), "layer2.3.conv2": (84.03, 93.21, 96.96, 99.06),
    "layer2.3.conv3": (85.65, 94.14, 97.04, 98.97),
    "layer3.0.conv1": (77.98, 88.85, 94.97, 98.04), "layer3.0.conv2": (88.68, 96.14, 98.72, 99.59),
    "layer3.0.conv3": (83.22, 93.19, 97.32, 99.03), "layer3.0.downsample": (90.99, 97.20, 99.20, 99.82),
    "layer3.1.conv1": (87.35, 95.36, 98.87, 99.67), "layer3.1.conv2": (86.24, 95.06, 98.36, 99.48),
    "layer3.1.conv3": (86.79, 94.84, 98.11, 99.36), "layer3.2.conv1": (89.15, 96.77, 98.96, 99.71),
    "layer3.2.conv2": (88.67, 95.59, 98.91, 99.72), "layer3.2.conv3": (86.90, 94.99, 98.42, 99.56),
    "layer3.3.conv1": (89.46, 96.08, 98.77, 99.66), "layer3.3.conv2": (87.97, 96.10, 98.89, 99.73),
    "layer3.3.conv3": (86.81, 94.94, 98.43, 99.57), "layer3.4.conv1": (88.40, 95.49, 98.55, 99.59),
    "layer3.4.conv2": (87.38, 95.66, 98.56, 99.69), "layer3.4.conv3": (85.76, 94.49, 97.99, 99.52),
    "layer3.5.conv1": (85.77, 95.09, 97.92, 99.52), "layer3.5.conv2": (86.67, 94.92, 98.32, 99.58),
    "layer3.5.conv3": (82.23, 93.14, 97.30, 99.25),
    "layer4.0.conv1": (79.61, 90.32, 95.92, 98.60), "layer4.0.conv2": (88.00, 95.66, 98.55, 99.63),
    "layer4.0.conv3": (80.48, 91.14, 96.47, 99.00), "layer4.0.downsample": (89.98, 96.79, 99.11, 99.82),
    "layer4.1.conv1": (84.02, 93.69, 97.76, 99.36), "layer4.1.conv2": (85.23, 93.98, 97.71, 99.34),
    "layer4.1.conv3": (79.96, 90.48, 95.89, 98.85), "layer4.2.conv1": (77.93, 87.57, 94.16, 97.97),
    "layer4.2.conv2": (74.97, 84.37, 92.22, 97.13), "layer4.2.conv3": (70.38, 80.29, 89.65, 96.72),
    "fc": (52.46, 64.50, 75.80, 87.26),
}
STR_MODELS = (("81", 81.27, "76.12"), ("90", 90.23, "74.31"), ("95", 95.15, "70.23"), ("98", 98.05, "61.46"))

# Share of weights left, % (Han et al., "Learning both Weights and Connections for Efficient Neural Networks", 2015, tables 4
# and 5, compared with a copy of the paper's text). They are whole: VGG-16's leave 7.6 %, the paper says 7.5 %.
HAN_ALEXNET = (84, 38, 35, 37, 37, 9, 9, 25)
HAN_VGG = (58, 22, 34, 36, 53, 24, 42, 32, 27, 34, 35, 29, 36, 4, 4, 23)
# Share of zeros at the input of each layer (CNNergy, VGG16_Main.m).
CNNERGY_ALEXNET = (.01, 38.7, 72.5, 79.3, 77.6, 71.1, 83.1, 81.3)  # AlexNet_Main.m
CNNERGY_VGG = (1.8, 48.0, 21.4, 36.3, 35.4, 51.5, 52.3, 58.0, 69.8, 74.5, 81.5, 82.0, 84.5, 87.6, 75.3, 74.1)


def word(name):
    return "s_" + name.replace(".", "_")


class File:
    """Collects the lines of one template."""

    def __init__(self, activations):
        self.lines = []
        self.weights = []  # names of layers with their own sparsity
        self.activations = activations  # extra text of a `drawn:` statistic
        self.seed = 100

    def next_seed(self):
        self.seed += 1
        return f"$(seed + {self.seed})"

    def drawn(self, sparsity="$activation_sparsity"):
        return f"drawn: {{use: correlation, sparsity: {sparsity}, {self.activations}seed: {self.next_seed()}}}"

    def add(self, text):
        self.lines.append(f"  - {{{text}}}")

    def conv(self, name, source, channels, kernel, stride=1, padding=0, output="type: u8", op="conv2d", sparse=True):
        if op == "linear":
            shape = f"out_channels: {channels}"
        else:
            k = f"kernel: [{kernel}, {kernel}], stride: [{stride}, {stride}], padding: [{padding}, {padding}]"
            shape = k if op == "depthwise_conv2d" else f"{k}, out_channels: {channels}"
        if sparse:
            self.weights.append(name)
            weights = f"use: weights, sparsity: ${word(name)}, seed: {self.next_seed()}"
        else:
            weights = f"pattern: dense, seed: {self.next_seed()}"
        self.add(f"name: {name}, op: {op}, input: {source}, {shape}, weights: {{{weights}}}, output: {{{output}}}")

    def text(self, head, parameters):
        own = "".join(f"  {word(name)}: $weight_sparsity\n" for name in self.weights)
        return head[0] + "parameters:\n" + parameters + own + head[1] + "layers:\n" + "\n".join(self.lines) + "\n"


HEAD = """# SPDX-License-Identifier: Apache-2.0
# Made by scripts/workloads/make_networks.py.
#
{comment}
schema: lacuna-workload-1
"""
BODY = """provenance:
  source: statistic
  model: {model}
  weights: drawn; $weight_source
  activations: {activations}
inputs:
  - {{name: image, shape: [$size, $size, 3], type: u8, sparsity: 0, seed: $(seed + 1), samples: $samples}}
"""
PARAMETERS = """  samples: 1                      # with drawn values of their own; give as many as --samples
  seed: 1
  size: {size}                       # height and width of the image, a multiple of 32
  weight_sparsity: {sparsity}
  weight_source: {source}
  weights: {{pattern: unstructured}}
  correlation: {{}}                 # of drawn activations, e.g. {{spatial: 0.3, channel: 0.8}}
"""


def resnet50():
    net = File("source: $activation_source, ")
    net.conv("conv1", "image", 64, 7, 2, 3, "type: u8, " + net.drawn())
    net.add("name: maxpool, op: max_pool, input: conv1, kernel: [3, 3], stride: [2, 2], padding: [1, 1]")
    source = "maxpool"
    for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            stride = 2 if block == 0 and stage > 1 else 1
            net.conv(f"{name}.conv1", source, width, 1, 1, 0, "type: u8, " + net.drawn())
            # Stride in the 3x3 convolution, as torchvision has it ("v1.5").
            net.conv(f"{name}.conv2", f"{name}.conv1", width, 3, stride, 1, "type: u8, " + net.drawn())
            net.conv(f"{name}.conv3", f"{name}.conv2", 4 * width, 1, 1, 0, "type: s8")
            if block == 0:
                net.conv(f"{name}.downsample", source, 4 * width, 1, stride, 0, "type: s8")
                source = f"{name}.downsample"
            net.add(f"name: {name}, op: add, input: {name}.conv3, right: {source}, multiplier: [1, 1], shift: 1, "
                    f"output: {{type: u8, {net.drawn()}}}")
            source = name
    net.add(f"name: pool, op: average_pool, input: {source}, multiplier: 1337, shift: 16, output: {{type: u8}}")
    net.conv("fc", "pool", 1000, 1, op="linear", output="type: s8")
    comment = ("# He et al., \"Deep Residual Learning for Image Recognition\", 2016, 224 x 224, the version of torchvision (stride in the\n"
               "# 3x3 convolutions). Batch norm is folded into the convolutions; ReLU is the range of u8.")
    head = (HEAD.format(comment=comment),
            BODY.format(model="ResNet-50, $size x $size",
                        activations="drawn, $activation_sparsity of zeros; $activation_source"))
    parameters = PARAMETERS.format(size=224, sparsity=0.9, source="the same share in every layer") + (
        "  activation_sparsity: 0.48\n"
        "  activation_source: 1 - mean input density of the ResNet-50 GEMMs of the Sparseloop artifact (.82 .56 .44 .27)\n")
    files = {"templates/resnet-50.yaml": net.text(head, parameters)}
    for column, (short, true, top1) in enumerate(STR_MODELS):
        lines = "".join(f"  {word(layer)}: {STR[layer][column] / 100:.4f}\n" for layer in STR)
        missing = set(net.weights) ^ set(STR)
        assert not missing, missing
        name = "resnet-50" if short == "90" else f"resnet-50-str-{short}"
        files[f"{name}.yaml"] = (
            "# SPDX-License-Identifier: Apache-2.0\n# Made by scripts/workloads/make_networks.py.\n"
            f"# Weight sparsity of every layer: Kusupati et al., \"Soft Threshold Weight Reparameterization\", 2020, model of {true} %\n"
            f"# (top-1 {top1} %); RAIVNLab/STR, budgets/STR_Budgets_ResNet50.csv.\n"
            f"extends: templates/resnet-50.yaml\nname: {name}\nparameters:\n"
            f"  weight_source: STR budgets, {true} % sparse, top-1 {top1} %\n{lines}")
    files["resnet-50-uniform.yaml"] = (
        "# SPDX-License-Identifier: Apache-2.0\n# Made by scripts/workloads/make_networks.py.\n"
        "# The same sparsity in every layer: --param weight_sparsity=S.\n"
        "extends: templates/resnet-50.yaml\nname: resnet-50-uniform\n")
    return files


def vgg16():
    net = File("source: $activation_source, ")
    names, source, index, size = [], "image", 0, 224
    for stage, (width, convs) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for conv in range(1, convs + 1):
            name = f"conv{stage}_{conv}"
            # The input of the next convolution; before a pool the pool's output is what was measured, and pooling keeps
            # fewer zeros than it reads, so the last of a stage takes the figure of the layer that reads the pool.
            net.conv(name, source, width, 3, 1, 1, "type: u8, " + net.drawn(f"{CNNERGY_VGG[index + 1] / 100:.3f}")
                     if conv < convs else "type: u8")
            names.append(name)
            source, index = name, index + 1
        net.add(f"name: maxpool{stage}, op: max_pool, input: {source}, kernel: [2, 2]")
        source, size = f"maxpool{stage}", size // 2
    net.add(f"name: flat, op: flatten, input: {source}")
    source = "flat"
    for name, width in (("fc6", 4096), ("fc7", 4096), ("fc8", 1000)):
        last = name == "fc8"
        extra = "" if last else ", " + net.drawn(f"{CNNERGY_VGG[index + 1] / 100:.3f}")
        net.conv(name, source, width, 1, op="linear", output=("type: s8" if last else "type: u8") + extra)
        names.append(name)
        source, index = name, index + 1
    # Layers that read a pool: their input is drawn where they read it.
    text = []
    for line in net.lines:
        for stage in range(1, 6):
            if f"input: maxpool{stage}," in line and "op: conv2d" in line:
                at = sum((2, 2, 3, 3, 3)[:stage])
                line = line.replace(", weights:", f", activations: {{use: correlation, sparsity: {CNNERGY_VGG[at] / 100:.3f}, "
                                                  f"source: $activation_source, seed: $(seed + {50 + stage})}}, weights:")
        if "name: fc6," in line:
            line = line.replace(", weights:", f", activations: {{use: correlation, sparsity: {CNNERGY_VGG[13] / 100:.3f}, "
                                              "source: $activation_source, seed: $(seed + 60)}, weights:")
        text.append(line)
    net.lines = text
    comment = ("# Simonyan and Zisserman, \"Very Deep Convolutional Networks for Large-Scale Image Recognition\", 2014, configuration D,\n"
               "# 224 x 224. ReLU is the range of u8. Layers that read a pool have their input drawn where they read it (that copy comes\n"
               "# from DRAM), all others where it is made.")
    head = (HEAD.format(comment=comment),
            BODY.format(model="VGG-16, $size x $size", activations="drawn; $activation_source"))
    parameters = PARAMETERS.format(size=224, sparsity=0.9, source="the same share in every layer") + (
        "  activation_source: input sparsity per layer, CNNergy, VGG16_Main.m\n")
    own = "".join(f"  {word(name)}: {1 - kept / 100:.2f}\n" for name, kept in zip(names, HAN_VGG))
    return {
        "templates/vgg-16.yaml": net.text(head, parameters),
        "vgg-16.yaml": (
            "# SPDX-License-Identifier: Apache-2.0\n# Made by scripts/workloads/make_networks.py.\n"
            "# Weight sparsity: Han et al., \"Learning both Weights and Connections for Efficient Neural Networks\", 2015, table 5 (7.5 % left).\n"
            "extends: templates/vgg-16.yaml\nname: vgg-16\nparameters:\n"
            f"  weight_source: Han et al. 2015, table 5 (7.6 % of the weights left)\n{own}"),
    }


def alexnet():
    net = File("source: $activation_source, ")
    inputs = iter(CNNERGY_ALEXNET[1:])

    def where(read):
        """The next layer's input is drawn where it is read, or where it is made."""
        zeros = f"{next(inputs) / 100:.3f}"
        if not read:
            return "type: u8, " + net.drawn(zeros)
        net.seed += 1
        return f"activations: {{use: correlation, sparsity: {zeros}, source: $activation_source, seed: $(seed + {net.seed})}}, "

    def conv(name, source, channels, kernel, stride, padding, groups, output, extra=""):
        net.conv(name, source, channels, kernel, stride, padding, output)
        group = f"groups: {groups}, " if groups > 1 else ""
        net.lines[-1] = net.lines[-1].replace("weights:", group + extra + "weights:", 1)

    def pool(index, source):
        net.add(f"name: maxpool{index}, op: max_pool, input: {source}, kernel: [3, 3], stride: [2, 2]")
        return f"maxpool{index}"

    conv("conv1", "image", 96, 11, 4, 0, 1, "type: u8")
    conv("conv2", pool(1, "conv1"), 256, 5, 1, 2, 2, "type: u8", where(True))
    conv("conv3", pool(2, "conv2"), 384, 3, 1, 1, 1, "", where(True))
    net.lines[-1] = net.lines[-1].replace("output: {}", f"output: {{{where(False)}}}")
    conv("conv4", "conv3", 384, 3, 1, 1, 2, where(False))
    conv("conv5", "conv4", 256, 3, 1, 1, 2, "type: u8")
    net.add(f"name: flat, op: flatten, input: {pool(5, 'conv5')}")
    read = where(True)
    net.conv("fc6", "flat", 4096, 1, op="linear", output=where(False))
    net.lines[-1] = net.lines[-1].replace("weights:", read + "weights:", 1)
    net.conv("fc7", "fc6", 4096, 1, op="linear", output=where(False))
    net.conv("fc8", "fc7", 1000, 1, op="linear", output="type: s8")
    comment = ("# Krizhevsky, Sutskever and Hinton, \"ImageNet Classification with Deep Convolutional Neural Networks\", 2012, in one piece\n"
               "# (Caffe's), two groups in conv2, conv4 and conv5, 227 x 227. ReLU is the range of u8. The two local response\n"
               "# normalizations are not part of it: the chip has no unit for them. Layers that read a pool have their input drawn where\n"
               "# they read it, as in vgg-16.yaml. Weights: the Sparseloop artifact's (Eyeriss setup) differ by at most 0.5 points in\n"
               "# conv2 to conv5 and keep 71 % of conv1.")
    head = (HEAD.format(comment=comment),
            BODY.format(model="AlexNet, 227 x 227", activations="drawn; $activation_source").replace("$size, $size", "227, 227"))
    parameters = PARAMETERS.format(size=227, sparsity=0.9, source="Han et al. 2015, table 4 (11 % of the weights left)") + (
        "  activation_source: input sparsity per layer, CNNergy, AlexNet_Main.m\n")
    parameters = "".join(line for line in parameters.splitlines(True)
                         if not line.startswith(("  size:", "  weight_sparsity:")))
    text = net.text(head, parameters)
    for name, kept in zip(net.weights, HAN_ALEXNET):
        text = text.replace(f"  {word(name)}: $weight_sparsity\n", f"  {word(name)}: {1 - kept / 100:.2f}\n")
    return {"alexnet.yaml": text.replace("schema: lacuna-workload-1\n", "schema: lacuna-workload-1\nname: alexnet\n")}


def mobilenet_v2():
    net = File("")
    relu6 = "type: u8, " + net.drawn()
    net.conv("conv0", "image", 32, 3, 2, 1, relu6, sparse=False)
    source, channels, index = "conv0", 32, 0
    for expand, width, repeats, first_stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                                 (6, 160, 3, 2), (6, 320, 1, 1)):
        for repeat in range(repeats):
            index += 1
            stride = first_stride if repeat == 0 else 1
            name, inner, last = f"block{index}", channels * expand, source
            if expand > 1:
                net.conv(f"{name}.expand", source, inner, 1, 1, 0, "type: u8, " + net.drawn())
                last = f"{name}.expand"
            net.conv(f"{name}.depthwise", last, inner, 3, stride, 1, "type: u8, " + net.drawn(), op="depthwise_conv2d",
                     sparse=False)
            net.conv(f"{name}.project", f"{name}.depthwise", width, 1, 1, 0, "type: s8")
            result = f"{name}.project"
            if stride == 1 and channels == width:
                net.add(f"name: {name}, op: add, input: {result}, right: {source}, multiplier: [1, 1], shift: 1, "
                        "output: {type: s8}")
                result = name
            source, channels = result, width
    net.conv("conv_last", source, 1280, 1, 1, 0, "type: u8, " + net.drawn())
    net.add("name: pool, op: average_pool, input: conv_last, multiplier: 1337, shift: 16, output: {type: u8}")
    net.conv("classifier", "pool", 1000, 1, op="linear", output="type: s8")
    comment = ("# Sandler et al., \"MobileNetV2: Inverted Residuals and Linear Bottlenecks\", 2018, width 1.0, 224 x 224. Batch norm is folded;\n"
               "# ReLU6 is the range of u8. Depthwise convolutions are dense and run on the vector unit.")
    head = (HEAD.format(comment=comment),
            BODY.format(model="MobileNetV2, $size x $size",
                        activations="after ReLU6 drawn, $activation_sparsity of zeros (no published table); bottlenecks computed"))
    parameters = PARAMETERS.format(size=224, sparsity=0.7, source="the same share in every 1x1 convolution (no published table)") + (
        "  activation_sparsity: 0.5\n")
    return {"mobilenet-v2.yaml": net.text(head, parameters).replace(
        "schema: lacuna-workload-1\n", "schema: lacuna-workload-1\nname: mobilenet-v2\n")}


def yolov5s():
    net = File("")

    def conv(name, source, channels, kernel, stride=1, padding=None):
        """Convolution, batch norm (folded), SiLU."""
        padding = kernel // 2 if padding is None else padding
        net.conv(f"{name}.conv", source, channels, kernel, stride, padding, "type: s8")
        net.add(f"name: {name}, op: lookup, function: silu, input: {name}.conv, output: {{type: s8, {net.drawn()}}}")
        return name

    def c3(name, source, channels, repeats, shortcut=True):
        hidden = channels // 2
        last = conv(f"{name}.cv1", source, hidden, 1)
        side = conv(f"{name}.cv2", source, hidden, 1)
        for i in range(repeats):
            inner = conv(f"{name}.m{i}.cv1", last, hidden, 1)
            result = conv(f"{name}.m{i}.cv2", inner, hidden, 3)
            if shortcut:
                net.add(f"name: {name}.m{i}, op: add, input: {result}, right: {last}, multiplier: [1, 1], shift: 1, "
                        f"output: {{type: s8, {net.drawn()}}}")
                result = f"{name}.m{i}"
            last = result
        net.add(f"name: {name}.joined, op: concat, input: {last}, others: [{side}], axis: channels")
        return conv(f"{name}.cv3", f"{name}.joined", channels, 1)

    def joined(name, first, second):
        net.add(f"name: {name}, op: concat, input: {first}, others: [{second}], axis: channels")
        return name

    def upsampled(name, source):
        net.add(f"name: {name}, op: upsample, input: {source}, factor: 2")
        return name

    x = conv("m0", "image", 32, 6, 2, 2)
    x = conv("m1", x, 64, 3, 2)
    x = c3("m2", x, 64, 1)
    x = conv("m3", x, 128, 3, 2)
    p3 = x = c3("m4", x, 128, 2)
    x = conv("m5", x, 256, 3, 2)
    p4 = x = c3("m6", x, 256, 3)
    x = conv("m7", x, 512, 3, 2)
    x = c3("m8", x, 512, 1)
    x = conv("m9.cv1", x, 256, 1)
    pools = [x]
    for i in range(3):
        net.add(f"name: m9.pool{i}, op: max_pool, input: {pools[-1]}, kernel: [5, 5], stride: [1, 1], padding: [2, 2]")
        pools.append(f"m9.pool{i}")
    net.add(f"name: m9.joined, op: concat, input: {pools[0]}, others: [{', '.join(pools[1:])}], axis: channels")
    x = conv("m9.cv2", "m9.joined", 512, 1)
    h10 = conv("m10", x, 256, 1)
    x = c3("m13", joined("m12", upsampled("m11", h10), p4), 256, 1, False)
    h14 = conv("m14", x, 128, 1)
    d3 = c3("m17", joined("m16", upsampled("m15", h14), p3), 128, 1, False)
    d4 = c3("m20", joined("m19", conv("m18", d3, 128, 3, 2), h14), 256, 1, False)
    d5 = c3("m23", joined("m22", conv("m21", d4, 256, 3, 2), h10), 512, 1, False)
    for i, source in enumerate((d3, d4, d5)):
        net.conv(f"detect{i}", source, 255, 1, output="type: s8")
    comment = ("# YOLOv5s v6.x (Ultralytics, models/yolov5s.yaml: depth 0.33, width 0.5), 640 x 640. Batch norm is folded; SiLU by table.\n"
               "# Decoding of boxes and suppression of doubles are not part of it.")
    head = (HEAD.format(comment=comment),
            BODY.format(model="YOLOv5s v6, $size x $size",
                        activations="after SiLU drawn, $activation_sparsity of zeros (a gate; no published table)"))
    parameters = PARAMETERS.format(size=640, sparsity=0.7, source="the same share in every layer (no published table)") + (
        "  activation_sparsity: 0.5\n")
    return {"yolov5s.yaml": net.text(head, parameters).replace(
        "schema: lacuna-workload-1\n", "schema: lacuna-workload-1\nname: yolov5s\n")}


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "configs", "workloads")
    for network in (resnet50, vgg16, alexnet, mobilenet_v2, yolov5s):
        for name, text in network().items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + ".tmp", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(path + ".tmp", path)
            print(os.path.relpath(path, root))


if __name__ == "__main__":
    main()
