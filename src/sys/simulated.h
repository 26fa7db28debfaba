/* Two worlds for tests, behind the same seam as the real one.
 *
 *   env_fault   passes every call on to another world, but makes the n-th call that can fail fail,
 *               once or for good.  A test counts the calls of a workload once, then runs it with
 *               each of them failing.
 *
 *   env_power   a disk in memory that can lose power.  It records every change (the trace), and
 *               which of them a sync has made durable.  From the trace it builds each disk that
 *               could be found after the power went:
 *
 *      trace    create j  write j  sync dir  write j  sync j  write a  write b   ◀ the cut
 *      durable     ✓         ✓        –         ✓        –       ?        ?
 *
 *               and each "?" is dropped, whole, torn, or grown to zeros or garbage.
 *
 * What is durable: writes and lengths of a file after a sync of that file; names (made, renamed,
 * removed) after sync_directory of the directory that holds them, and not before, even if the file
 * was synced.  Everything else may be there or not, in any combination (so in any order).  A write
 * that is not durable may be torn at any multiple of 512 bytes (of 4 KiB where there are more than
 * TEARS_MAX of those), the part before or the part behind surviving; one that made its file longer
 * may leave the length with zeros or garbage in place of its bytes.  A rename is whole or not at
 * all.
 *
 *      env_power_init(&disk, seed);
 *      workload(&disk.env);            calls env_power_note(&disk, n) when it has promised n
 *      for (size_t cut = 0; env_power_next_cut(&disk, &cut); cut++) {
 *          uint64_t count = env_power_image_count(&disk, cut);
 *          for (uint64_t i = 0; i < MIN(count, LIMIT); i++) {
 *              env_power_image(&image, &disk, cut, count <= LIMIT ? i : POWER_DRAWN | i);
 *              … open the store in &image.env, compare with env_power_noted(&disk, cut) …
 *              env_power_deinit(&image);
 *          }
 *      }
 *
 * An image is a whole env_power: it can be written to, traced, and lose power again. */
#ifndef HARRIER_SYS_SIMULATED_H
#define HARRIER_SYS_SIMULATED_H

#include "sys/sys.h"

/* ---- env_fault ------------------------------------------------------------------------------- */

struct env_fault {
    struct env env; /* hand &fault.env to what is tested */
    struct env *inner;
    long calls;  /* that could have failed, since the last env_fault_arm */
    long failed; /* of those, how many were made to */
    long fail_at;
    int error_number;
    bool persistent;
    const char *last_failed; /* name of the call that was made to fail last, or NULL */
};

void env_fault_init(struct env_fault *fault, struct env *inner);

/* The n-th call from now (1 = the next; 0: none) fails with `error_number` (EIO, ENOSPC …) and, if
 * persistent, every later one.  A write that fails has written its first half.  Close, unmap,
 * clocks and random bytes never fail.  Returns how many calls were made since the last arming. */
long env_fault_arm(struct env_fault *fault, long nth, bool persistent, int error_number);

/* ---- env_power ------------------------------------------------------------------------------- */

enum {
    TEARS_MAX = 8,
    POWER_FILES_MAX = 4096,
    POWER_FILE_BYTES_MAX = 64 << 20,
    POWER_TRACE_MAX = 1 << 18,   /* entries */
    POWER_BYTES_MAX = 512 << 20, /* of all writes in the trace */
};
#define POWER_DRAWN ((uint64_t)1 << 63)

struct power_disk;

struct env_power {
    struct env env; /* hand &power.env to what is tested */
    struct power_disk *disk;
};

/* An empty disk with a root directory "/"; paths need no leading slash.  Clock and random bytes
 * come from the seed; sleep_ms moves the clock.  ASSERTs where a limit is too small; mem_fail_at
 * does not touch the disk. */
void env_power_init(struct env_power *power, uint64_t seed);
void env_power_deinit(struct env_power *power);

/* Length of the trace so far. */
size_t env_power_length(const struct env_power *power);

/* Puts a number into the trace: what the workload has promised by now. */
void env_power_note(struct env_power *power, uint64_t number);

/* The last number noted before the cut; 0 where there is none. */
uint64_t env_power_noted(const struct env_power *power, size_t cut);

/* A cut at n: the first n entries of the trace have been called.  Moves *cut to the next one at or
 * behind it that can show a disk which no later one shows: just before each sync, and the end.
 * False behind the end. */
bool env_power_next_cut(const struct env_power *power, size_t *cut);

/* How many disks may be found after a cut (some may be equal); at most POWER_DRAWN - 1. */
uint64_t env_power_image_count(const struct env_power *power, size_t cut);

/* Builds one of them: `index` below the count takes each in turn (0: nothing that was not durable
 * is there); POWER_DRAWN | seed draws one by chance.  The machine has started anew: another
 * boot_id, no locks. */
void env_power_image(struct env_power *image, const struct env_power *from, size_t cut,
                     uint64_t index);

/* What is found after the process, not the machine, died at the cut: everything called is there.
 * Same boot. */
void env_power_killed(struct env_power *image, const struct env_power *from, size_t cut);

/* The trace up to the cut as text, one line an entry, with what this image made of it: for a
 * failing test. */
void env_power_describe(const struct env_power *power, size_t cut, uint64_t index,
                        struct buffer *text);

#endif
