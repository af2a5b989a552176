# SPDX-License-Identifier: Apache-2.0
"""scripts/validate/activation_correlation.py and transformer_masks.py: what they measure of masks whose truth is known."""
import os
import pathlib
import sys
import tempfile
import unittest

import support
support.need("numpy", "yaml")
import numpy as np

sys.path.insert(0, os.path.join(support.ROOT, "scripts", "validate"))
import activation_correlation
import transformer_masks


class Correlation(unittest.TestCase):
    def masks(self, spatial, channel, zeros=0.5):
        """As docs/reference/workload.md defines spatial and channel, but F differs at every position."""
        rng = np.random.default_rng(4)
        samples, positions, channels = 20, 200, 64
        field, own = rng.standard_normal((samples, positions, 1)), rng.standard_normal((samples, positions, channels))
        middle = activation_correlation.NORMAL.inv_cdf(zeros) * (1 + channel ** 2) ** 0.5
        threshold = middle + channel * rng.standard_normal(channels)
        return spatial ** 0.5 * field + (1 - spatial) ** 0.5 * own > threshold

    def test_finds_what_was_put_in(self):
        for spatial, channel in ((0, 0), (0.3, 0), (0, 0.8), (0.2, 0.5)):
            zeros, c, s, near = activation_correlation.correlation_of(self.masks(spatial, channel))
            self.assertAlmostEqual(zeros, 0.5, delta=0.1)            # thresholds of 64 channels
            self.assertAlmostEqual(c, channel, delta=0.15 * channel + 0.02)
            self.assertAlmostEqual(s, spatial, delta=0.15 * spatial + 0.01)
            if spatial:
                self.assertAlmostEqual(near, 0, delta=0.1)

    def test_neighbours(self):
        masks = self.masks(0.3, 0)
        twice = np.repeat(masks[:, :100], 2, axis=1)         # every second neighbour is the same
        self.assertGreater(activation_correlation.correlation_of(twice)[3], 0.4)

    def test_too_little_to_say(self):
        self.assertIsNone(activation_correlation.correlation_of(np.ones((4, 100, 64), bool)))
        self.assertIsNone(activation_correlation.correlation_of(self.masks(0, 0)[:, :2]))


class Dispersion(unittest.TestCase):
    def spread(self, mask):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "m.smtx"
            offsets = np.concatenate([[0], mask.sum(axis=1).cumsum()])
            path.write_text(f"{mask.shape[0]}, {mask.shape[1]}, {mask.sum()}\n{' '.join(map(str, offsets))}\n"
                            f"{' '.join(map(str, np.nonzero(mask)[1]))}\n", encoding="ascii")
            return transformer_masks.dispersion(path)

    def test_independent_draws_have_one(self):
        mask = np.random.default_rng(5).random((400, 640)) < 0.1
        density, bank, row, column, most = self.spread(mask)
        self.assertAlmostEqual(density, mask.mean())
        for value in (bank, row, column):
            self.assertAlmostEqual(value, 1, delta=0.1)
        self.assertEqual(most, mask.reshape(400, 20, 32).sum(axis=2).max())

    def test_equal_banks_have_none_and_rows_that_differ_more(self):
        equal = np.zeros((64, 320), bool)
        equal[:, ::32] = True
        self.assertEqual(self.spread(equal)[1:4][:2], (0, 0))
        uneven = np.random.default_rng(6).random((400, 640)) < np.linspace(0.02, 0.18, 400)[:, None]
        _, bank, row, column, _ = self.spread(uneven)
        self.assertGreater(row, 3)
        self.assertGreater(bank, 1.1)
        self.assertAlmostEqual(column, 1, delta=0.1)


if __name__ == "__main__":
    support.main()
