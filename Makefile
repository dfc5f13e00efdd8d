# SPDX-License-Identifier: GPL-2.0-or-later
# Placeholder: builds every object. The real one is being written.
CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror -I.
