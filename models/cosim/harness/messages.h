// SPDX-License-Identifier: Apache-2.0
//
// Where the Verilator runtime's output goes: nowhere but here. rtl/build_plugin compiles everything
// with this header in front and VL_PRINTF and VL_USER_STOP_MAYBE set, so that a failing assertion
// neither prints nor ends the process. A thread runs one engine at a time, so what it collected
// since the last look belongs to that engine.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

/// The runtime calls this when an assertion fails; with VL_USER_STOP_MAYBE it does not declare it.
void vl_stop_maybe(const char* file, int line, const char* scope, bool maybe);

namespace lacuna::cosim::harness {

/// What a thread's engine said and how often it wanted to stop.
struct Messages {
  std::string text;
  unsigned stops = 0;
  void clear() {
    text.clear();
    stops = 0;
  }
};

inline Messages& messages() {
  static thread_local Messages of_thread;
  return of_thread;
}

__attribute__((format(printf, 1, 2))) inline int print(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  if (length > 0) {
    std::vector<char> text(static_cast<std::size_t>(length) + 1);
    std::vsnprintf(text.data(), text.size(), format, again);
    messages().text.append(text.data(), static_cast<std::size_t>(length));
  }
  va_end(again);
  return length;
}

/// An assertion as Verilator words it: "[0] %Error: a_checks.sv:5: Assertion failed in
/// engine.sparse_engine.gen_way[0].u_way.u_checks.name: text". Several lines if several failed.
struct FailedAssertion {
  std::string name, instance, file, text;
  std::string others;  ///< names of others that failed in the same cycle: "a, b"
};

inline FailedAssertion first_assertion(const std::string& said) {
  FailedAssertion found;
  const auto cut = [](std::string& from, const std::string& mark) {
    const std::size_t at = from.find(mark);
    std::string head = from.substr(0, at);
    from = at == std::string::npos ? std::string() : from.substr(at + mark.size());
    return head;
  };
  std::string rest = said;
  cut(rest, "%Error: ");
  std::string line = cut(rest, "\n");
  found.file = cut(line, ": Assertion failed in ");
  std::string path = cut(line, ": ");
  found.text = line;
  const std::size_t dot = path.rfind('.');
  found.name = dot == std::string::npos ? path : path.substr(dot + 1);
  path = dot == std::string::npos ? std::string() : path.substr(0, dot);
  for (const std::string prefix : {"engine.", "sparse_engine."}) {
    if (path.starts_with(prefix)) path = path.substr(prefix.size());
  }
  for (const std::string suffix : {"u_checks", "."}) {
    if (path.ends_with(suffix)) path.resize(path.size() - suffix.size());
  }
  found.instance = path.empty() ? "the engine" : path;
  while (!rest.empty()) {
    std::string other = cut(rest, "\n");
    if (other.find(": Assertion failed in ") == std::string::npos) continue;
    cut(other, ": Assertion failed in ");
    other = cut(other, ": ");
    const std::size_t last = other.rfind('.');
    if (last != std::string::npos) other = other.substr(last + 1);
    const std::string listed = ", " + found.others + ", ";
    if (other != found.name && listed.find(", " + other + ", ") == std::string::npos) {
      found.others += (found.others.empty() ? "" : ", ") + other;
    }
  }
  return found;
}

}  // namespace lacuna::cosim::harness
