/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_FUZZ_REQUIRE_H
#define CHOT_FUZZ_REQUIRE_H

#include <stdbool.h>

/* Ends the program, naming the rule, unless it was kept. */
void require(bool kept, const char *rule);

#endif
