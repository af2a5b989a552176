// SPDX-License-Identifier: Apache-2.0
//
// libsystemc brings a main() of its own that calls sc_main(). Programs here have their own main()
// and start the kernel with sc_start(), but the library's reference must be satisfied.
#include <systemc>

int sc_main(int, char*[]) { return 0; }
