// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <map>

namespace lacuna::cli {

void add_set_option(CLI::App& app, std::vector<std::string>& sets) {
  app.add_option("--set", sets, "replace one value of the chip, e.g. --set engine.pes=8")
      ->type_name("KEY=VALUE")
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

}  // namespace lacuna::cli
