/* SPDX-License-Identifier: Apache-2.0 */
#include "contact.h"

void contacts_start(struct contacts *contacts, const struct configuration *configuration)
{
    contacts->fitted = configuration->inputs;
    contacts->normally_closed = configuration->normally_closed;
    contacts->debounce_ms = configuration->debounce_ms;
    contacts->accepted = 0u;
    contacts->differing = 0u;
    contacts->sampled = false;
    for (uint8_t input = 0u; input < INPUT_COUNT; input++) {
        contacts->left_ms[input] = 0u;
    }
}

void contacts_pass(struct contacts *contacts, uint16_t elapsed_ms)
{
    if (contacts->differing == 0u) {
        return;
    }
    for (uint8_t input = 0u; input < INPUT_COUNT; input++) {
        const uint8_t left_ms = contacts->left_ms[input];

        contacts->left_ms[input] = (left_ms > elapsed_ms) ? (uint8_t)(left_ms - elapsed_ms) : 0u;
    }
}

bool contacts_sample(struct contacts *contacts, uint8_t closed)
{
    const uint8_t active = (uint8_t)((closed ^ contacts->normally_closed) & contacts->fitted);
    uint8_t begins = 0u; /* to differ; what differed before goes on waiting */
    uint8_t bit = 1u;

    if (!contacts->sampled) {
        contacts->sampled = true;
        contacts->accepted = active;
        return true;
    }
    begins = (uint8_t)((active ^ contacts->accepted) & (uint8_t)~contacts->differing);
    contacts->differing = (uint8_t)(active ^ contacts->accepted);
    for (uint8_t input = 0u; (begins != 0u) && (input < INPUT_COUNT); input++) {
        if ((begins & bit) != 0u) {
            contacts->left_ms[input] = contacts->debounce_ms;
        }
        bit = (uint8_t)(bit << 1u);
    }
    return false;
}

uint8_t contacts_settle(struct contacts *contacts)
{
    const uint8_t differing = contacts->differing;
    uint8_t changed = 0u;
    uint8_t bit = 1u;

    for (uint8_t input = 0u; (differing != 0u) && (input < INPUT_COUNT); input++) {
        if (((differing & bit) != 0u) && (contacts->left_ms[input] == 0u)) {
            changed = (uint8_t)(changed | bit);
        }
        bit = (uint8_t)(bit << 1u);
    }
    contacts->accepted = (uint8_t)(contacts->accepted ^ changed);
    contacts->differing = (uint8_t)(differing & (uint8_t)~changed);
    return changed;
}
