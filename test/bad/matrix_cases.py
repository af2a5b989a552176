# SPDX-License-Identifier: Apache-2.0
"""Mask files (.smtx), MatrixMarket files and the SRC words of `lacuna gemm`."""

from bad_case import Case

CHIP = "@ROOT@/configs/chips/tiny.yaml"
MTX = "%%MatrixMarket matrix "


def gemm(name, message, weights="density=.5", acts="density=.5", options=(), files=None):
    return Case(name, ["gemm", CHIP, "--weights", weights, "--acts", acts, *options], message, files or {})


def smtx(name, content, message):
    return gemm(f"smtx_{name}", message, weights="w.smtx", options=["--m", "4"], files={"w.smtx": content})


def mtx(name, content, message):
    return gemm(f"mtx_{name}", message, weights="w.mtx", options=["--m", "4"], files={"w.mtx": content})


CASES = [
    # .smtx
    gemm("smtx_missing_file", "cannot open 'none.smtx': No such file or directory", weights="none.smtx"),
    smtx("empty", "", "w.smtx:1:1: the file ends where the number of rows is expected"),
    smtx("words", "rows, cols, nnz\n", "w.smtx:1:1: 'rows' is not an integer; the number of rows is expected"),
    smtx("no_rows", "0, 4, 0\n0\n\n", "w.smtx:1:1: the number of rows is 0, outside 1..2147483647"),
    smtx("negative_columns", "2, -4, 0\n0 0 0\n\n",
         "w.smtx:1:4: the number of columns is -4, outside 1..2147483647"),
    smtx("huge_claim", "2, 4, 1000000000000\n0 1 2\n0 1\n",
         "w.smtx:1:7: the header claims 2 rows and 1000000000000 non-zeros, but the file is too short for "
         "that: truncated?"),
    smtx("huge_rows", "2000000000, 4, 1\n0 1\n0\n",
         "w.smtx:1:16: the header claims 2000000000 rows and 1 non-zeros, but the file is too short for "
         "that: truncated?"),
    smtx("number_too_long", "2, 4, 99999999999999999999999\n0 1 2\n0 1\n",
         "w.smtx:1:7: the number of non-zeros is 99999999999999999999999, outside 0..9223372036854775807"),
    smtx("offsets_fall", "2, 4, 3\n0 3 2\n0 1 2\n", "w.smtx:2:5: row offset 2 is less than the one before, 3"),
    smtx("offsets_do_not_begin_at_0", "2, 4, 3\n1 2 3\n0 1 2\n", "w.smtx:2:1: the first row offset must be 0"),
    smtx("offset_past_the_end", "2, 4, 3\n0 2 4\n0 1 2\n", "w.smtx:2:5: a row offset is 4, outside 0..3"),
    smtx("last_offset_is_not_the_count", "2, 4, 3\n0 1 2\n0 1 2\n",
         "w.smtx:2:5: the last row offset is 2, not the number of non-zeros, 3"),
    smtx("row_too_full", "2, 2, 3\n0 3 3\n0 1 1\n",
         "w.smtx:2:3: row 0 has 3 non-zeros, more than the 2 columns"),
    smtx("column_outside", "1, 4, 2\n0 2\n1 4\n", "w.smtx:3:3: a column index is 4, outside 0..3"),
    smtx("column_twice", "1, 4, 2\n0 2\n1 1\n", "w.smtx:3:3: column 1 appears twice in row 0"),
    smtx("cut_off", "1, 4, 3\n0 3\n1 2\n", "w.smtx:4:1: the file ends where a column index is expected"),
    smtx("too_long", "1, 4, 1\n0 1\n1\n2 3\n",
         "w.smtx:4:1: there is more in the file than the header says"),
    smtx("binary", b"\x00\x01\x02\x03",
         "w.smtx:1:1: '\\x00\\x01\\x02\\x03' is not an integer; the number of rows is expected"),
    smtx("dense_form_too_large", "2, 2000000000, 0\n0 0 0\n\n",
         "w.smtx: a dense matrix of 2 x 2000000000 is more than the 1073741824 elements that are supported"),
    smtx("k_too_large", "1, 70000, 0\n0 0\n\n",
         "k is 70000; sums of more than 65536 products are not supported"),
    # MatrixMarket
    mtx("no_banner", "2 2 1\n1 1 5\n",
        "w.mtx:1:1: not a MatrixMarket file: the first line must begin with %%MatrixMarket"),
    mtx("short_banner", "%%MatrixMarket matrix coordinate\n1 1 0\n",
        "w.mtx:1:1: the first line must be '%%MatrixMarket matrix FORMAT VALUES SYMMETRY'"),
    mtx("unknown_format", MTX + "csr real general\n1 1 0\n", "w.mtx:1:1: format 'csr' is not coordinate or array"),
    mtx("complex_values", MTX + "coordinate complex general\n1 1 0\n",
        "w.mtx:1:1: values 'complex' are not supported (supported: pattern, integer, real)"),
    mtx("hermitian", MTX + "coordinate real hermitian\n1 1 0\n",
        "w.mtx:1:1: symmetry 'hermitian' is not supported (supported: general, symmetric, skew-symmetric)"),
    mtx("array_of_pattern", MTX + "array pattern general\n1 1\n",
        "w.mtx:1:1: an array of pattern values does not exist; use coordinate"),
    mtx("huge_claim", MTX + "coordinate pattern general\n2 2 1000000000000\n1 1\n",
        "w.mtx:2:5: the header claims 1000000000000 entries, but the file is too short for that: truncated?"),
    mtx("huge_array", MTX + "array real general\n1000000 1000000\n1.0\n",
        "w.mtx:2:9: an array of 1000000 x 1000000 needs 1000000000000 values, but the file is too short for "
        "that: truncated?"),
    mtx("index_outside", MTX + "coordinate pattern general\n2 2 1\n3 1\n",
        "w.mtx:3:1: a row index is 3, outside 1..2"),
    mtx("index_from_0", MTX + "coordinate pattern general\n2 2 1\n1 0\n",
        "w.mtx:3:3: a column index is 0, outside 1..2"),
    mtx("value_not_int8", MTX + "coordinate integer general\n2 2 1\n1 1 300\n",
        "w.mtx:3:5: an integer value (an int8 code) is 300, outside -128..127"),
    mtx("value_missing", MTX + "coordinate real general\n2 2 1\n1 1\n",
        "w.mtx:4:1: the file ends where a value is expected"),
    mtx("not_a_number", MTX + "coordinate real general\n1 1 1\n1 1 nan\n", "w.mtx:3:5: a value is not a number (nan)"),
    mtx("entry_twice", MTX + "coordinate pattern general\n2 2 2\n1 1\n1 1\n", "w.mtx: entry (1, 1) appears twice"),
    mtx("symmetric_not_square", MTX + "coordinate pattern symmetric\n2 3 0\n",
        "w.mtx:2:3: a symmetric matrix must be square, not 2 x 3"),
    mtx("upper_triangle", MTX + "coordinate pattern symmetric\n2 2 1\n1 2\n",
        "w.mtx:3:3: entry (1, 2) lies above the diagonal, but the matrix is symmetric: only the lower "
        "triangle is stored"),
    mtx("too_long", MTX + "coordinate pattern general\n2 2 1\n1 1\n2 2\n",
        "w.mtx:4:1: there is more in the file than the header says"),
    # SRC
    gemm("source_empty", "--weights '': a file or a statistic is needed", weights=""),
    gemm("source_unknown_file", "--weights 'w.npy': neither a file (.smtx, .mtx, .safetensors:NAME) nor a "
         "statistic (density=.3,pattern=2:4,seed=1)", weights="w.npy"),
    gemm("source_without_tensor", "--weights 'w.safetensors': a tensor must be named: FILE.safetensors:NAME",
         weights="w.safetensors"),
    gemm("source_unknown_key", "--acts 'densty=.3': unknown key 'densty' (did you mean 'density'?) (known: "
         "density, pattern, seed, row_spread, column_spread, spatial, channel)", acts="densty=.3"),
    gemm("source_correlated_weights", "--weights 'density=.3,spatial=.2': spatial and channel go with --acts and no other "
         "pattern", weights="density=.3,spatial=.2"),
    gemm("source_correlated_banks", "--acts 'density=.3,pattern=bank:32,channel=.2': spatial and channel go with --acts and "
         "no other pattern", acts="density=.3,pattern=bank:32,channel=.2"),
    gemm("source_spread_without_magnitude", "--weights 'density=.3,row_spread=.2': row_spread and column_spread go with "
         "pattern=magnitude", weights="density=.3,row_spread=.2"),
    gemm("source_spatial_too_large", "--acts 'density=.3,spatial=1': spatial '1' is not a number between 0 and 0.99",
         acts="density=.3,spatial=1"),
    gemm("source_channel_twice", "--acts 'density=.3,channel=1,channel=1': 'channel' is given twice",
         acts="density=.3,channel=1,channel=1"),
    gemm("source_no_value", "--acts 'density': neither a file (.smtx, .mtx, .safetensors:NAME) nor a "
         "statistic (density=.3,pattern=2:4,seed=1)", acts="density"),
    gemm("source_density_too_large", "--acts 'density=1.01': density '1.01' is not a number between 0 and 1",
         acts="density=1.01"),
    gemm("source_density_nan", "--acts 'density=nan': density 'nan' is not a number between 0 and 1",
         acts="density=nan"),
    gemm("source_seed_negative", "--acts 'density=.3,seed=-1': seed '-1' is not a non-negative integer",
         acts="density=.3,seed=-1"),
    gemm("source_key_twice", "--acts 'density=.3,density=.3': 'density' is given twice",
         acts="density=.3,density=.3"),
    gemm("source_unknown_pattern", "--weights 'density=.3,pattern=ring': pattern 'ring' is not dense, "
         "unstructured, magnitude, N:M (2:4), bank:B (bank:32) or block:KxN (block:4x4)", weights="density=.3,pattern=ring"),
    gemm("source_n_larger_than_m", "--weights 'pattern=5:4': pattern '5:4' keeps more than there are",
         weights="pattern=5:4"),
    gemm("source_density_against_pattern", "--weights 'density=.3,pattern=2:4': pattern 2:4 is a density of "
         "0.5, not 0.3", weights="density=.3,pattern=2:4"),
    gemm("dimension_unknown", "--k is needed: no operand's file says how large k is", options=["--m", "4"]),
    gemm("dimension_zero", "--m: '0' is not a whole number from 1 to 2147483648; see 'lacuna gemm --help'",
         options=["--m", "0", "--n", "4", "--k", "4"]),
    gemm("dimension_huge", "the activations: a dense matrix of 1000000000 x 65536 is more than the 1073741824 "
         "elements that are supported", options=["--m", "1000000000", "--n", "4", "--k", "65536"]),
    gemm("dimensions_differ", "k is 4 by the weights, but 3 by the activations", weights="w.smtx",
         acts="a.smtx", files={"w.smtx": "1, 4, 0\n0 0\n\n", "a.smtx": "1, 3, 0\n0 0\n\n"}),
    gemm("dimension_against_option", "n is 1 by the weights, but 2 by the option", weights="w.smtx",
         options=["--n", "2", "--m", "1"], files={"w.smtx": "1, 4, 0\n0 0\n\n"}),
]
