// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong during a run must come out of it as what it was; and the clock must not matter
// where nothing runs on another one.
#include <gtest/gtest.h>

#include <string>

#include "support.h"
#include "timing/engine/pass.h"

namespace lacuna::chip {
namespace {

struct BrokenRtl : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The model, until its `limit`-th pass.
class FailingBackend : public cosim::EngineBackend {
 public:
  FailingBackend(const params::EngineParams& engine, std::int64_t limit)
      : inner_(cosim::make_backend(engine, {})), limit_(limit) {}
  timing::engine::PassResult run(const cosim::PassRequest& request) override {
    if (request.pass_index == limit_) throw BrokenRtl("the RTL hangs");
    EXPECT_LT(request.pass_index, limit_) << "passes go on after a failure";
    return inner_->run(request);
  }
  cosim::VerificationSummary finish() override { return inner_->finish(); }

 private:
  std::unique_ptr<cosim::EngineBackend> inner_;
  std::int64_t limit_;
};

TEST(Failure, ExceptionsOfABackendComeOut) {
  const params::ChipParams chip = tiny_chip();
  FailingBackend backend(chip.engine, 5);
  RunOptions options;
  options.memory = MemoryKind::kIdeal;
  try {
    (void)run_network(chip, params::MemoryPreset{}, gemm(37, 29, 301, 0.6, 0.5), backend, options);
    FAIL() << "the run ended well";
  } catch (const BrokenRtl& error) {
    EXPECT_STREQ(error.what(), "the RTL hangs");
  }
}

TEST(Failure, ExceptionsOfTheProgressCallbackComeOut) {
  RunOptions options;
  options.progress = [](std::int64_t) { throw BrokenRtl("stop"); };
  EXPECT_THROW((void)run_model(tiny_chip(), small_network(2), options), BrokenRtl);
}

TEST(Failure, ALayerThatDoesNotFitIsNamed) {
  params::ChipParams chip = tiny_chip();
  chip.engine.weight_buffer = 8;
  try {
    (void)run_model(chip, small_network(1));
    FAIL() << "weights in 2 bytes per PE";
  } catch (const base::UserError& error) {
    EXPECT_NE(std::string(error.what()).find("layer 'first'"), std::string::npos) << error.what();
  }
}

TEST(Failure, ProgressCountsSamples) {
  std::vector<std::int64_t> seen;
  RunOptions options;
  options.mapping.batch = 2;
  options.progress = [&seen](std::int64_t samples) { seen.push_back(samples); };
  (void)run_model(tiny_chip(), small_network(5), options);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{2, 4, 5}));
}

TEST(ChipClock, CyclesDoNotDependOnItsFrequency) {
  const workload::Graph graph = small_network(2);
  Cycle first = 0;
  for (const double clock : {1e9, 8e8, 1.3e9, 7e7}) {
    params::ChipParams chip = tiny_chip();
    chip.clock_hz = clock;
    const RunResult result = run_model(chip, graph);
    if (first == 0) first = result.cycles;
    EXPECT_EQ(result.cycles, first) << clock << " Hz";
  }
}

}  // namespace
}  // namespace lacuna::chip
