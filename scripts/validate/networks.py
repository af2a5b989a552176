#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables over the networks of configs/workloads/: what each kind of skipping buys on every one, throughput over the batch for
BERT-large and Llama-2-7B, decode with weights fetched whole and row by row, ViT against BERT at equal weight sparsity. One
command; a row of the CSV per run.

    scripts/validate/networks.py --out docs/validation/networks.md --csv docs/validation/networks.csv

Runs that the CSV already has (same workload, parameters, chip settings, skipping, batch) are not repeated: an interrupted table
goes on. --tables skip,batch,layout,vit chooses; --only bert-base,resnet-50 limits the networks; --quick takes two blocks of each
transformer and batches up to 4, to see that everything works. Exit status 1 if a run fails.
"""

import argparse
import concurrent.futures
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODES = ("dense", "weights", "activations", "dual")
FIELDS = ("table", "network", "parameters", "settings", "skip", "batch", "cycles", "seconds", "samples_per_s", "energy_j", "macs_dense",
          "macs_effective", "dram_read_bytes", "dram_write_bytes", "wall_s", "peak_mib")

# name, file, parameters, what a sample is
NETWORKS = (
    ("resnet-50", "resnet-50", (), "image"),
    ("vgg-16", "vgg-16", (), "image"),
    ("alexnet", "alexnet", (), "image"),
    ("mobilenet-v2", "mobilenet-v2", (), "image"),
    ("yolov5s", "yolov5s", (), "image"),
    ("vit-b-16", "vit-b-16", (), "image"),
    ("bert-base", "bert-base", ("sequence=384",), "sequence of 384"),
    ("bert-large", "bert-large", ("sequence=384",), "sequence of 384"),
    ("gpt-2 prefill", "gpt-2", ("decode=0", "tokens=128"), "prompt of 128"),
    ("gpt-2 decode", "gpt-2", ("decode=1", "context=512"), "token at 512"),
    ("gpt-j-6b decode", "gpt-j-6b", ("decode=1", "context=512"), "token at 512"),
    ("llama-2-7b prefill", "llama-2-7b", ("decode=0", "tokens=128"), "prompt of 128"),
    ("llama-2-7b decode", "llama-2-7b", ("decode=1", "context=512"), "token at 512"),
    ("llama-3-8b decode", "llama-3-8b", ("decode=1", "context=512"), "token at 512"),
    ("mistral-7b decode", "mistral-7b", ("decode=1", "context=512"), "token at 512"),
)
TRANSFORMERS = ("vit", "bert", "gpt", "llama", "mistral")
BATCHES = (1, 2, 4, 8, 16, 32, 64)
TABLES = ("skip", "batch", "layout", "vit")

HEAD = """\
# Networks

