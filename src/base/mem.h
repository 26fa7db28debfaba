/* Memory.  Two ways to get it:
 *
 *   mem_*    single blocks, freed one by one; the only place that calls malloc, so that tests can
 *            make the n-th allocation fail (mem_fail_at)
 *
 *   arena    one block for a unit of work (a request, a job, a rule), cut from front to back and
 *            dropped whole.  Its limit is its size: arena_alloc returns NULL when it is full.
 */
#ifndef HARRIER_BASE_MEM_H
#define HARRIER_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* NULL when there is no memory.  mem_free(NULL) does nothing. */
void *mem_alloc(size_t bytes);
void *mem_zero(size_t count, size_t bytes);
void *mem_resize(void *block, size_t bytes);
void *mem_alloc_aligned(size_t alignment, size_t bytes);
char *mem_copy_text(const char *text);
void mem_free(void *block);

/* Makes room for at least `needed` elements in a growing array; 0 on success, -1 without memory
 * (the array is then as before).  `*items` may be NULL with `*capacity` 0. */
int mem_grow(void **items, size_t *capacity, size_t needed, size_t item_bytes);

struct arena {
    unsigned char *memory;
    size_t bytes, used;
    size_t peak; /* most ever used */
};

/* Over memory of the caller's, which must outlive the arena. */
void arena_init(struct arena *arena, void *memory, size_t bytes);

/* Zeroed memory, aligned to 64 bytes where bytes ≥ 64, else to 16.  NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_copy_text(struct arena *arena, const char *text, size_t length);

/* Everything allocated after the mark is given back. */
static inline size_t arena_mark(const struct arena *arena)
{
    return arena->used;
}
void arena_reset(struct arena *arena, size_t mark);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

/* Tests only: the n-th allocation from now (1 = the next) and, if persistent, every later one
 * fails; 0 switches it off.  Returns how many were made since the last call.  Per thread. */
long mem_fail_at(long nth, int persistent);

#endif
