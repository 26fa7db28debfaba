/* The only file that calls malloc and its kin. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"

static _Thread_local struct {
    long made, fail_at;
    int persistent;
} fault;

long mem_fail_at(long nth, int persistent)
{
    long made = fault.made;

    fault.made = 0;
    fault.fail_at = nth;
    fault.persistent = persistent;
    return made;
}

static int refused(void)
{
    fault.made++;
    if (fault.fail_at == 0)
        return 0;
    return fault.made == fault.fail_at || (fault.persistent && fault.made > fault.fail_at);
}

void *mem_alloc(size_t bytes)
{
    return refused() ? NULL : malloc(bytes ? bytes : 1);
}

void *mem_zero(size_t count, size_t bytes)
{
    return refused() ? NULL : calloc(count ? count : 1, bytes ? bytes : 1);
}

void *mem_resize(void *block, size_t bytes)
{
    return refused() ? NULL : realloc(block, bytes ? bytes : 1);
}

void *mem_alloc_aligned(size_t alignment, size_t bytes)
{
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;

    return refused() ? NULL : aligned_alloc(alignment, rounded ? rounded : alignment);
}

char *mem_copy_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = mem_alloc(bytes);

    return copy ? memcpy(copy, text, bytes) : NULL;
}

void mem_free(void *block)
{
    free(block);
}

int mem_grow(void **items, size_t *capacity, size_t needed, size_t item_bytes)
{
    size_t wanted = *capacity ? *capacity : 16;
    void *grown;

    if (needed <= *capacity)
        return 0;
    while (wanted < needed)
        wanted *= 2;
    if (wanted > SIZE_MAX / item_bytes)
        return -1;
    grown = mem_resize(*items, wanted * item_bytes);
    if (!grown)
        return -1;
    *items = grown;
    *capacity = wanted;
    return 0;
}

void arena_init(struct arena *arena, void *memory, size_t bytes)
{
    *arena = (struct arena){.memory = memory, .bytes = bytes};
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t alignment = bytes >= 64 ? 64 : 16;
    size_t begin = ((uintptr_t)arena->memory + arena->used + alignment - 1) / alignment *
                       alignment -
                   (uintptr_t)arena->memory;

    if (begin > arena->bytes || bytes > arena->bytes - begin)
        return NULL;
    arena->used = begin + bytes;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    return memset(arena->memory + begin, 0, bytes);
}

char *arena_copy_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (copy)
        memcpy(copy, text, length);
    return copy;
}

void arena_reset(struct arena *arena, size_t mark)
{
    ASSERT(mark <= arena->used);
    arena->used = mark;
}