Made by `{command}`; do not edit. Chip `{chip}`, engine model (exact), memory system included, every run from a cold start: weights in
DRAM. Weights and activations are drawn from statistics, published ones where there are some ([networks](../guide/networks.md) says which);
no trained weights, so no accuracies. {note}
"""


def wanted(tables, only, quick):
    jobs = []

    def add(table, network, file, parameters, skip, batch, settings=""):
        if only and file not in only:
            return
        if quick and file.startswith(TRANSFORMERS):
            parameters = (*parameters, "layers=2")
        jobs.append({"table": table, "network": network, "file": file, "parameters": " ".join(parameters), "settings": settings,
                     "skip": skip, "batch": batch})

    if "skip" in tables:
        for network, file, parameters, _ in NETWORKS:
            for mode in MODES:
                add("skip", network, file, parameters, mode, 1)
    if "batch" in tables:
        for network, file, parameters in (("bert-large", "bert-large", ("sequence=384",)),
                                          ("llama-2-7b decode", "llama-2-7b", ("decode=1", "context=512"))):
            for batch in BATCHES if not quick else BATCHES[:3]:
                add("batch", network, file, parameters, "dual", batch)
    if "layout" in tables:
        for network, file, parameters, _ in NETWORKS:
            if "decode" not in network:
                continue
            for batch in (1, 4):
                for layout in ("tile", "row"):
                    add("layout", network, file, parameters, "dual", batch, f"mapper.layout={layout}")
    if "vit" in tables:
        for sparsity in ("0", "0.5", "0.7", "0.9"):
            for network, file, parameters in (("vit-b-16", "vit-b-16", ()), ("bert-base, 197 tokens", "bert-base",
                                                                             ("sequence=197",))):
                add("vit", network, file, (*parameters, f"weight_sparsity={sparsity}"), "dual", 1)
    return jobs


def key_of(row):
    return tuple(str(row[field]) for field in ("table", "network", "parameters", "settings", "skip", "batch"))


def run(lacuna, chip, job):
    command = [lacuna, "run", chip, str(ROOT / "configs" / "workloads" / (job["file"] + ".yaml")), "--format", "json",
               "--skip", job["skip"], "--samples", str(job["batch"]), "--batch", str(job["batch"]), "--threads", "1"]
    for parameter in [f"samples={job['batch']}", *job["parameters"].split()]:
        command += ["--param", parameter]
    for setting in job["settings"].split():
        command += ["--set", setting]
    begin = time.monotonic()
    with tempfile.TemporaryFile() as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as child:
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)  # with what this child used
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        complaint = errors.read().decode(errors="replace")
    wall = time.monotonic() - begin
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {child.returncode}\n{complaint}")
    report = json.loads(out)
    dram = report["bandwidth"]["dram"]
    seconds = report["latency"]["seconds"]
    return {**{field: job[field] for field in ("table", "network", "parameters", "settings", "skip", "batch")},
            "cycles": report["latency"]["cycles"], "seconds": seconds, "samples_per_s": job["batch"] / seconds,
            "energy_j": report["energy"]["total_j"], "macs_dense": report["macs"]["dense"],
            "macs_effective": report["macs"]["effective"], "dram_read_bytes": dram["read_bytes"],
            "dram_write_bytes": dram["write_bytes"], "wall_s": round(wall, 2),
            "peak_mib": usage.ru_maxrss // 1024}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".tmp")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def write_csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".tmp")
    with open(part, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(part, path)


def page(rows, missing, command, chip, quick):
    note = "**Two blocks of each transformer: a trial, not the networks.**" if quick else ""
    if missing:
        names = ", ".join(f"{job['network']} (batch {job['batch']}, {job['skip']} {job['settings']}".rstrip() + ")" for job in missing)
        note += f" Not there, because the simulator refuses them or nobody has run them: {names}."
    lines = [HEAD.format(command=command, chip=chip, note=note)]
    by_key = {key_of(row): row for row in rows}

    table = [row for row in rows if row["table"] == "skip"]
    if table:
        lines += ["## Dense, weight-only, activation-only and dual skipping, batch 1\n",
                  "\"Ideal\" is dense products over those with both operands not zero. Speed-ups and energy are against the same chip that "
                  "skips nothing; what memory carries is compressed in all four.\n",
                  "| network | sample | dense ms | weights | activations | dual | dual ms | ideal | energy dense mJ | dual mJ |",
                  "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
        seen = []
        for row in table:
            if (row["network"], row["parameters"]) in seen:
                continue
            seen.append((row["network"], row["parameters"]))
            modes = [by_key.get(key_of({**row, "skip": mode})) for mode in MODES]
            if None in modes:
                continue
            dense, weights, activations, dual = modes
            speed = [f"{float(dense['cycles']) / float(mode['cycles']):.2f}x" for mode in (weights, activations, dual)]
            ideal = float(dual["macs_dense"]) / max(1.0, float(dual["macs_effective"]))
            sample = next((text for name, _, _, text in NETWORKS if name == row["network"]), "")
            lines.append(f"| {row['network']} | {sample} | {float(dense['seconds']) * 1e3:.3f} | {' | '.join(speed)} | "
                         f"{float(dual['seconds']) * 1e3:.3f} | {ideal:.2f}x | {float(dense['energy_j']) * 1e3:.2f} | "
                         f"{float(dual['energy_j']) * 1e3:.2f} |")
        lines.append("")

    table = [row for row in rows if row["table"] == "batch"]
    if table:
        lines += ["## Throughput over the batch, dual skipping\n",
                  "| network | batch | ms | samples (tokens)/s | mJ per sample | DRAM MB per sample |", "|---|--:|--:|--:|--:|--:|"]
        for row in table:
            batch = int(row["batch"])
            traffic = float(row["dram_read_bytes"]) + float(row["dram_write_bytes"])
            lines.append(f"| {row['network']} | {batch} | {float(row['seconds']) * 1e3:.2f} | {float(row['samples_per_s']):.2f} | "
                         f"{float(row['energy_j']) * 1e3 / batch:.2f} | {traffic / 1e6 / batch:.1f} |")
        lines.append("")

    table = [row for row in rows if row["table"] == "layout" and row["settings"] == "mapper.layout=tile"]
    if table:
        lines += ["## Decode: weights as tiles, or only the rows that activations ask for\n",
                  "Dual skipping in both; `mapper.layout: row` lets zero activations save DRAM traffic, not only products.\n",
                  "| network | batch | tile ms | row ms | tile / row | DRAM MB per token tile | row | mJ per token tile | row |",
                  "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
        for tile in table:
            row = by_key.get(key_of({**tile, "settings": "mapper.layout=row"}))
            if row is None:
                continue
            batch = int(tile["batch"])
            megabytes, energy = ([float(each[field]) * scale / batch for each in (tile, row)]
                                 for field, scale in (("dram_read_bytes", 1e-6), ("energy_j", 1e3)))
            lines.append(f"| {tile['network']} | {batch} | {float(tile['seconds']) * 1e3:.2f} | {float(row['seconds']) * 1e3:.2f} | "
                         f"{float(tile['cycles']) / float(row['cycles']):.2f}x | {megabytes[0]:.1f} | {megabytes[1]:.1f} | "
                         f"{energy[0]:.2f} | {energy[1]:.2f} |")
        lines.append("")

    table = [row for row in rows if row["table"] == "vit"]
    if table:
        lines += ["## ViT-B/16 against BERT-base at equal weight sparsity, dual skipping\n",
                  "The same blocks (12 x 768, 12 heads) on the same number of tokens; ViT has its patches, BERT its words and span head.\n",
                  "| network | parameters | ms | dense products | both not zero | products per cycle, dense |",
                  "|---|---|--:|--:|--:|--:|"]
        for row in table:
            lines.append(f"| {row['network']} | {row['parameters']} | {float(row['seconds']) * 1e3:.3f} | "
                         f"{float(row['macs_dense']) / 1e9:.2f} G | {float(row['macs_effective']) / 1e9:.2f} G | "
                         f"{float(row['macs_dense']) / float(row['cycles']):.0f} |")
        lines.append("")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--lacuna", default=str(ROOT / "build" / "bin" / "lacuna"))
    parser.add_argument("--chip", default=str(ROOT / "configs" / "chips" / "reference.yaml"))
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--only", default="", help="files of configs/workloads without .yaml, comma between")
    parser.add_argument("--out", type=pathlib.Path, help="the page, Markdown")
    parser.add_argument("--csv", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    tables = options.tables.split(",")
    unknown = set(tables) - set(TABLES)
    if unknown:
        parser.error(f"there is no table {', '.join(sorted(unknown))}; known are {', '.join(TABLES)}")

    done = {}
    if options.csv.exists():
        with open(options.csv, encoding="utf-8", newline="") as file:
            done = {key_of(row): row for row in csv.DictReader(file)}
    jobs = wanted(tables, [name for name in options.only.split(",") if name], options.quick)
    todo = [job for job in jobs if key_of(job) not in done]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        futures = {pool.submit(run, options.lacuna, options.chip, job): job for job in todo}
        for future in concurrent.futures.as_completed(futures):
            job = futures[future]
            try:
                row = future.result()
            except RuntimeError as error:
                print(error, file=sys.stderr)
                failed += 1
                continue
            done[key_of(row)] = row
            print(f"{row['table']}: {row['network']} {row['parameters']} {row['settings']} {row['skip']} batch {row['batch']}: {row['cycles']} cycles, "
                  f"{row['wall_s']} s", file=sys.stderr)
            order = {key_of(each): index for index, each in enumerate(jobs)}
            write_csv(options.csv, sorted(done.values(), key=lambda each: order.get(key_of(each), len(order))))
    if options.out:
        rows = [done[key_of(job)] for job in jobs if key_of(job) in done]
        missing = [job for job in jobs if key_of(job) not in done]
        shown = " ".join(["scripts/validate/networks.py", *[word for word in sys.argv[1:]]])
        write(options.out, page(rows, missing, shown, pathlib.Path(options.chip).stem, options.quick))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
