# SPDX-License-Identifier: Apache-2.0
"""Mask makers: counts per unit, largest magnitudes stay, and a last bank that is shorter."""
import unittest

import support
support.need("numpy")
import numpy as np
import prune


class Masks(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(5)
        self.weights = {"a": rng.normal(size=(6, 80)), "b": rng.normal(size=(4, 64)) * 3}

    def test_unstructured_is_global(self):
        masks = prune.masks_of(self.weights, prune.Pattern("unstructured", 0.75))
        kept = np.concatenate([np.abs(self.weights[n])[masks[n]] for n in masks])
        gone = np.concatenate([np.abs(self.weights[n])[~masks[n]] for n in masks])
        self.assertEqual(len(gone), (6 * 80 + 4 * 64) * 3 // 4)
        self.assertGreaterEqual(kept.min(), gone.max())
        self.assertGreater(masks["b"].mean(), masks["a"].mean())

    def test_banks_are_equal_and_the_last_may_be_short(self):
        mask = prune.masks_of(self.weights, prune.Pattern("bank-balanced", 0.75, bank=32))["a"]
        self.assertTrue((prune.units_of(mask, 32) == 8).all())
        self.assertTrue((mask[:, 64:].sum(axis=1) == 4).all())
        part, kept = np.abs(self.weights["a"][0, :32]), mask[0, :32]
        self.assertGreater(part[kept].min(), part[~kept].max())

    def test_n_of_m(self):
        for n, m in ((2, 4), (1, 4), (1, 8)):
            for mask in prune.masks_of(self.weights, prune.Pattern("n:m", 1 - n / m, n=n, m=m)).values():
                self.assertTrue((prune.units_of(mask, m) == n).all())

    def test_equal_magnitudes_keep_exactly_the_count(self):
        mask = prune.masks_of({"w": np.ones((2, 32))}, prune.Pattern("bank-balanced", 0.5, bank=16))["w"]
        self.assertTrue((mask.reshape(2, 2, 16)[:, :, :8]).all() and mask.sum() == 32)

    def test_gradual_steps_end_at_the_pattern(self):
        import make_traces
        for pattern in make_traces.patterns().values():
            steps = make_traces.steps_to(pattern)
            self.assertIs(steps[-1], pattern)
            densities = [np.mean([m.mean() for m in prune.masks_of(self.weights, s).values()]) for s in steps]
            self.assertEqual(densities, sorted(densities, reverse=True))


if __name__ == "__main__":
    support.main()
