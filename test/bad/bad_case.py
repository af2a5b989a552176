# SPDX-License-Identifier: Apache-2.0
"""What a bad-input case consists of."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """A command line that must end with one clear message and status 2.

    name     lower-case words with underscores: ctest calls it bad.<area>.<name>
    command  arguments of `lacuna`; @ROOT@ is the root of the repository
    message  everything that must appear on stderr, exactly, without the "lacuna: " of each line;
             @ROOT@ as above. Relative paths are relative to the case's own folder.
    files    {path: str or bytes}, written to an empty folder, which is where the command runs;
             @ROOT@ is replaced in texts
    seconds  the command must have ended by then
    """

    name: str
    command: list
    message: str
    files: dict = dataclasses.field(default_factory=dict)
    seconds: float = 10.0
