// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <charconv>
#include <map>

#include "base/text.h"

namespace lacuna::cli {

void add_set_option(CLI::App& app, std::vector<std::string>& sets) {
  app.add_option("--set", sets, "replace one value of the chip, e.g. --set engine.pes=8")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_parameter_option(CLI::App& app, std::vector<std::string>& parameters) {
  app.add_option("--param", parameters,
                 "replace one of the workload's parameters, e.g. --param sequence=128")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_format_option(CLI::App& app, Format& format) {
  static const std::map<std::string, Format> names{{"text", Format::kText},
                                                   {"json", Format::kJson}};
  app.add_option("--format", format, "text for people, json for programs")
      ->type_name("text|json")
      ->option_text("text|json [text]")
      ->transform(CLI::Transformer(names).description(""))
      ->check([](const std::string& value) {
        // The transformer has turned known names into numbers.
        return value == "0" || value == "1" ? std::string{}
                                            : "'" + value + "' is not one of text or json";
      });
}

void add_integer(CLI::App& app, const std::string& name, std::int64_t& value, std::int64_t low,
                 std::int64_t high, const std::string& doc) {
  app.add_option(name, value, doc)->type_name("N")->check([low, high](const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec == std::errc{} && read.ptr == end && number >= low && number <= high) {
      return std::string{};
    }
    return fmt::format("'{}' is not a whole number from {} to {}", base::printable(text), low,
                       high);
  });
}

}  // namespace lacuna::cli
