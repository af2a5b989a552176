// SPDX-License-Identifier: Apache-2.0
#include "report/text_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/text.h"
#include "report/format.h"
#include "report/memory_plan.h"
#include "report/source_text.h"

namespace lacuna::report {

namespace {

using base::with_thousands;

constexpr int kBarWidth = 40;

std::string share_of(double part, double whole) { return percent(whole > 0 ? part / whole : 0); }

std::string cycles(double count, double clock_hz) {
  return fmt::format("{} cycles ({})", with_thousands(std::llround(count)),
                     si(count / clock_hz, "s"));
}

std::string line(const std::string& label, const std::string& text) {
  return fmt::format("{:<11} {}\n", label, text);
}

std::string header(const ReportInput& input, const Summary& summary) {
  const chip::RunResult& result = input.result;
  const double clock = result.clock_hz;
  std::string text = line(
      "Chip", fmt::format("{}: {} cores of {} MACs at {}, {} dense peak, skips {}",
                          base::printable(result.chip), result.cores,
                          input.chip.engine.macs_per_cycle(), si(clock, "Hz"),
                          si(2 * clock * static_cast<double>(summary.peak_macs_per_cycle), "OP/s"),
                          input.settings.skip == "dual"    ? "zero weights and activations"
                          : input.settings.skip == "dense" ? "nothing"
                                                           : "zero " + input.settings.skip));
  text += line("Workload",
               fmt::format("{}: {} samples in batches of {}", base::printable(result.workload),
                           result.samples, input.settings.batch));
  text += source_text(input.graph);
  return text;
}

std::string latency(const ReportInput& input, const Summary& summary) {
  const double clock = input.result.clock_hz;
  std::string text = line(
      "Latency", fmt::format("cold {}", cycles(static_cast<double>(summary.cold_cycles), clock)));
  if (summary.warm) {
    const LatencyStats& warm = *summary.warm;
    text += line("", fmt::format("warm mean {}; min {}, p99 {}, max {}, over {} samples",
                                 cycles(warm.mean_cycles, clock), with_thousands(warm.min_cycles),
                                 with_thousands(warm.p99_cycles), with_thousands(warm.max_cycles),
                                 warm.samples));
  }
  text += line("Throughput",
               fmt::format("{:.5g} samples/s; whole run {}",
                           summary.warm ? summary.warm_samples_per_s : summary.samples_per_s,
                           cycles(static_cast<double>(input.result.cycles), clock)));
  return text;
}

std::string checks(const ReportInput& input, const Summary& summary, bool colour) {
  const chip::RunResult& result = input.result;
  const cosim::VerificationSummary& verification = result.verification;
  std::string text;
  if (result.has_labels) {
    std::string accuracy = fmt::format("{} of {} samples right ({})", result.correct,
                                       result.samples, percent(result.accuracy()));
    if (summary.reference_accuracy >= 0) {
      accuracy +=
          fmt::format("; reference {} on its whole test set", percent(summary.reference_accuracy));
    }
    text += line("Accuracy", accuracy);
  }
  if (summary.outputs.tensors > 0) {
    std::string outputs =
        fmt::format("{} values of {} layers against the captured reference: {} differ",
                    with_thousands(summary.outputs.values), summary.outputs.tensors,
                    with_thousands(summary.outputs.mismatches));
    if (summary.outputs.mismatches > 0) outputs = red(outputs, colour);
    text += line("Outputs", outputs);
    for (const chip::LayerResult& layer : result.layers) {
      if (!layer.first_mismatch.empty()) text += line("", layer.first_mismatch);
    }
  }
  std::string engine = fmt::format("{}, {} passes", engine_kind_name(verification.engine),
                                   with_thousands(verification.passes));
  if (verification.engine == cosim::EngineKind::kLockstep ||
      verification.engine == cosim::EngineKind::kShadow) {
    engine +=
        fmt::format("; {} compared with the RTL in every cycle, {} mismatches{}",
                    with_thousands(verification.shadowed), with_thousands(verification.mismatches),
                    verification.gave_up ? ", then given up" : "");
    if (verification.mismatches > 0) engine = red(engine, colour);
  }
  text += line("Engine", engine);
  if (verification.first_mismatch) {
    text += line("", red("first mismatch: " + *verification.first_mismatch, colour));
  }
  return text;
}

std::string totals(const Summary& summary, const chip::RunResult& result) {
  const double dense = static_cast<double>(summary.macs_dense);
  const double effective = static_cast<double>(summary.macs_effective);
  std::string text =
      line("MACs",
           fmt::format("{} dense, {} with both operands non-zero ({}); {:.4g} dense MACs per cycle",
                       si(dense, "MAC"), si(effective, "MAC"), share_of(effective, dense),
                       summary.dense_macs_per_cycle));
  text +=
      line("", fmt::format("utilization {} of all MACs, {} while a pass runs; zero: {} of "
                           "weights, {} of activations as they enter the engine",
                           percent(summary.mac_utilization), percent(summary.engine_utilization),
                           percent(summary.weight_sparsity), percent(summary.activation_sparsity)));
  const double total = summary.energy.total_joules();
  text += line(
      "Energy",
      fmt::format("{}, {} per sample, {} mean power; {} from published numbers", si(total, "J"),
                  si(summary.energy_per_sample_j, "J"), si(summary.power_w, "W"),
                  share_of(summary.energy.basis_joules(params::Basis::kPublished), total)));
  const auto memory = [&](const char* label, const Bandwidth& figures) {
    return line(label,
                fmt::format("{} read, {} written; {} of {} ({})",
                            si(static_cast<double>(figures.read_bytes), "B"),
                            si(static_cast<double>(figures.write_bytes), "B"),
                            si(figures.bytes_per_s, "B/s"), si(figures.peak_bytes_per_s, "B/s"),
                            percent(figures.utilization)));
  };
  text += memory("DRAM", summary.dram);
  text += memory("SRAM", summary.sram);
  text += line("in SRAM", memory_plan_text(result.memory_plan));
  return text;
}

std::string stack(const chip::RunResult& result) {
  Table table({false, true, false});
  const auto total = static_cast<double>(result.stack.total());
  for (int i = 0; i < chip::kStackParts; ++i) {
    const auto part = static_cast<chip::StackPart>(i);
    const double share = total > 0 ? static_cast<double>(result.stack[part]) / total : 0;
    table.row({std::string(stack_part_name(part)), percent(share), bar(share, kBarWidth)});
  }
  return table.text(2);
}

std::string components(const Summary& summary) {
  Table table({false, true, true, false});
  const double total = summary.energy.total_joules();
  for (int i = 0; i < energy::kComponents; ++i) {
    const auto component = static_cast<energy::Component>(i);
    const double joules = summary.energy.component_joules(component);
    if (joules == 0 && component > energy::Component::kStatic) continue;  // few chips have these
    const double share = total > 0 ? joules / total : 0;
    table.row({std::string(component_name(component)), si(joules, "J"), percent(share),
               bar(share, kBarWidth)});
  }
  return table.text(2);
}

std::string layers(const ReportInput& input, const Summary& summary) {
  Table table({false, false, true, true, true, true, true, true, true, true});
  table.row({"layer", "op", "first batch", "busy", "tile m*k*n", "splits", "MACs", "effective",
             "util", "energy"});
  for (std::size_t i = 0; i < input.result.layers.size(); ++i) {
    const chip::LayerResult& layer = input.result.layers[i];
    const std::string name = base::printable(layer.name, 32);
    if (layer.view) {
      table.row({name, layer.op, "view"});
      continue;
    }
    std::vector<std::string> row{name, layer.op, with_thousands(layer.end - layer.begin),
                                 with_thousands(layer.busy_cycles)};
    if (layer.on_engine) {
      row.push_back(fmt::format("{}*{}*{}", layer.tile_m, layer.tile_k, layer.tile_n));
      row.push_back(fmt::format("{}*{}{}*{}", layer.splits_m, layer.splits_k,
                                layer.k_parts > 1 ? fmt::format("/{}", layer.k_parts) : "",
                                layer.splits_n));
      row.push_back(si(static_cast<double>(layer.macs_dense), ""));
      row.push_back(share_of(static_cast<double>(layer.macs_effective),
                             static_cast<double>(layer.macs_dense)));
      row.push_back(percent(summary.layers[i].engine_utilization));
    } else {
      row.insert(row.end(), 5, "-");
    }
    row.push_back(si(summary.layers[i].active_energy_j, "J"));
    table.row(std::move(row));
  }
  return table.text(2);
}

/// Ports of the crossbar; requesters one by one are in JSON and requesters.csv.
std::string ports(const ReportInput& input) {
  const chip::MemoryResult& memory = input.result.memory;
  Table table({false, true, true, true, true, true, true});
  table.row(
      {"port", "read", "write", "joined reads", "waiting", "of this for a bank", "multicast"});
  const auto cycles = static_cast<double>(input.result.cycles);
  for (std::size_t i = 0; i < memory.ports.size(); ++i) {
    const chip::PortResult& port = memory.ports[i];
    std::int64_t waits = 0, conflicts = 0, joined = 0;
    std::string first;
    std::string last;
    for (const chip::RequesterResult& each : memory.requesters) {
      if (each.port != static_cast<int>(i)) continue;
      if (first.empty()) first = each.name;
      last = each.name;
      waits += each.wait_cycles;
      conflicts += each.conflict_cycles;
      joined += each.joined_reads;
    }
    const std::string name =
        first == last ? first : fmt::format("{} to {}", first, last.substr(last.find(' ') + 1));
    table.row({name, share_of(static_cast<double>(port.read_cycles), cycles),
               share_of(static_cast<double>(port.write_cycles), cycles), with_thousands(joined),
               with_thousands(waits), with_thousands(conflicts),
               with_thousands(port.multicast_words)});
  }
  return table.text(2);
}

std::string link(const chip::LinkResult& link, double seconds) {
  if (link.peak_bytes_per_s <= 0 && !link.near_memory) return {};
  const auto rate = [&](std::int64_t bytes) {
    return si(seconds > 0 ? static_cast<double>(bytes) / seconds : 0, "B/s");
  };
  std::string text =
      line("Link", fmt::format("{} read ({}), {} written, of {} each way",
                               si(static_cast<double>(link.read_bytes), "B"), rate(link.read_bytes),
                               si(static_cast<double>(link.write_bytes), "B"),
                               si(link.peak_bytes_per_s, "B/s")));
  if (link.near_memory) {
    text += line("Near memory", fmt::format("{} read beside the banks, {} of it crossed the link",
                                            si(static_cast<double>(link.near_read_bytes), "B"),
                                            si(static_cast<double>(link.near_sent_bytes), "B")));
  }
  return text;
}

std::string situations(const chip::RunResult& result) {
  std::vector<std::string> met;
  std::vector<std::string> never;
  for (const auto& [name, count] : result.met) {
    if (count > 0) {
      met.push_back(fmt::format("{} {}", name, with_thousands(count)));
    } else {
      never.push_back(name);
    }
  }
  std::string text;
  if (!met.empty()) text += line("Met", base::join(met, ", "));
  if (!never.empty()) text += line("Never met", base::join(never, ", "));
  return text;
}

}  // namespace

std::string source_text(const workload::Graph& graph) {
  std::string text;
  for (const SourceLine& part : source_lines(graph)) text += line(part.label, part.text);
  return text;
}

std::string run_text(const ReportInput& input, const Summary& summary, bool colour) {
  std::string text = header(input, summary);
  text += "\n" + latency(input, summary);
  text += checks(input, summary, colour);
  text += totals(summary, input.result);
  text += link(input.result.memory.link, summary.seconds);
  text += "\n" + bold("Where the PE-cycles go", colour) + " (they add up to all)\n";
  text += stack(input.result);
  text += "\n" + bold("Energy", colour) + fmt::format(" (table {})\n", input.energy.table().name);
  text += components(summary);
  text += "\n" + bold("Layers", colour) +
          " (first batch: cycles from first work to last store; busy: core-cycles of all batches; "
          "util: of the MACs while its passes run)\n";
  text += layers(input, summary);
  if (!input.result.memory.ports.empty()) {
    text += "\n" + bold("Crossbar ports", colour) +
            " (share of cycles with a word; waiting: cycles of all requests, from arrival to first "
            "word)\n";
    text += ports(input);
  }
  if (const std::string met = situations(input.result); !met.empty()) text += "\n" + met;
  return text;
}

}  // namespace lacuna::report
