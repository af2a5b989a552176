# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's bundled digits (1797 images of 8x8 pixels, values 0..16) in one fixed split."""
import numpy as np

TEST_IMAGES = 450
SPLIT_SEED = 20
INPUT_SCALE = 1.0 / 16.0     # real value of pixel code 1: the networks see 0..1
DESCRIPTION = "scikit-learn digits (1797 images 8x8), test split of 450"


class Digits:
    """`train` and `test` are u8 [images, 8, 8]; labels int64."""

    def __init__(self):
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
        digits = load_digits()
        images = digits.images.astype(np.uint8)
        assert images.shape == (1797, 8, 8) and images.max() == 16
        self.train, self.test, self.train_labels, self.test_labels = train_test_split(
            images, digits.target.astype(np.int64), test_size=TEST_IMAGES, random_state=SPLIT_SEED,
            stratify=digits.target)


def perturbed(images, generator):
    """The images as training sees them: moved by one pixel in y and in x with probability 0.2 each, and
    inked pixels changed by up to 2 codes (numpy Generator)."""
    count = images.shape[0]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.int64)
    dy, dx = 1 + generator.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=(2, count))
    rows, columns = dy[:, None] + np.arange(8), dx[:, None] + np.arange(8)
    moved = padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    noise = generator.integers(-2, 3, size=moved.shape) * (moved > 0)
    return np.clip(moved + noise, 0, 16).astype(np.uint8)


def as_map(images):
    """[n, 8, 8, 1]: feature map, channel last."""
    return images[:, :, :, None]


def as_patches(images):
    """[n, 16, 4]: 4x4 tokens, each a 2x2 patch in order (row, column) - a view that the host makes."""
    n = images.shape[0]
    return images.reshape(n, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(n, 16, 4)
