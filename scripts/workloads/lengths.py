#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the lengths of a tokenized task and writes what `lacuna lengths --distribution` reads.

    scripts/workloads/lengths.py TOKENS --limit 384 --out task.yaml [--name NAME] [--source TEXT]

TOKENS has a sequence in each line: a JSON list of token numbers, a JSON object whose `input_ids` (or --key) is one, or
token numbers with blanks between. Longer ones count as `limit`, as a tokenizer that truncates leaves them.
"""
import argparse
import json
import os
import sys
import tempfile


class Complaint(Exception):
    """Bad input; the text is the whole message."""


def sequence_length(line, where, key):
    """Tokens of the sequence that a line holds."""
    text = line.strip()
    if text[0] not in "[{":
        tokens = text.split()
        if not all(t.isdigit() for t in tokens):
            raise Complaint(f"{where}: expected token numbers, found {text[:40]!r}")
        return len(tokens)
    try:
        tokens = json.loads(text)
    except json.JSONDecodeError as error:
        raise Complaint(f"{where}:{error.colno}: is not JSON: {error.msg}") from error
    if isinstance(tokens, dict):
        if key not in tokens:
            raise Complaint(f"{where}: has no '{key}'; it has {', '.join(tokens) or 'nothing'}")
        tokens = tokens[key]
    if not isinstance(tokens, list) or not all(type(t) is int and t >= 0 for t in tokens):
        raise Complaint(f"{where}: expected a list of token numbers")
    if not tokens:
        raise Complaint(f"{where}: the sequence is empty")
    return len(tokens)


def count(path, limit, key):
    """{length: sequences}, and how many were longer than the limit."""
    counts, longer = {}, 0
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                length = sequence_length(line, f"{path}:{number}", key)
                longer += length > limit
                counts[min(length, limit)] = counts.get(min(length, limit), 0) + 1
    except OSError as error:
        raise Complaint(f"cannot open '{path}': {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Complaint(f"{path}: is not UTF-8 text") from error
    if not counts:
        raise Complaint(f"{path}: has no sequences")
    return counts, longer


def write(path, text):
    folder = os.path.dirname(os.path.abspath(path))
    try:
        handle, temporary = tempfile.mkstemp(dir=folder)
    except OSError as error:
        raise Complaint(f"cannot write '{path}': {error.strerror}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokens")
    parser.add_argument("--limit", type=int, required=True, help="longest sequence that the network gets")
    parser.add_argument("--out", required=True)
    parser.add_argument("--name", help="of the distribution [name of the file]")
    parser.add_argument("--source", help="who counted what [the file]")
    parser.add_argument("--key", default="input_ids", help="of JSON objects [input_ids]")
    options = parser.parse_args(arguments)
    try:
        if not 1 <= options.limit <= 1 << 20:
            raise Complaint(f"--limit: {options.limit} is not from 1 to {1 << 20}")
        counts, longer = count(options.tokens, options.limit, options.key)
        name = options.name or os.path.splitext(os.path.basename(options.tokens))[0]
        source = options.source or f"counted in {os.path.basename(options.tokens)}; {longer} longer ones count as {options.limit}"
        lines = "".join(f"  {length}: {counts[length]}\n" for length in sorted(counts))
        write(options.out, "schema: lacuna-length-counts-1\n"
              f"name: {json.dumps(name)}\nsource: {json.dumps(source)}\nlimit: {options.limit}\ncounts:\n{lines}")
    except Complaint as error:
        print(f"lengths: {error}", file=sys.stderr)
        return 2
    total = sum(counts.values())
    mean = sum(length * n for length, n in counts.items()) / total
    print(f"{options.out}: {total} sequences of {min(counts)} to {max(counts)} tokens, mean {mean:.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
