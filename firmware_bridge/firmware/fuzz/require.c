/* SPDX-License-Identifier: Apache-2.0 */
#include "require.h"

#include <stdio.h>
#include <stdlib.h>

void require(bool kept, const char *rule)
{
    if (!kept) {
        (void)fprintf(stderr, "broken rule: %s\n", rule);
        abort();
    }
}
