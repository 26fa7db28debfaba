/* source: walks paths, folders and archives in a fixed order: paths as given, names in order of
 * bytes. */
#include "import/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char input_name[] = "standard input";
static const char input_path[] = "/dev/stdin";

static bool is_input(const char *path)
{
    return strcmp(path, input_path) == 0;
}

void source_file_deinit(struct source_file *file)
{
    mem_free(file->name);
    mem_free(file->path);
    mem_free(file->bytes);
    mem_free(file->err);
    *file = (struct source_file){0};
}

/* ---- which files --------------------------------------------------------------------------- */

static size_t base_of(const char *name, size_t length)
{
    size_t at = length;

    while (at > 0 && name[at - 1] != '/')
        at--;
    return at;
}

static bool is_data_name(struct text base)
{
    static const char *const endings[] = {".csv", ".txt", ".tsv", ".json", ".dat", ".prn"};
    struct text plain = {base.at, unpack_plain_length(base)};

    if (base.length == 0 || base.at[0] == '.')
        return false;
    if (unpack_is_named(plain))
        return true; /* x.tar, or x.tar of x.tar.zst */
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        size_t length = strlen(endings[i]);

        if (plain.length > length &&
            memcmp(plain.at + plain.length - length, endings[i], length) == 0)
            return true;
    }
    return false;
}

/* Files of folders and archives: those of --files, else those that are named like data. */
static bool is_picked(const struct source *source, struct text path)
{
    size_t base = base_of(path.at, path.length);
    struct text name = {path.at + base, path.length - base};

    if (source->glob_count == 0)
        return is_data_name(name);
    for (size_t i = 0; i < source->glob_count; i++)
        if (text_matches_glob(name, source->globs[i]) || text_matches_glob(path, source->globs[i]))
            return true;
    return false;
}

static enum status add_place(struct source *source, const char *path, uint64_t bytes,
                             struct error *err)
{
    char *copy;

    if (source->count == IMPORT_FILES_MAX)
        return fail(err, STATUS_LIMIT, "more than %d files", IMPORT_FILES_MAX);
    copy = mem_copy_text(path);
    if (!copy || mem_grow((void **)&source->places, &source->capacity, source->count + 1,
                          sizeof *source->places) != 0) {
        mem_free(copy);
        return fail(err, STATUS_MEMORY, "%s: no memory to list files", path);
    }
    source->places[source->count++] = (struct source_place){copy, bytes};
    source->bytes_total += bytes;
    return STATUS_OK;
}

/* A folder and those that it is in. */
struct folder {
    const struct folder *in; /* NULL: a path that was given */
    unsigned depth;
    uint64_t device, inode;
};

static bool is_inside_itself(const struct folder *folder)
{
    for (const struct folder *in = folder->in; in; in = in->in)
        if (in->device == folder->device && in->inode == folder->inode)
            return true;
    return false;
}

static enum status add_folder(struct source *source, const char *path, const struct file_info *info,
                              const struct folder *in, struct error *err);

static enum status add_name(struct source *source, const char *folder, const char *name,
                            const struct folder *in, struct error *err)
{
    char path[4096];
    struct file_info info;
    enum status status;

    if (name[0] == '.')
        return STATUS_OK;
    if ((size_t)snprintf(path, sizeof path, "%s%s%s", folder,
                         folder[strlen(folder) - 1] == '/' ? "" : "/", name) >= sizeof path)
        return fail(err, STATUS_LIMIT, "%s/%s: the path is too long", folder, name);
    status = source->env->calls->path_info(source->env, path, &info, err);
    if (status == STATUS_MISSING) /* a link to nowhere: it fails by its name, the others go on */
        info = (struct file_info){.is_regular = true};
    else
        TRY(status);
    if (info.is_directory)
        return add_folder(source, path, &info, in, err);
    if (info.is_regular &&
        (is_picked(source, text_of(path)) ||
         (source->glob_count > 0 && unpack_is_named(text_of(name)) && is_data_name(text_of(name)))))
        return add_place(source, path, info.bytes, err);
    source->not_picked++;
    return STATUS_OK;
}

static enum status add_folder(struct source *source, const char *path, const struct file_info *info,
                              const struct folder *in, struct error *err)
{
    struct folder folder = {in, in ? in->depth + 1 : 0, info->device, info->inode};
    char **names;
    size_t count;
    enum status status = STATUS_OK;

    if (is_inside_itself(&folder)) {
        source->links_back++;
        return STATUS_OK;
    }
    if (folder.depth > SOURCE_DEPTH_MAX)
        return fail(err, STATUS_LIMIT, "%s: more than %d folders in one another", path,
                    SOURCE_DEPTH_MAX);
    TRY(source->env->calls->list(source->env, path, &names, &count, err));
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_name(source, path, names[i], &folder, err);
    names_free(names, count);
    return status;
}

enum status source_init(struct source *source, struct env *env,
                        const struct import_options *options, struct error *err)
{
    enum status status = STATUS_OK;

    *source = (struct source){
        .env = env, .globs = options->globs, .glob_count = options->glob_count};
    for (size_t i = 0; i < options->path_count && status == STATUS_OK; i++) {
        const char *path = options->paths[i];
        struct file_info info;

        if (strcmp(path, "-") == 0) {
            source->pipe = true;
            status = add_place(source, input_path, 0, err);
            continue;
        }
        status = env->calls->path_info(env, path, &info, err);
        if (status != STATUS_OK)
            break;
        source->pipe |= !info.is_directory && !info.is_regular;
        status = info.is_directory ? add_folder(source, path, &info, NULL, err)
                                   : add_place(source, path, info.bytes, err);
    }
    if (source->pipe)
        source->bytes_total = 0;
    if (status != STATUS_OK)
        source_deinit(source);
    return status;
}

