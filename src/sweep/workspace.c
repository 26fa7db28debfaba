/* Reserving and growing. */
#include "sweep/workspace.h"

static const size_t FIRST_BYTES = (size_t)64 << 20, LAST_BYTES = (size_t)16 << 30;

void workspace_deinit(struct workspace *workspace)
{
    if (workspace->arena.memory)
        memory_release(workspace->arena.memory, workspace->arena.bytes);
    if (workspace->curves)
        memory_release(workspace->curves, workspace->curves_bytes);
    *workspace = (struct workspace){0};
}

enum status workspace_grow(struct workspace *workspace, struct error *err)
{
    size_t bytes = MAX(FIRST_BYTES, workspace->arena.bytes * 4);
    void *memory;

    if (bytes > LAST_BYTES)
        return fail(err, STATUS_LIMIT,
                    "the rule needs more than %zu GiB of memory for one group of lanes",
                    LAST_BYTES >> 30);
    if (workspace->arena.memory)
        memory_release(workspace->arena.memory, workspace->arena.bytes);
    workspace->arena = (struct arena){0};
    memory = memory_reserve(bytes);
    if (!memory)
        return fail(err, STATUS_MEMORY, "the system refuses %zu MiB of address space", bytes >> 20);
    arena_init(&workspace->arena, memory, bytes);
    return STATUS_OK;
}

enum status workspace_curves(struct workspace *workspace, size_t bytes, struct error *err)
{
    if (bytes <= workspace->curves_bytes)
        return STATUS_OK;
    if (workspace->curves)
        memory_release(workspace->curves, workspace->curves_bytes);
    workspace->curves_bytes = 0;
    workspace->curves = memory_reserve(bytes);
    if (!workspace->curves)
        return fail(err, STATUS_MEMORY, "no memory for equity curves of %zu MiB", bytes >> 20);
    workspace->curves_bytes = bytes;
    return STATUS_OK;
}
