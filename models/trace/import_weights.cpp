// SPDX-License-Identifier: Apache-2.0
#include "trace/import_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "config/workload_files.h"
#include "trace/import_map.h"
#include "trace/trace_writer.h"
#include "trace/weight_codes.h"
#include "trace/weight_source.h"
#include "workload/graph_builder.h"
#include "workload/operand_loader.h"

namespace lacuna::trace {

namespace {

using base::UserError;

/// One layer that gets foreign weights.
struct Job {
  std::size_t layer = 0;
  FoundEntry found;
  WeightShape shape;
  std::uint64_t seed = 0;
};

class Importer {
 public:
  explicit Importer(const ImportOptions& options)
      : options_(options),
        loaded_(config::load_workload(options.workload, options.parameters)),
        graph_(workload::build_graph(
            loaded_.value,
            [this](const std::string& key) { return loaded_.provenance.locate(key); })),
        params_(loaded_.value),
        source_(open_weight_source(options.weights)),
        names_(source_->names()) {
    if (!options.map.empty()) map_ = config::load<ImportMap>(options.map);
  }

  ImportReport run() {
    check_output_folder(options_.out, options_.workload);
    report_.name = params_.name;
    find_jobs();
    const std::set<std::string> replaced = replaced_tensors();
    std::set<std::string> without = drop_expected(params_);
    without.insert(replaced.begin(), replaced.end());
    tensors_ = copied_tensors(graph_, params_, without);
    for (const tensor::TensorToWrite& tensor : tensors_) taken_.insert(tensor.name);
    for (const Job& job : jobs_) add(job);
    set_provenance();
    write_trace(options_.out, params_, std::move(tensors_));
    return std::move(report_);
  }

 private:
  /// Where a complaint about a layer's foreign tensor belongs.
  [[nodiscard]] base::SourceLocation place(const Job& job) const {
    if (map_) return map_->provenance.locate("layers." + job.found.key);
    return loaded_.provenance.locate(fmt::format("layers[{}]", job.layer));
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::binary_search(names_.begin(), names_.end(), name);
  }

  [[nodiscard]] std::optional<FoundEntry> entry_for(const std::string& layer) const {
    if (map_) return find_entry(map_->value, layer);
    for (const std::string& name : {layer, layer + ".weight"}) {
      if (!has(name)) continue;
      FoundEntry found;
      found.entry.name = name;
      return found;
    }
    return std::nullopt;
  }

  void find_jobs() {
    std::set<std::string> used;
    for (const workload::Layer& layer : graph_.layers) {
      const auto index = static_cast<std::size_t>(layer.index);
      if (!params_.layers[index].weights) continue;
      std::optional<FoundEntry> found = entry_for(layer.name);
      if (!found) {
        report_.kept.push_back(layer.name);
        continue;
      }
      Job job{index, std::move(*found), {}, base::hash_combine(options_.seed, index)};
      if (!has(job.found.entry.name)) {
        throw UserError(place(job),
                        fmt::format("'{}' has no weights '{}' for layer '{}'{}", options_.weights,
                                    base::printable(job.found.entry.name), layer.name,
                                    base::did_you_mean(job.found.entry.name, names_)));
      }
      used.insert(job.found.entry.name);
      const std::vector<std::int64_t> shape = weight_tensor_shape(layer);
      job.shape = {shape[0], layer.window.kernel_y, layer.window.kernel_x,
                   shape.size() == 3 ? 1 : shape.back()};
      jobs_.push_back(std::move(job));
    }
    if (!report_.kept.empty() && !options_.partial) {
      constexpr std::size_t kNamed = 5;
      std::vector<std::string> first(
          report_.kept.begin(), report_.kept.begin() + static_cast<std::ptrdiff_t>(
                                                           std::min(kNamed, report_.kept.size())));
      throw UserError(fmt::format(
          "'{}' has no weights for {} of {} layers: {}{}; {}, or let them keep theirs with "
          "--partial",
          options_.weights, report_.kept.size(), report_.kept.size() + jobs_.size(),
          base::join(first, ", "), report_.kept.size() > kNamed ? ", ..." : "",
          map_ ? "add them to the map" : "say which is which with --map"));
    }
    if (jobs_.empty()) {
      throw UserError(fmt::format("'{}' has weights for no layer of '{}'", options_.weights,
                                  options_.workload));
    }
    for (const std::string& name : names_) {
      if (!used.contains(name)) report_.unused.push_back(name);
    }
  }

