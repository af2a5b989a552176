// SPDX-License-Identifier: Apache-2.0
#include "cli/describe_command.h"

#include "cli/chip_description.h"
#include "config/chip_files.h"

namespace lacuna::cli {

namespace {

class DescribeCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "describe"; }
  [[nodiscard]] std::string summary() const override {
    return "show a chip: every value, where it comes from, and what follows";
  }
  void add_options(CLI::App& app) override {
    app.add_option("CHIP", chip_, "chip file, e.g. configs/chips/reference.yaml")->required();
    add_set_option(app, sets_);
    add_format_option(app, format_);
  }
  int run(std::ostream& out) override {
    const config::ChipFiles files = config::load_chip(chip_, {.sets = sets_});
    out << (format_ == Format::kJson ? describe_as_json(files) : describe_as_text(files));
    return kExitDone;
  }

 private:
  std::string chip_;
  std::vector<std::string> sets_;
  Format format_ = Format::kText;
};

}  // namespace

std::unique_ptr<Command> make_describe_command() { return std::make_unique<DescribeCommand>(); }

}  // namespace lacuna::cli