void source_deinit(struct source *source)
{
    unpack_close(source->archive);
    for (size_t i = 0; i < source->count; i++)
        mem_free(source->places[i].path);
    mem_free(source->places);
    source->archive = NULL;
    source->places = NULL;
    source->count = source->next = source->capacity = 0;
}

/* ---- one file after the other -------------------------------------------------------------- */

static bool name_file(struct source_file *file, const char *archive, const char *entry)
{
    size_t archive_length = strlen(archive), entry_length = strlen(entry);
    size_t length = archive_length + (entry_length ? 1 + entry_length : 0);
    struct text base;

    file->name = mem_alloc(length + 1);
    if (!file->name)
        return false;
    snprintf(file->name, length + 1, "%s%s%s", archive, entry_length ? ":" : "", entry);
    for (char *c = file->name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?'; /* names from an archive go to terminals */
    file->base = entry_length ? archive_length + 1 + base_of(entry, entry_length)
                              : base_of(archive, archive_length);
    base = text_of(file->name + file->base);
    file->base_length = archive == input_name && !entry_length ? 0 : unpack_plain_length(base);
    return true;
}

static bool fail_file(struct source_file *file, const char *archive, const struct error *err)
{
    if (!file->name && !name_file(file, archive, ""))
        return false;
    file->kind = SOURCE_FAILED;
    file->err = mem_alloc(sizeof *file->err);
    if (file->err)
        *file->err = *err;
    return file->err != NULL;
}

/* Reads a file of an archive into memory, as far as it may go. */
static enum status load_entry(struct source *source, struct source_file *file, struct error *err)
{
    size_t capacity = 0, got = 1;

    file->kind = SOURCE_MEMORY;
    while (got > 0) {
        size_t wanted = capacity ? capacity * 2 : IMPORT_CHUNK_BYTES;

        if (file->length == SOURCE_ENTRY_BYTES_MAX) {
            file->kind = SOURCE_STREAM;
            file->archive = source->archive;
            return STATUS_OK;
        }
        if (file->length == capacity) {
            char *grown = mem_resize(file->bytes, wanted);

            if (!grown)
                return fail(err, STATUS_MEMORY, "no memory for a file of an archive");
            file->bytes = grown;
            capacity = wanted;
        }
        TRY(unpack_read(source->archive, file->bytes + file->length, capacity - file->length, &got,
                        err));
        file->length += got;
    }
    return STATUS_OK;
}

/* A file of an archive that has no name: which symbol's it is nobody knows, the others are read. */
static enum status fail_nameless(struct source_file *file, const char *path, struct error *err)
{
    struct error nameless;

    fail(&nameless, STATUS_CORRUPT, "a file in it has a name that is neither ASCII nor UTF-8");
    return fail_file(file, path, &nameless) ? STATUS_OK
                                            : fail(err, STATUS_MEMORY, "no memory for a name");
}

/* The next picked file of the open archive; `*done` where there is none. */
static enum status next_entry(struct source *source, const char *path, struct source_file *file,
                              bool *done, struct error *err)
{
    const char *entry;

    *done = false;
    for (;;) {
        TRY(unpack_next(source->archive, &entry, err));
        if (!entry) {
            *done = true;
            return STATUS_OK;
        }
        if (strcmp(entry, UNPACK_NAMELESS) == 0)
            return fail_nameless(file, path, err);
        if (*entry == '\0' || is_picked(source, text_of(entry)))
            break;
        source->not_picked++;
    }
    if (!name_file(file, path, entry))
        return fail(err, STATUS_MEMORY, "no memory for a name");
    if (path != input_name || *entry)
        return load_entry(source, file, err);
    file->kind = SOURCE_STREAM; /* it may have no end */
    file->archive = source->archive;
    return STATUS_OK;
}

static bool close_archive(struct source *source)
{
    unpack_close(source->archive);
    source->archive = NULL;
    source->next++;
    return true;
}

/* False: go on with the next place. */
static bool from_archive(struct source *source, const char *path, struct source_file *file,
                         bool *no_memory)
{
    bool input = is_input(path), done = false;
    const char *shown = input ? input_name : path;
    enum status status = STATUS_OK;
    struct error err;

    if (!source->archive)
        status = unpack_open(&source->archive, source->env, path, !input, &source->bytes_read,
                             &err);
    if (status == STATUS_OK)
        status = next_entry(source, shown, file, &done, &err);
    if (status == STATUS_OK && !done)
        return true;
    close_archive(source);
    if (done)
        return false;
    *no_memory = !fail_file(file, shown, &err);
    return true;
}

bool source_next(struct source *source, struct source_file *file, bool *no_memory)
{
    *no_memory = false;
    while (source->next < source->count) {
        const struct source_place *place = &source->places[source->next];

        *file = (struct source_file){0};
        if (is_input(place->path) || unpack_is_named(text_of(place->path))) {
            if (from_archive(source, place->path, file, no_memory))
                return !*no_memory;
            continue;
        }
        file->kind = SOURCE_PATH;
        file->path = mem_copy_text(place->path);
        file->disk_bytes = place->bytes;
        source->next++;
        *no_memory = !file->path || !name_file(file, place->path, "");
        return !*no_memory;
    }
    return false;
}