  /// Tensors of the workload that new ones take the place of.
  [[nodiscard]] std::set<std::string> replaced_tensors() const {
    std::set<std::string> replaced;
    for (const Job& job : jobs_) {
      const params::LayerParams& layer = params_.layers[job.layer];
      if (!layer.weights->tensor.empty()) replaced.insert(layer.weights->tensor);
      if (!layer.requantize) continue;
      for (const std::string& name :
           {layer.requantize->bias, layer.requantize->multiplier, layer.requantize->shift}) {
        replaced.insert(name);
      }
    }
    return replaced;
  }

  [[nodiscard]] WeightCodes codes_of(const Job& job) {
    try {
      return weight_codes(source_->read(job.found.entry.name, job.seed), job.found.entry,
                          map_ ? map_->value : ImportMap{}, job.shape);
    } catch (const UserError& error) {
      // A damaged matrix file has a place of its own.
      if (!error.where().file.empty()) throw;
      throw UserError(place(job),
                      fmt::format("layer '{}': {}", params_.layers[job.layer].name, error.what()));
    }
  }

  std::string unique(std::string name) {
    while (!taken_.insert(name).second) name += ".imported";
    return name;
  }

  void add(const Job& job) {
    base::throw_if_interrupted();
    params::LayerParams& layer = params_.layers[job.layer];
    const workload::Layer& built = graph_.layers[job.layer];
    const WeightCodes weights = codes_of(job);
    report_.layers.push_back({layer.name, job.found.entry.name, job.shape.n, job.shape.k(),
                              weights.zeros, weights.lost});

    const workload::Requantize chosen =
        workload::choose_requantize(1, weights.sum_squares / job.shape.n,
                                    workload::assumed_square(graph_.input_of(built)), built.range);

    params::WeightParams named;
    named.tensor = unique(layer.name + ".weight");
    tensors_.push_back({named.tensor, tensor::DType::kI8, weight_tensor_shape(built),
                        [this, job](const tensor::ByteSink& sink) {
                          base::throw_if_interrupted();
                          const WeightCodes again = codes_of(job);
                          sink(std::as_bytes(std::span<const std::int8_t>(again.codes)));
                        }});
    layer.weights = named;
    if (layer.op == params::Op::kEmbedding) return;  // its codes are the output
    params::RequantizeParams scale{unique(layer.name + ".bias"), unique(layer.name + ".multiplier"),
                                   unique(layer.name + ".shift")};
    tensors_.push_back(tensor::tensor_of(scale.bias, {1}, chosen.bias));
    tensors_.push_back(tensor::tensor_of(scale.multiplier, {1}, chosen.multiplier));
    tensors_.push_back(tensor::tensor_of(scale.shift, {1}, chosen.shift));
    layer.requantize = scale;
  }

  void set_provenance() {
    std::int64_t zeros = 0;
    std::int64_t all = 0;
    for (const ImportedLayer& layer : report_.layers) {
      zeros += layer.zeros;
      all += layer.n * layer.k;
    }
    const std::string model = params_.provenance["model"];
    params_.provenance.clear();
    if (map_) params_.provenance = map_->value.provenance;
    params_.provenance.try_emplace("model", model);
    params_.provenance["weights"] =
        std::filesystem::path(options_.weights).lexically_normal().filename().string();
    params_.provenance["weight_sparsity"] =
        fmt::format("{:.6f}", static_cast<double>(zeros) / static_cast<double>(all));
    params_.provenance["seed"] = fmt::format("{}", options_.seed);
    params_.provenance["script"] = "lacuna trace import";
    complete_provenance(params_);
  }

  const ImportOptions& options_;
  config::Loaded<params::WorkloadParams> loaded_;
  workload::Graph graph_;
  params::WorkloadParams params_;
  std::unique_ptr<WeightSource> source_;
  std::vector<std::string> names_;
  std::optional<config::Loaded<ImportMap>> map_;
  std::vector<Job> jobs_;
  std::vector<tensor::TensorToWrite> tensors_;
  std::set<std::string> taken_;
  ImportReport report_;
};

}  // namespace

ImportReport import_weights(const ImportOptions& options) { return Importer(options).run(); }

}  // namespace lacuna::trace
