/* The disks that may be found after a cut: each change that no sync made durable is dropped, whole,
 * torn or grown to garbage. */
#include <inttypes.h>
#include <string.h>

#include "sys/disk.h"

enum {
    SECTOR_BYTES = 512,
    PAGE_BYTES = 4096,
    /* What becomes of a change; the tears of a write follow, TEAR_KINDS for each place. */
    DROPPED = 0,
    WHOLE,
    GROWN_ZERO, /* the file has its new length, but not the new bytes */
    GROWN_GARBAGE,
    FIRST_TEAR_SHORT = 2, /* of a write that does not make its file longer */
    FIRST_TEAR_GROWN = 4,
    FRONT = 0, /* of a tear: what is before it survives */
    BACK,
    FRONT_GARBAGE,
};

static void *scratch_new(size_t bytes)
{
    void *scratch = memory_reserve(bytes + 1);

    ASSERT(scratch != NULL);
    return scratch;
}

static void scratch_free(void *scratch, size_t bytes)
{
    memory_release(scratch, bytes + 1);
}

static bool grows(const struct trace *op)
{
    return op->at + op->length > op->size_before;
}

/* The places where a write may be torn, as file offsets: multiples of a sector, or of a page where
 * those are too many, of these the first and the last ones. */
static unsigned tears_of(const struct trace *op, uint64_t tears[TEARS_MAX])
{
    uint64_t unit = SECTOR_BYTES, end = op->at + op->length, first, count;

    do {
        first = op->at / unit * unit + unit;
        count = first >= end ? 0 : (end - 1 - first) / unit + 1;
        if (count <= TEARS_MAX)
            break;
    } while (unit != PAGE_BYTES && (unit = PAGE_BYTES));
    for (unsigned i = 0; i < MIN(count, TEARS_MAX); i++) {
        uint64_t nth = count <= TEARS_MAX || i < TEARS_MAX / 2 ? i : count - TEARS_MAX + i;

        tears[i] = first + nth * unit;
    }
    return (unsigned)MIN(count, TEARS_MAX);
}

static unsigned fate_count(const struct trace *op)
{
    uint64_t tears[TEARS_MAX];

    if (op->kind != TRACE_WRITE)
        return 2;
    return grows(op) ? FIRST_TEAR_GROWN + 3 * tears_of(op, tears)
                     : FIRST_TEAR_SHORT + 2 * tears_of(op, tears);
}

/* Marks each of the first `cut` changes that power may take away. */
static void find_pending(const struct power_disk *disk, size_t cut, bool *pending)
{
    bool *synced = scratch_new(disk->inode_count), all = false;

    for (size_t i = cut; i-- > 0;) {
        const struct trace *op = &disk->trace[i];

        pending[i] = false;
        switch (op->kind) {
        case TRACE_SYNC:
            synced[op->inode] = true;
            break;
        case TRACE_SYNC_DIRECTORY:
            synced[op->directory] = true;
            break;
        case TRACE_DURABLE:
            all = true;
            break;
        case TRACE_WRITE:
        case TRACE_TRUNCATE:
            pending[i] = !all && !synced[op->inode];
            break;
        case TRACE_LINK:
        case TRACE_REMOVE:
            pending[i] = !all && !synced[op->directory];
            break;
        case TRACE_RENAME:
            /* One step even between directories: the one that takes the name decides. */
            pending[i] = !all && !synced[op->to_directory];
            break;
        case TRACE_INODE:
        case TRACE_NOTE:
            break;
        }
    }
    scratch_free(synced, disk->inode_count);
}

/* How a drawn image treats its changes: all alike, all or none but one, or kept up to a point. */
static unsigned draw_fate(struct random *random, uint64_t manner, uint64_t place, uint64_t special,
                          unsigned count)
{
    switch (manner) {
    case 0:
        return place == special ? (unsigned)random_below(random, count) : WHOLE;
    case 1:
        return place == special ? (unsigned)random_below(random, count) : DROPPED;
    case 2:
        return place < special ? WHOLE : (unsigned)random_below(random, count);
    default:
        return (unsigned)random_below(random, count);
    }
}

/* What becomes of each of the first `cut` changes in one image. */
static void choose_fates(const struct power_disk *disk, size_t cut, uint64_t index, unsigned *fates)
{
    bool *pending = scratch_new(cut), drawn = index & POWER_DRAWN;
    uint64_t manner, special, place = 0, pending_count = 0;
    struct random random;

    find_pending(disk, cut, pending);
    for (size_t i = 0; i < cut; i++)
        pending_count += pending[i];
    random_init(&random, index, cut);
    manner = random_below(&random, 4);
    special = random_below(&random, pending_count + 1);
    for (size_t i = 0; i < cut; i++) {
        fates[i] = WHOLE;
        if (!pending[i])
            continue;
        if (drawn) {
            fates[i] = draw_fate(&random, manner, place++, special, fate_count(&disk->trace[i]));
        } else {
            fates[i] = (unsigned)(index % fate_count(&disk->trace[i]));
            index /= fate_count(&disk->trace[i]);
        }
    }
    scratch_free(pending, cut);
}

