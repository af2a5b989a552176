// SPDX-License-Identifier: Apache-2.0
#include "cli/schema_command.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "config/schema.h"
#include "params/chip_params.h"
#include "params/energy_params.h"
#include "params/length_params.h"
#include "params/memory_params.h"
#include "params/workload_params.h"
#include "trace/import_map.h"

namespace lacuna::cli {

namespace {

struct FileKind {
  std::string name;
  std::string title;
  std::string folder;
  config::Json (*schema)(const std::string& title);
  std::vector<config::ReferenceRow> (*rows)();
};

template <class T>
FileKind file_kind(std::string name, std::string title, std::string folder) {
  return {std::move(name), std::move(title), std::move(folder), &config::json_schema<T>,
          &config::reference_rows<T>};
}

std::vector<FileKind> file_kinds() {
  return {
      file_kind<params::ChipParams>("chip", "Lacuna chip", "configs/chips"),
      file_kind<params::MemoryPreset>("memory", "Lacuna memory preset", "configs/memories"),
      file_kind<params::EnergyParams>("energy", "Lacuna energy table", "configs/energy"),
      file_kind<params::WorkloadParams>("workload", "Lacuna workload", "configs/workloads, traces"),
      file_kind<trace::ImportMap>("import", "Lacuna import map", "configs/imports"),
      file_kind<params::LengthParams>("lengths", "Lacuna distribution of lengths",
                                      "configs/lengths"),
  };
}

class SchemaCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "schema"; }
  [[nodiscard]] std::string summary() const override {
    return "print the JSON Schema of a kind of file, or the table of all keys";
  }
  void add_options(CLI::App& app) override {
    app.add_option("KIND", kind_, "chip (default), memory, energy, workload, import or lengths");
    app.add_flag("--markdown", markdown_, "the table of the keys of all kinds, as Markdown");
  }
  int run(std::ostream& out) override {
    if (markdown_) {
      out << parameter_reference();
      return kExitDone;
    }
    std::vector<std::string> known;
    for (const FileKind& kind : file_kinds()) {
      if (kind.name == kind_) {
        out << kind.schema(kind.title).dump(2) << "\n";
        return kExitDone;
      }
      known.push_back(kind.name);
    }
    throw base::UserError(fmt::format("'{}' is not one of {}{}", base::printable(kind_),
                                      base::list_in_words(known, "or"),
                                      base::did_you_mean(kind_, known)));
  }

 private:
  std::string kind_ = "chip";
  bool markdown_ = false;
};

std::string table_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, 1, '\\');
  }
  return text;
}

}  // namespace

std::string parameter_reference() {
  std::string text =
      "# Parameters\n\n"
      "Every key of every file that users write. Made from the parameter structs by\n"
      "`scripts/generate_parameter_reference`; a test checks that it is up to date.\n\n"
      "Any file may start with `extends: path` to take over the keys of another file. Paths are\n"
      "relative to the file in which they are written. On the command line `--set key=value` "
      "replaces\na value, with the dotted keys below.\n";
  for (const FileKind& kind : file_kinds()) {
    text += fmt::format(
        "\n## {} ({})\n\n| key | value | allowed | presence | meaning |\n"
        "|---|---|---|---|---|\n",
        kind.title, kind.folder);
    for (const config::ReferenceRow& row : kind.rows()) {
      text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.key, table_cell(row.kind),
                          table_cell(row.range), row.presence, table_cell(row.doc));
    }
  }
  return text;
}

std::unique_ptr<Command> make_schema_command() { return std::make_unique<SchemaCommand>(); }

}  // namespace lacuna::cli
