/* Entry of libFuzzer, and of mutator.c where there is none: the whole board.
 * SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script_run(data, size);
    return 0;
}
