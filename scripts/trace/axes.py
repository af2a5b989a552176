# SPDX-License-Identifier: Apache-2.0
"""How the dimensions of a float tensor lie in a value of the workload.

A value is a matrix [rows, columns] (a feature map has rows = height x width), stored row by row. Frameworks
reshape and transpose; nothing moves here: each dimension of the framework's tensor is a list of Atoms, and
each Atom is one axis of the value. A reshape may split an Atom into two; a transposition changes the order of
dimensions. An operator then looks whether the atoms stand as it needs them. Axes of length 1 have no atoms.
"""
import math


class Atom:
    """An axis of `size`; once split it stands for its parts, in order."""

    def __init__(self, size):
        self.size, self.parts = size, None

    def leaves(self):
        if self.parts:
            return [leaf for part in self.parts for leaf in part.leaves()]
        return [self] if self.size > 1 else []

    def split(self, first):
        """Into `first` and the rest; `first` divides the size. Returns the parts."""
        assert self.parts is None and self.size % first == 0
        self.parts = [Atom(first), Atom(self.size // first)]
        return self.parts


class Repeat(Atom):
    """An axis along which a value is only repeated: no axis of it."""


def is_repeated(dims):
    return any(isinstance(leaf, Repeat) for dim in dims for leaf in leaves(dim))


def leaves(atoms):
    return [leaf for atom in atoms for leaf in atom.leaves()]


def size(atoms):
    return math.prod(atom.size for atom in atoms)


def axis(length):
    """The atoms of an axis."""
    return [Atom(length)] if length > 1 else []


def reshaped(dims, shape):
    """The dimensions after a reshape, or None when it cuts across an axis."""
    rest = [leaf for dim in dims for leaf in leaves(dim)]
    result = []
    for length in shape:
        dim, product = [], 1
        while product < length:
            if not rest:
                return None
            atom = rest.pop(0)
            want = length // product
            if length % product:
                return None
            if atom.size > want:
                if atom.size % want:
                    return None
                atom, remaining = atom.split(want)
                rest.insert(0, remaining)
            elif want % atom.size:
                return None
            dim.append(atom)
            product *= atom.size
        if product != length:
            return None
        result.append(dim)
    return None if rest else result


def refine(one, other):
    """Splits atoms until both lists have the same sizes; False if they cannot."""
    i = 0
    while True:
        a, b = leaves(one), leaves(other)
        if i == len(a) and i == len(b):
            return True
        if i >= len(a) or i >= len(b):
            return False
        if a[i].size != b[i].size:
            large, small = (a[i], b[i]) if a[i].size > b[i].size else (b[i], a[i])
            if large.size % small.size:
                return False
            large.split(small.size)
            continue
        i += 1


def order(dims, storage):
    """Where each atom of the storage stands in the dimensions."""
    places = {leaf: (d, i) for d, dim in enumerate(dims) for i, leaf in enumerate(leaves(dim))}
    return [places.get(leaf) for leaf in leaves(storage)]