static void put_garbage(struct power_disk *disk, const struct trace *op, uint64_t from)
{
    uint64_t end = op->at + op->length;
    unsigned char garbage;

    for (uint64_t at = MAX(from, MAX(op->at, op->size_before)); at < end; at++) {
        garbage = (unsigned char)(random_at(op->inode, 2, at / 8) >> at % 8 * 8);
        disk_put(disk, op->inode, at, &garbage, 1);
    }
}

static void apply_write(struct power_disk *disk, const struct trace *op, unsigned fate)
{
    uint64_t tears[TEARS_MAX], end = op->at + op->length, size = disk->inodes[op->inode].size, tear;
    unsigned first_tear = grows(op) ? FIRST_TEAR_GROWN : FIRST_TEAR_SHORT,
             kinds = grows(op) ? 3 : 2;

    if (fate == DROPPED)
        return;
    if (fate == WHOLE) {
        disk_put(disk, op->inode, op->at, op->bytes, op->length);
        return;
    }
    if (fate < first_tear) {
        disk_resize(disk, op->inode, MAX(size, end));
        if (fate != GROWN_ZERO)
            put_garbage(disk, op, op->at);
        return;
    }
    tears_of(op, tears);
    tear = tears[(fate - first_tear) / kinds];
    switch ((fate - first_tear) % kinds) {
    case FRONT_GARBAGE:
        disk_resize(disk, op->inode, MAX(size, end));
        put_garbage(disk, op, tear);
        disk_put(disk, op->inode, op->at, op->bytes, tear - op->at);
        break;
    case FRONT:
        disk_put(disk, op->inode, op->at, op->bytes, tear - op->at);
        break;
    case BACK:
        disk_put(disk, op->inode, tear, op->bytes + (tear - op->at), end - tear);
        break;
    }
}

static void apply(struct power_disk *disk, const struct trace *op, unsigned fate)
{
    if (op->kind == TRACE_INODE) {
        uint32_t inode = disk_add_inode(disk, op->is_directory);

        ASSERT(inode == op->inode);
    } else if (op->kind == TRACE_WRITE) {
        apply_write(disk, op, fate);
    } else if (fate == WHOLE && op->kind == TRACE_TRUNCATE) {
        disk_resize(disk, op->inode, op->at);
    } else if (fate == WHOLE && op->kind == TRACE_LINK) {
        disk_link(disk, op->directory, op->name, op->inode);
    } else if (fate == WHOLE && op->kind == TRACE_REMOVE) {
        disk_unlink(disk, op->directory, op->name);
    } else if (fate == WHOLE && op->kind == TRACE_RENAME) {
        disk_unlink_everywhere(disk, op->inode);
        disk_link(disk, op->to_directory, op->to_name, op->inode);
    }
}

/* Runs of pages that hold anything: files are mostly room to grow. */
static void trace_content(struct power_disk *disk, uint32_t inode)
{
    static const unsigned char zero[PAGE_BYTES];
    struct inode *file = &disk->inodes[inode];

    for (uint64_t at = 0; at < file->size; at += PAGE_BYTES) {
        uint64_t length = MIN(PAGE_BYTES, file->size - at);

        if (memcmp(file->bytes + at, zero, length) != 0)
            disk_trace(disk, &(struct trace){TRACE_WRITE, .inode = inode, .bytes = file->bytes + at,
                                             .at = at, .length = length});
    }
    disk_trace(disk, &(struct trace){.kind = TRACE_TRUNCATE, .inode = inode, .at = file->size});
}

/* The state that an image begins with becomes the durable begin of its own trace. */
static void trace_state(struct power_disk *disk)
{
    for (uint32_t i = 1; i < disk->inode_count; i++) {
        disk_trace(disk, &(struct trace){TRACE_INODE, .inode = i,
                                         .is_directory = disk->inodes[i].is_directory});
        if (!disk->inodes[i].is_directory)
            trace_content(disk, i);
    }
    for (uint32_t i = 0; i < disk->inode_count; i++)
        for (size_t n = 0; n < disk->inodes[i].entry_count; n++)
            disk_trace(disk,
                       &(struct trace){TRACE_LINK, .inode = disk->inodes[i].entries[n].inode,
                                       .directory = i, .name = disk->inodes[i].entries[n].name});
    disk_trace(disk, &(struct trace){.kind = TRACE_DURABLE});
}

static void build(struct env_power *image, const struct env_power *from, size_t cut,
                  const unsigned *fates)
{
    env_power_init(image, random_at(3, from->disk->boot, cut));
    for (size_t i = 0; i < cut; i++)
        apply(image->disk, &from->disk->trace[i], fates[i]);
    image->disk->boot = from->disk->boot;
    image->disk->ticks_ns = from->disk->ticks_ns + INT64_C(60000000000);
}

