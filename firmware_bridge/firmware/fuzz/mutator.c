/* A main for machines without clang's libFuzzer: seeds, mutated by a seeded generator.
 *
 * It takes the few of libFuzzer's options that the tests use, so that both are called alike:
 *   fuzz-board [-seed=N] [-max_total_time=S] [-artifact_prefix=PATH] [CORPUS_DIR | FILE ...]
 * With files, each runs once. SIGUSR1 ends a run in good order. What brings the program down is
 * written to PATH + "crash-" + seed first.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <stdint.h>

#define MOST_SEEDS 4096u
#define LONGEST 4096u
#define PATH_BYTES 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void));

struct input {
    uint8_t bytes[LONGEST];
    size_t size;
};

static struct input seeds[MOST_SEEDS];
static size_t seed_count;
static struct input current;
static uint64_t chance;
static char crash_path[PATH_BYTES];
static volatile sig_atomic_t told_to_end;

static uint32_t draw(uint32_t below) { /* splitmix64 */
    uint64_t z = (chance += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}

static void keep_input(void)
{
    FILE *file = fopen(crash_path, "wb");
    if (file != NULL) {
        (void)fwrite(current.bytes, 1, current.size, file);
        (void)fclose(file);
        (void)fprintf(stderr, "the input is in %s\n", crash_path);
    }
}

static void on_abort(int number)
{
    keep_input();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void on_end(int number)
{
    (void)number;
    told_to_end = 1;
}

static void load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file != NULL && seed_count < MOST_SEEDS) {
        seeds[seed_count].size = fread(seeds[seed_count].bytes, 1, LONGEST, file);
        seed_count++;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void load_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        char path[PATH_BYTES];
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            load(path);
        }
    }
    if (listing != NULL) {
        (void)closedir(listing);
    }
}

static void insert(const uint8_t *bytes, size_t count)
{
    uint8_t copy[LONGEST];
    const size_t at = draw((uint32_t)current.size + 1u);
    if (current.size + count <= LONGEST) {
        memcpy(copy, bytes, count);
        memmove(current.bytes + at + count, current.bytes + at, current.size - at);
        memcpy(current.bytes + at, copy, count);
        current.size += count;
    }
}

static void cut(void)
{
    const size_t at = draw((uint32_t)current.size);
    const size_t most = current.size - at < 16u ? current.size - at : 16u;
    const size_t count = 1u + draw((uint32_t)most);
    memmove(current.bytes + at, current.bytes + at + count, current.size - at - count);
    current.size -= count;
}

static void mutate(void)
{
    static const uint8_t edges[] = {0, 1, 2, 7, 0x1F, 0x20, 0x3F, 0x7F, 0x80, 0xFE, 0xFF};
    const struct input *other = &seeds[draw((uint32_t)seed_count)];
    const size_t at = current.size > 0u ? draw((uint32_t)current.size) : 0u;
    const uint8_t any = (uint8_t)draw(256);
    switch (current.size == 0u ? 3u : draw(8)) {
    case 0:
        current.bytes[at] ^= (uint8_t)(1u << draw(8));
        break;
    case 1:
        current.bytes[at] = any;
        break;
    case 2:
        current.bytes[at] = edges[draw(sizeof edges)];
        break;
    case 3:
        insert(&any, 1);
        break;
    case 4:
        cut();
        break;
    case 5: {
        const size_t left = current.size - at;
        insert(current.bytes + at, 1u + draw((uint32_t)(left < 64u ? left : 64u)));
        break;
    }
    default:
        if (other->size > 0u) { /* another seed's part: a course that goes on */
            const size_t from = draw((uint32_t)other->size);
            insert(other->bytes + from, 1u + draw((uint32_t)(other->size - from)));
        }
        break;
    }
}

static void learn(void) { /* what ran well is a seed for others, some of the time */
    if (draw(64) == 0u) {
        const size_t place = seed_count < MOST_SEEDS ? seed_count++ : draw(MOST_SEEDS);
        seeds[place] = current;
    }
}

static uint64_t run_for(double seconds)
{
    uint64_t runs = 0;
    struct timespec began;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    do {
        current = seeds[draw((uint32_t)seed_count)];
        for (uint32_t left = 1u + draw(8); left > 0u; left--) {
            mutate();
        }
        (void)LLVMFuzzerTestOneInput(current.bytes, current.size);
        learn();
        runs++;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while (!told_to_end && (double)(now.tv_sec - began.tv_sec) < seconds);
    return runs;
}

int main(int count, char **arguments)
{
    double seconds = 10;
    const char *prefix = "";
    size_t files = 0;
    chance = (uint64_t)time(NULL);
    for (int i = 1; i < count; i++) {
        struct stat status;
        if (strncmp(arguments[i], "-seed=", 6) == 0) {
            chance = strtoull(arguments[i] + 6, NULL, 10);
        } else if (strncmp(arguments[i], "-max_total_time=", 16) == 0) {
            seconds = strtod(arguments[i] + 16, NULL);
        } else if (strncmp(arguments[i], "-artifact_prefix=", 17) == 0) {
            prefix = arguments[i] + 17;
        } else if (arguments[i][0] != '-' && stat(arguments[i], &status) == 0) {
            if (S_ISDIR(status.st_mode)) {
                load_folder(arguments[i]);
            } else {
                load(arguments[i]);
                files++;
            }
        }
    }
    (void)fprintf(stderr, "seed %llu, %zu seeds\n", (unsigned long long)chance, seed_count);
    (void)snprintf(crash_path, sizeof crash_path, "%scrash-%llu", prefix,
                   (unsigned long long)chance);
    (void)signal(SIGABRT, on_abort);
    (void)signal(SIGUSR1, on_end);
    __sanitizer_set_death_callback(keep_input);
    if (files > 0u) {
        for (size_t i = 0; i < seed_count; i++) {
            current = seeds[i];
            (void)LLVMFuzzerTestOneInput(current.bytes, current.size);
        }
        return 0;
    }
    if (seed_count == 0u) {
        seed_count = 1; /* the empty one */
    }
    (void)fprintf(stderr, "%llu runs\n", (unsigned long long)run_for(seconds));
    return 0;
}
