// SPDX-License-Identifier: Apache-2.0
//
// The process behind main(): parses the command line, runs one command, and turns every way to fail
// into an exit status and one message.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace lacuna::cli {

/// `arguments` without the program's name. Results to `out`, messages ("lacuna: ...") to `err`.
[[nodiscard]] int run_application(std::vector<std::string> arguments, std::ostream& out,
                                  std::ostream& err);

/// The status that `body` returns, or that of what it throws: UserError 2, Interrupted 128 +
/// signal, anything else 70, said to be a bug of ours.
[[nodiscard]] int run_guarded(const std::function<int()>& body, std::ostream& err);

}  // namespace lacuna::cli
