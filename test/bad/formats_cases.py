# SPDX-License-Identifier: Apache-2.0
"""`lacuna formats`."""

from bad_case import Case


def formats(name, message, *options):
    return Case(name, ["formats", *options], message)


CASES = [
    formats("density_2", "--density '2': a density lies from 0 to 1", "--density", "2"),
    formats("density_word", "--density 'low': expected FROM:TO:STEP or numbers with commas between them",
            "--density", "low"),
    formats("density_backwards", "--density '1:0:0.1': a range is FROM:TO:STEP with FROM at most TO and STEP above 0",
            "--density", "1:0:0.1"),
    formats("density_step_0", "--density '0:1:0': a range is FROM:TO:STEP with FROM at most TO and STEP above 0",
            "--density", "0:1:0"),
    formats("density_endless", "--density '0:1:1e-9': more than 1000 densities", "--density", "0:1:1e-9"),
    formats("density_nan", "--density 'nan': a density lies from 0 to 1", "--density", "nan"),
    formats("nm_4_4", "--nm '4:4': expected N:M with N from 1 and M from 2 to 64, N less than M", "--nm", "4:4"),
    formats("nm_word", "--nm '2-4': expected N:M with N from 1 and M from 2 to 64, N less than M", "--nm", "2-4"),
    formats("pattern", "--weights 'density=0.05,pattern=foo,seed=1': pattern 'foo' is not dense, unstructured, magnitude, N:M "
            "(2:4), bank:B (bank:32) or block:KxN (block:4x4)", "--pattern", "foo"),
    formats("weights_missing", "cannot open 'none.smtx': No such file or directory", "--weights", "none.smtx"),
    formats("svg_of_one_tensor", "--svg does not go with --weights: one tensor has one density",
            "--weights", "density=.5", "--svg", "x.svg"),
    formats("svg_of_one_density", "--svg needs at least two densities", "--density", "0.5", "--svg", "x.svg"),
    formats("csv_folder_missing", "cannot write 'none/x.csv': No such file or directory",
            "--density", "0.5", "--csv", "none/x.csv"),
]