bool env_power_next_cut(const struct env_power *power, size_t *cut)
{
    const struct power_disk *disk = power->disk;

    for (; *cut < disk->trace_count; (*cut)++)
        if (disk->trace[*cut].kind == TRACE_SYNC || disk->trace[*cut].kind == TRACE_SYNC_DIRECTORY)
            return true;
    return *cut == disk->trace_count;
}

uint64_t env_power_image_count(const struct env_power *power, size_t cut)
{
    bool *pending = scratch_new(cut);
    uint64_t count = 1;

    ASSERT(cut <= power->disk->trace_count);
    find_pending(power->disk, cut, pending);
    for (size_t i = 0; i < cut; i++)
        if (pending[i] &&
            (__builtin_mul_overflow(count, fate_count(&power->disk->trace[i]), &count) ||
             count >= POWER_DRAWN))
            count = POWER_DRAWN - 1;
    scratch_free(pending, cut);
    return count;
}

void env_power_image(struct env_power *image, const struct env_power *from, size_t cut,
                     uint64_t index)
{
    unsigned *fates = scratch_new(cut * sizeof *fates);

    ASSERT(cut <= from->disk->trace_count);
    choose_fates(from->disk, cut, index, fates);
    build(image, from, cut, fates);
    image->disk->boot++;
    trace_state(image->disk);
    scratch_free(fates, cut * sizeof *fates);
}

void env_power_killed(struct env_power *image, const struct env_power *from, size_t cut)
{
    unsigned *fates = scratch_new(cut * sizeof *fates);

    ASSERT(cut <= from->disk->trace_count);
    for (size_t i = 0; i < cut; i++)
        fates[i] = WHOLE;
    build(image, from, cut, fates);

    /* Nothing is more durable than it was: the image goes on with the same trace. */
    for (size_t i = 0; i < cut; i++)
        disk_trace(image->disk, &from->disk->trace[i]);
    scratch_free(fates, cut * sizeof *fates);
}

/* ---- for a person ---------------------------------------------------------------------------- */

static void describe_fate(const struct trace *op, unsigned fate, struct buffer *text)
{
    static const char *const tear_names[] = {"only before", "only from", "before, garbage from"};
    unsigned first_tear = grows(op) ? FIRST_TEAR_GROWN : FIRST_TEAR_SHORT,
             kinds = grows(op) ? 3 : 2;
    uint64_t tears[TEARS_MAX];

    if (fate == DROPPED || fate == WHOLE) {
        buffer_add_text(text, fate == DROPPED ? "dropped" : "whole");
    } else if (fate < first_tear) {
        buffer_add_text(text, fate == GROWN_ZERO ? "grown, zeros" : "grown, garbage");
    } else {
        tears_of(op, tears);
        buffer_addf(text, "torn: %s %" PRIu64, tear_names[(fate - first_tear) % kinds],
                    tears[(fate - first_tear) / kinds]);
    }
}

static void describe_op(const struct trace *op, struct buffer *text)
{
    switch (op->kind) {
    case TRACE_INODE:
        buffer_addf(text, "new %s %u", op->is_directory ? "directory" : "file", op->inode);
        break;
    case TRACE_LINK:
        buffer_addf(text, "name %u/%s is %u", op->directory, op->name, op->inode);
        break;
    case TRACE_RENAME:
        buffer_addf(text, "rename %u/%s to %u/%s", op->directory, op->name, op->to_directory,
                    op->to_name);
        break;
    case TRACE_REMOVE:
        buffer_addf(text, "remove %u/%s", op->directory, op->name);
        break;
    case TRACE_WRITE:
        buffer_addf(text, "write %u at %" PRIu64 ", %" PRIu64 " bytes", op->inode, op->at,
                    op->length);
        break;
    case TRACE_TRUNCATE:
        buffer_addf(text, "length of %u is %" PRIu64, op->inode, op->at);
        break;
    case TRACE_SYNC:
        buffer_addf(text, "sync %u", op->inode);
        break;
    case TRACE_SYNC_DIRECTORY:
        buffer_addf(text, "sync directory %u", op->directory);
        break;
    case TRACE_NOTE:
        buffer_addf(text, "note %" PRIu64, op->at);
        break;
    case TRACE_DURABLE:
        buffer_add_text(text, "everything so far is durable");
        break;
    }
}

void env_power_describe(const struct env_power *power, size_t cut, uint64_t index,
                        struct buffer *text)
{
    unsigned *fates = scratch_new(cut * sizeof *fates);
    bool *pending = scratch_new(cut);

    ASSERT(cut <= power->disk->trace_count);
    find_pending(power->disk, cut, pending);
    choose_fates(power->disk, cut, index, fates);
    for (size_t i = 0; i < cut; i++) {
        buffer_addf(text, "%4zu  ", i);
        describe_op(&power->disk->trace[i], text);
        if (pending[i]) {
            buffer_add_text(text, " — ");
            describe_fate(&power->disk->trace[i], fates[i], text);
        }
        buffer_add_char(text, '\n');
    }
    scratch_free(fates, cut * sizeof *fates);
    scratch_free(pending, cut);
}
