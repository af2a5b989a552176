# SPDX-License-Identifier: Apache-2.0
"""Axes of tensors as the import follows them through reshapes."""
import unittest

import support
support.need("numpy")

import axes


class Axes(unittest.TestCase):
    def test_reshape_splits_and_joins(self):
        tokens, channels = axes.axis(6), axes.axis(12)
        heads = axes.reshaped([[], tokens, channels], [1, 6, 3, 4])
        self.assertEqual([axes.size(d) for d in heads], [1, 6, 3, 4])
        self.assertEqual(axes.leaves(channels), axes.leaves(heads[2]) + axes.leaves(heads[3]))
        back = axes.reshaped(heads, [6, 12])
        self.assertEqual(axes.leaves(back[1]), axes.leaves(channels))

    def test_reshape_across_an_axis_is_none(self):
        self.assertIsNone(axes.reshaped([axes.axis(4), axes.axis(6)], [6, 4]))
        self.assertIsNone(axes.reshaped([axes.axis(4)], [5]))

    def test_refine_finds_common_sizes(self):
        one, two = axes.axis(12), axes.axis(3) + axes.axis(4)
        self.assertTrue(axes.refine(one, two))
        self.assertEqual([leaf.size for leaf in axes.leaves(one)], [3, 4])
        self.assertFalse(axes.refine(axes.axis(6), axes.axis(4) + axes.axis(2)))


if __name__ == "__main__":
    support.main()
