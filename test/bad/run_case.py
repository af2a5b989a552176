#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one bad-input case: run_case.py AREA.NAME --lacuna PROGRAM; run_case.py --list names all.

A case passes if the program ends in time with status 2, prints nothing on stdout, exactly the
expected message on stderr, and leaves no new file behind.
"""

import argparse
import importlib
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
# Bad input must not make the program allocate without bound.
MAX_ADDRESS_SPACE = 4 << 30


def load_cases():
    """{"area.name": Case} of all tables."""
    cases = {}
    for path in sorted(HERE.glob("*_cases.py")):
        area = path.stem.removesuffix("_cases")
        for case in importlib.import_module(path.stem).CASES:
            name = f"{area}.{case.name}"
            if not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", name):
                raise SystemExit(f"{path.name}: '{case.name}' is not a name of a case")
            if name in cases:
                raise SystemExit(f"{path.name}: two cases are called '{case.name}'")
            cases[name] = case
    return cases


def files_below(folder):
    """All paths below a folder with their content."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def limit_memory():
    """In the child: address sanitizer reserves terabytes, so it is left alone."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))


def run(case, program, bounded=True):
    """What is wrong with the program's behaviour, a list of sentences."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path, content in case.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                content = content.replace("@ROOT@", str(ROOT)).encode()
            target.write_bytes(content)
        before = files_below(folder)
        command = [str(program)] + [a.replace("@ROOT@", str(ROOT)) for a in case.command]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=case.seconds,
                check=False,
                preexec_fn=limit_memory if bounded else None,
            )
        except subprocess.TimeoutExpired:
            return [f"did not end within {case.seconds} s"]
        after = files_below(folder)

    problems = []
    if done.returncode != 2:
        problems.append(f"ended with status {done.returncode} instead of 2")
    if done.stdout:
        problems.append(f"wrote to stdout: {done.stdout[:200]!r}")
    wanted = "".join(f"lacuna: {line}\n" for line in case.message.strip("\n").split("\n"))
    found = done.stderr.decode(errors="replace").replace(str(ROOT), "@ROOT@")
    if found != wanted:
        problems.append(f"expected the message\n{wanted}but found\n{found}")
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            problems.append(f"left behind or changed the file {path}")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", nargs="?")
    parser.add_argument("--lacuna", type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--all", action="store_true", help="run every case, for people")
    parser.add_argument("--table", action="store_true", help="all cases with their messages, Markdown")
    arguments = parser.parse_args()
    cases = load_cases()
    if arguments.table:
        print("| case | message |\n|---|---|")
        for name, case in cases.items():
            message = case.message.replace("@ROOT@/", "").replace("|", "\\|").replace("\n", "<br>")
            print(f"| `{name}` | {message} |")
        return 0
    if arguments.list:
        print("\n".join(cases))
        return 0
    if arguments.lacuna is None or (arguments.case not in cases and not arguments.all):
        parser.error("give the name of a case (or --all) and --lacuna PROGRAM")
    program = arguments.lacuna.resolve()
    # A program with address sanitizer cannot live in a bounded address space.
    bounded = b"__asan_init" not in program.read_bytes()
    failed = 0
    for name in cases if arguments.all else [arguments.case]:
        problems = run(cases[name], program, bounded)
        if problems:
            failed += 1
            print(f"{name}: " + "\n".join(problems))
    if arguments.all:
        print(f"{len(cases)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
