// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "cli/application.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error, reported like any other
  lacuna::base::install_interrupt_handlers();
  return lacuna::cli::run_application(std::vector<std::string>(argv + 1, argv + argc), std::cout,
                                      std::cerr);
}
